/** A commit as followers of the journal (projections) get it, whether just written or replayed. */
import type { Partition } from '../protocols/ids.js';
import type { journal } from '../protocols/messages.js';

/** The part of an event that followers need decoded. The rest is in the commit's bytes. */
export interface EventName {
  readonly kind: string;
  readonly id: string;
  readonly type: string;
}

export interface Committed {
  readonly partition: Partition;
  readonly journalId: string;
  readonly epoch: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly nowMs: number;
  /** As stored in the journal. */
  readonly bytes: Uint8Array;
  readonly events: readonly EventName[];
}

/** Gets every commit of a partition, in order. */
export interface Follower {
  /** The last commit that it needs no more; `seq` 0: it needs all. */
  readonly after: { readonly seq: number; readonly hash: Uint8Array };
  /** What is up to there cannot be read now. It goes on behind it. */
  skipTo(head: { readonly seq: number; readonly hash: Uint8Array }): void;
  follow(committed: Committed): void;
}

/** A replayed commit, in the same form as one just written. */
export function committedOf(
  commit: journal.Commit, partition: Partition, seq: number, hash: Uint8Array, bytes: Uint8Array,
): Committed {
  const { journalId, epoch, nowMs } = commit;
  const events = commit.events.map(({ kind, id, type }): EventName =>
    ({ kind: kind ?? '', id: id ?? '', type: type ?? '' }));
  return { partition, journalId, epoch, seq, hash, nowMs, bytes, events };
}
