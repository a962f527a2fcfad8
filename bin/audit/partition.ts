/**
 * Whether one journal is whole: the chain holds from its first commit, its stream ends where its last message lies, and
 * every head that a witness kept is in it.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { Chain, sameBytes } from '../../streams/chain.js';
import { openJournal } from '../../streams/jetstream.js';
import type { Journal } from '../../streams/journal.js';
import type { KeptHead } from '../../streams/witness.js';

export interface Finding {
  readonly namespace: string;
  readonly partition: number;
  readonly ok: boolean;
  /** How many commits are whole, from the first. */
  readonly commits: number;
  /** Messages of strangers, which are skipped and harm nothing. */
  readonly foreign: number;
  readonly head: { readonly seq: number; readonly hash: string } | undefined;
  /** How many different heads were known. */
  readonly witnessed: number;
  /** The first bad or missing one. */
  readonly position?: number;
  readonly problem?: string;
}

/** @param heads read before this is called, so that no commit can come between */
export async function verifyPartition(url: string, ns: Namespace, partition: Partition, heads: readonly KeptHead[]): Promise<Finding> {
  const reading = new Reading(ns, partition, heads);
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
  readonly #known = new Map<number, KeptHead[]>();
  #witnessed = 0;
  #commits = 0;
  #foreign = 0;
  #looked = 0;
  #bad: { position: number; problem: string } | undefined;

  constructor(ns: Namespace, partition: Partition, heads: readonly KeptHead[]) {
    this.#ns = ns;
    this.#partition = partition;
    this.#chain = new Chain(partition);
    for (const head of heads) {
      this.#known.set(head.seq, [...(this.#known.get(head.seq) ?? []), head]);
      this.#witnessed += 1;
    }
  }

  async read(source: Journal): Promise<void> {
    const untilSeq = await source.lastSeq();
    for await (const stored of source.replay(1)) {
      const accepted = this.#chain.accept(stored);
      this.#looked = stored.seq;
      if (accepted.kind === 'foreign') this.#foreign += 1;
      else this.#commits += 1;
      if (!this.#matches(stored.seq)) return;
    }
    if (this.#looked < untilSeq) this.#mark(this.#looked + 1, `the stream says that it ends at ${untilSeq}, but the message is not there`);
    this.#checkMissing();
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
      namespace: this.#ns, partition: this.#partition, ok: this.#bad === undefined, commits: this.#commits, foreign: this.#foreign,
      head: head && { seq: head.seq, hash: Buffer.from(head.hash).toString('hex') }, witnessed: this.#witnessed, ...this.#bad,
    };
  }

  /** Whether what lies at a position is what the witness saw there. */
  #matches(seq: number): boolean {
    const { head } = this.#chain;
    const known = this.#known.get(seq) ?? [];
    this.#known.delete(seq);
    if (known.every((each) => head?.seq === seq && each.journalId === head.journalId && sameBytes(each.hash, head.hash))) return true;
    this.#mark(seq, 'another commit was witnessed there');
    return false;
  }

  /** A lost tail leaves a shorter chain that holds: the first one that is missing is the one after its end. */
  #checkMissing(): void {
    const last = Math.max(0, ...this.#known.keys());
    if (last > 0) this.#mark(Math.min(this.#looked + 1, last), `the commit at ${last} was witnessed, but the journal ends at ${this.#looked}`);
  }

  #mark(position: number, problem: string): void {
    if (this.#bad === undefined || position < this.#bad.position) this.#bad = { position, problem };
  }
}
