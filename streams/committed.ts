/** What follows the journal (projections) gets of every commit, whether just written or replayed. */
import type { Partition } from '../protocols/ids.js';
import type { journal } from '../protocols/messages.js';

/** What followers sort an event by; the rest of it lies in the commit's bytes. */
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
  /** As it lies in the journal. */
  readonly bytes: Uint8Array;
  readonly events: readonly EventName[];
}

export interface Follower {
  follow(committed: Committed): void;
}

/** A replayed commit, in the same form as one just written. */
export function committedOf(commit: journal.Commit, partition: Partition, seq: number, hash: Uint8Array, bytes: Uint8Array): Committed {
  const events = commit.events.map((event): EventName => ({ kind: event.kind ?? '', id: event.id ?? '', type: event.type ?? '' }));
  return { partition, journalId: commit.journalId, epoch: commit.epoch, seq, hash, nowMs: commit.nowMs, bytes, events };
}
