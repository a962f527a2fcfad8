/**
 * Whether one journal is whole: the chain holds from its first commit, its stream ends where its last message lies, and
 * every head that is known from elsewhere is in it: of the witness, and of the checkpoints of projections. A chain that
 * holds says nothing of its own end, so a journal that no head vouches for is a finding as well. A content that was
 * removed is counted; one that was changed is a finding.
 */
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { Chain, sameBytes } from '../streams/chain.js';
import { openJournal } from '../streams/jetstream.js';
import { checkContents, type ReadCommit } from '../streams/contents.js';
import type { Journal } from '../streams/journal.js';
import type { KnownHeads } from '../streams/heads.js';
import { WITNESS, type KnownHead } from '../streams/takeover.js';

export interface Finding {
  readonly namespace: string;
  readonly partition: number;
  readonly ok: boolean;
  /** How many commits are whole, from the first. */
  readonly commits: number;
  /** Messages of strangers, which are skipped and harm nothing. */
  readonly foreign: number;
  readonly head: { readonly seq: number; readonly hash: string } | undefined;
  /** How many heads the witness keeps, and messages in its stream and in that of the checkpoints that are not ours. */
  readonly witnessed: number;
  readonly foreignHeads: number;
  /** What vouches for the journal, each with the last position that it knows. */
  readonly vouchers: readonly Voucher[];
  /** Contents that were removed, and the first {@link REMOVED_SHOWN} of them. */
  readonly removed: number;
  readonly removedContents: readonly Removed[];
  /** Commits of which a content is not what was written. */
  readonly changed: number;
  /** The first bad or missing one. */
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

export interface Voucher {
  readonly from: string;
  readonly seq: number;
}

export interface KnownFrom extends KnownHeads {
  /** Why heads that may be known could not be read. */
  readonly problems: readonly string[];
}

/** @param known read before this is called, so that no commit can come between */
export async function verifyPartition(
  url: string, ns: Namespace, partition: Partition, known: KnownFrom,
): Promise<Finding> {
  const reading = new Reading(ns, partition, known);
  let source: Journal | undefined;
  try {
    source = await openJournal({ url, ns, partition });
    await reading.read(source);
  } catch (error) {
    // The server is there, as the witness was read just now: what cannot be read is what this is about. What may not be
    // read is not.
    if (error instanceof RepriseError && error.code === 'PERMISSION_DENIED') throw error;
    reading.failed(error);
  } finally {
    await source?.close();
  }
  return reading.finding();
}

class Reading {
  readonly #ns: Namespace;
  readonly #chain: Chain;
  readonly #partition: Partition;
  readonly #known = new Map<number, KnownHead[]>();
  readonly #vouchers: readonly Voucher[];
  readonly #of: KnownFrom;
  #commits = 0;
  #foreign = 0;
  #looked = 0;
  #removed = 0;
  readonly #removedContents: Removed[] = [];
  #changed = 0;
  #bad: { position?: number; problem: string } | undefined;

  constructor(ns: Namespace, partition: Partition, known: KnownFrom) {
    this.#ns = ns;
    this.#partition = partition;
    this.#chain = new Chain(partition);
    this.#of = known;
    for (const head of known.heads) this.#known.set(head.seq, [...(this.#known.get(head.seq) ?? []), head]);
    this.#vouchers = vouchersOf(known.heads);
  }

  async read(source: Journal): Promise<void> {
    const untilSeq = await source.lastSeq();
    for await (const stored of source.replay(1)) {
      const accepted = this.#chain.accept(stored);
      this.#looked = stored.seq;
      if (accepted.kind === 'foreign') this.#foreign += 1;
      else this.#commit(stored.seq, accepted);
      if (!this.#matches(stored.seq)) return;
    }
    if (this.#looked < untilSeq) {
      this.#mark(this.#looked + 1, `the stream says that it ends at ${untilSeq}, but the message is not there`);
    }
    this.#checkMissing();
    this.#checkVouched();
  }

  /** What cannot be read at all is bad from the first position that was not read. */
  failed(error: unknown): void {
    const cause = error instanceof Error ? (error.cause as { position?: unknown } | undefined) : undefined;
    const named = error instanceof RepriseError && typeof cause?.position === 'number' ? cause.position : undefined;
    this.#mark(named ?? this.#looked + 1, error instanceof Error ? error.message : String(error));
  }

  finding(): Finding {
    const { head } = this.#chain;
    return {
      namespace: this.#ns, partition: this.#partition, ok: this.#bad === undefined,
      commits: this.#commits, foreign: this.#foreign,
      head: head && { seq: head.seq, hash: Buffer.from(head.hash).toString('hex') },
      witnessed: this.#of.witness.heads.length,
      foreignHeads: this.#of.witness.foreign + this.#of.checkpoints.foreign, vouchers: this.#vouchers,
      removed: this.#removed, removedContents: this.#removedContents, changed: this.#changed, ...this.#bad,
    };
  }

  #commit(seq: number, { commit, encoded }: ReadCommit): void {
    this.#commits += 1;
    const { removed, changed } = checkContents(encoded);
    this.#removed += removed.length;
    for (const { index, size } of removed.slice(0, REMOVED_SHOWN - this.#removedContents.length)) {
      const { kind, id, type } = commit.events[index] ?? {};
      this.#removedContents.push({ seq, index, kind: kind ?? '', id: id ?? '', type: type ?? '', bytes: size });
    }
    if (changed === undefined) return;
    this.#changed += 1;
    this.#mark(seq, changed);
  }

  /** Whether what lies at a position is what was seen there. */
  #matches(seq: number): boolean {
    const { head } = this.#chain;
    const other = (this.#known.get(seq) ?? []).find((each) => head?.seq !== seq || !sameBytes(each.hash, head.hash));
    this.#known.delete(seq);
    if (other === undefined) return true;
    this.#mark(seq, `${other.from} knows another commit there`);
    return false;
  }

  /** A lost tail leaves a shorter chain that holds: the first one that is missing is the one after its end. */
  #checkMissing(): void {
    const last = [...this.#known.values()].flat().sort((a, b) => b.seq - a.seq)[0];
    if (last === undefined) return;
    const problem = `${last.from} knows a commit at ${last.seq}, but the journal ends at ${this.#looked}`;
    this.#mark(Math.min(this.#looked + 1, last.seq), problem);
  }

  /** Leaders witness their first commit at once: an empty witness was emptied, perhaps with the journal's tail. */
  #checkVouched(): void {
    const { problems } = this.#of;
    if (problems.length > 0) this.#bad ??= { problem: problems.join('; ') };
    if (this.#commits === 0 || this.#vouchers.some(({ from }) => from === WITNESS)) return;
    const others = this.#vouchers.map(({ from, seq }) => `${from} vouches to ${seq}`).join(', ');
    const emptied = 'the witness knows no head of it, so it was emptied, and commits may be missing at the end';
    this.#bad ??= { problem: `${emptied}; ${others || 'nothing vouches for it'}` };
  }

  #mark(position: number, problem: string): void {
    if (this.#bad === undefined || position < (this.#bad.position ?? Infinity)) this.#bad = { position, problem };
  }
}

/** The newest head of each who knows one. */
function vouchersOf(heads: readonly KnownHead[]): Voucher[] {
  const newest = new Map<string, number>();
  for (const { from, seq } of heads) newest.set(from, Math.max(seq, newest.get(from) ?? 0));
  return [...newest].map(([from, seq]) => ({ from, seq }));
}
