/**
 * Verifies one journal. It is whole if the chain holds from the first commit, the last message of the stream is at the
 * stream's end, and the journal contains every known head, of the witness and of the checkpoints of projections. An
 * intact chain does not show whether its tail was lost, so a journal without known heads is a finding too. Something
 * must vouch for the beginning of a truncated one. Removed contents are counted; a changed content is a finding.
 */
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { Chain, sameBytes } from '../streams/chain.js';
import { firstCommitOf, type FirstCommit } from '../streams/first-commit.js';
import { openJournal } from '../streams/jetstream.js';
import { checkContents, type ReadCommit } from '../streams/contents.js';
import type { Journal } from '../streams/journal.js';
import type { KnownHeads } from '../streams/heads.js';
import { readingThrough } from '../streams/reading-through.js';
import { WITNESS, type KnownHead } from '../streams/takeover.js';
import { checkBeginning, headBefore, type Beginning, type BeginningSources } from './beginning.js';

export interface Finding {
  readonly namespace: string;
  readonly partition: number;
  readonly ok: boolean;
  /** How many commits of the journal are valid, from its first one. */
  readonly commits: number;
  /** Foreign messages in the journal. They are skipped. */
  readonly foreign: number;
  readonly head: { readonly seq: number; readonly hash: string } | undefined;
  /** How many heads the witness has, and how many foreign messages its stream and that of the checkpoints have. */
  readonly witnessed: number;
  readonly foreignHeads: number;
  /** The sources of known heads, each with the last position that it knows. */
  readonly knownHeads: readonly NewestHead[];
  /** How many contents were removed, and the first {@link REMOVED_SHOWN} of them. */
  readonly removed: number;
  readonly removedContents: readonly Removed[];
  /** How many commits have a content that was changed. */
  readonly changed: number;
  /** undefined for a journal that was never truncated. */
  readonly beginning: Beginning | undefined;
  /** The first bad or missing position. */
  readonly position?: number;
  readonly problem?: string;
}

/** A content that was removed: of event `index` in the commit at `seq`. */
export interface Removed {
  readonly seq: number;
  readonly index: number;
  readonly kind: string;
  readonly id: string;
  readonly type: string;
  /** Before it was removed. */
  readonly bytes: number;
}

/** How many removed contents of a partition are listed. All are counted. */
export const REMOVED_SHOWN = 1_000;

/** The newest head that a source knows. */
export interface NewestHead {
  readonly from: string;
  readonly seq: number;
}

export interface KnownFrom extends KnownHeads {
  /** Why known heads could not be read. */
  readonly problems: readonly string[];
}

export interface PartitionSources extends Omit<BeginningSources, 'heads'> {
  readonly url: string;
  /** Must have been read before: a head that is read later may be of a commit that this does not read. */
  readonly known: KnownFrom;
}

export async function verifyPartition(sources: PartitionSources): Promise<Finding> {
  const { url, ns, partition } = sources;
  const reading = new Reading(sources);
  let source: Journal | undefined;
  try {
    source = await openJournal({ url, ns, partition });
    await reading.read(source);
  } catch (error) {
    // The witness was just read, so the server is reachable, and a journal that cannot be read is a finding. Missing
    // rights are an error of the caller.
    if (error instanceof RepriseError && error.code === 'PERMISSION_DENIED') throw error;
    reading.failed(error);
  } finally {
    await source?.close();
  }
  return reading.finding();
}

class Reading {
  private chain: Chain;
  private readonly headsAt = new Map<number, KnownHead[]>();
  private readonly knownHeads: readonly NewestHead[];
  private commits = 0;
  private foreign = 0;
  /** The last position that was read. */
  private readSeq = 0;
  private removed = 0;
  private readonly removedContents: Removed[] = [];
  private changed = 0;
  private beginning: Beginning | undefined;
  private readonly known: KnownFrom;
  private readonly ns: Namespace;
  private readonly partition: Partition;
  private bad: { position?: number; problem: string } | undefined;

  constructor(private readonly sources: PartitionSources) {
    const { ns, partition, known } = sources;
    [this.ns, this.partition, this.known] = [ns, partition, known];
    this.chain = new Chain(partition);
    this.expect(known.heads);
    this.knownHeads = newestOf(known.heads);
  }

  async read(source: Journal): Promise<void> {
    const { firstSeq, lastSeq: untilSeq } = await source.end();
    const first = await this.begin(source);
    // Verifying the archive takes its time. What is truncated meanwhile is read from there.
    const whole = first === undefined ? source : readingThrough(source, (of) => this.sources.place.behind(of));
    for await (const stored of whole.replay(this.beginning?.seq ?? firstSeq)) {
      const accepted = this.chain.accept(stored);
      this.readSeq = stored.seq;
      if (accepted.kind === 'foreign') this.foreign += 1;
      else this.commit(stored.seq, accepted);
      if (!this.matches(stored.seq)) return;
    }
    if (this.readSeq < untilSeq) {
      this.mark(this.readSeq + 1, `the stream's end is ${untilSeq}, but the message is missing`);
    }
    this.checkMissing();
    this.checkWitness();
  }

  /** Reading failed: the first position that was not read is bad, unless the error names another. */
  failed(error: unknown): void {
    const cause = error instanceof Error ? (error.cause as { position?: unknown } | undefined) : undefined;
    const named = error instanceof RepriseError && typeof cause?.position === 'number' ? cause.position : undefined;
    this.mark(named ?? this.readSeq + 1, error instanceof Error ? error.message : String(error));
  }

  finding(): Finding {
    const { head } = this.chain;
    return {
      namespace: this.ns, partition: this.partition, ok: this.bad === undefined,
      commits: this.commits, foreign: this.foreign,
      head: head && { seq: head.seq, hash: Buffer.from(head.hash).toString('hex') },
      witnessed: this.known.witness.heads.length,
      foreignHeads: this.known.witness.foreign + this.known.checkpoints.foreign, knownHeads: this.knownHeads,
      removed: this.removed, removedContents: this.removedContents, changed: this.changed,
      beginning: this.beginning, ...this.bad,
    };
  }

  private expect(heads: readonly KnownHead[]): void {
    for (const head of heads) this.headsAt.set(head.seq, [...(this.headsAt.get(head.seq) ?? []), head]);
  }

  /** Where it was truncated, the chain begins at the commit before its first one. */
  private async begin(source: Journal): Promise<FirstCommit | undefined> {
    const first = await firstCommitOf(source);
    if (first === undefined || first.prevSeq === 0) return first;
    this.chain = new Chain(this.partition, headBefore(first, this.partition));
    this.readSeq = first.prevSeq;
    const heads = this.known.heads.filter(({ seq }) => seq < first.seq);
    for (const { seq } of heads) this.headsAt.delete(seq);
    const checked = await checkBeginning(first, { ...this.sources, heads });
    this.beginning = checked.beginning;
    this.expect(checked.heads);
    for (const { position, problem } of checked.wrong) this.mark(position, problem);
    return first;
  }

  private commit(seq: number, { commit, encoded }: ReadCommit): void {
    this.commits += 1;
    const { removed, changed } = checkContents(encoded);
    this.removed += removed.length;
    for (const { index, size } of removed.slice(0, REMOVED_SHOWN - this.removedContents.length)) {
      const { kind, id, type } = commit.events[index] ?? {};
      this.removedContents.push({ seq, index, kind: kind ?? '', id: id ?? '', type: type ?? '', bytes: size });
    }
    if (changed === undefined) return;
    this.changed += 1;
    this.mark(seq, changed);
  }

  /** Whether the commit at a position has the hash of every head that is known there. */
  private matches(seq: number): boolean {
    const { head } = this.chain;
    const other = (this.headsAt.get(seq) ?? []).find((each) => head?.seq !== seq || !sameBytes(each.hash, head.hash));
    this.headsAt.delete(seq);
    if (other === undefined) return true;
    this.mark(seq, `${other.from} knows another commit there`);
    return false;
  }

  /** A lost tail leaves a shorter, valid chain. The first missing position is the one after its end. */
  private checkMissing(): void {
    const last = [...this.headsAt.values()].flat().sort((a, b) => b.seq - a.seq)[0];
    if (last === undefined) return;
    const problem = `${last.from} knows a commit at ${last.seq}, but the journal ends at ${this.readSeq}`;
    this.mark(Math.min(this.readSeq + 1, last.seq), problem);
  }

  /** Leaders witness their first commit at once, so an empty witness was emptied, perhaps along with a lost tail. */
  private checkWitness(): void {
    const { problems } = this.known;
    if (problems.length > 0) this.bad ??= { problem: problems.join('; ') };
    if (this.commits === 0 || this.knownHeads.some(({ from }) => from === WITNESS)) return;
    const others = this.knownHeads.map(({ from, seq }) => `${from} knows up to position ${seq}`).join(', ');
    const emptied = 'the witness knows no head of it, so it was emptied, and commits may be missing at the end';
    this.bad ??= { problem: `${emptied}; ${others || 'no known head confirms it'}` };
  }

  private mark(position: number, problem: string): void {
    if (this.bad === undefined || position < (this.bad.position ?? Infinity)) this.bad = { position, problem };
  }
}

/** The newest head of each source. */
function newestOf(heads: readonly KnownHead[]): NewestHead[] {
  const newest = new Map<string, number>();
  for (const { from, seq } of heads) newest.set(from, Math.max(seq, newest.get(from) ?? 0));
  return [...newest].map(([from, seq]) => ({ from, seq }));
}
