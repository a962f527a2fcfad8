/** What follows the journal (projections) gets of every commit, whether just written or replayed. */
import type { Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import type { EncodedEvent } from './batch.js';

export interface Committed {
  readonly partition: Partition;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly nowMs: number;
  /** As it lies in the journal. */
  readonly bytes: Uint8Array;
  readonly events: readonly EncodedEvent[];
}

export interface Follower {
  follow(committed: Committed): void;
}

/** A replayed commit, in the same form as one just written. Its events are encoded again only if somebody looks. */
export function committedOf(commit: journal.Commit, partition: Partition, seq: number, hash: Uint8Array, bytes: Uint8Array): Committed {
  const events = commit.events.map((event): EncodedEvent => ({
    kind: event.kind ?? '', id: event.id ?? '', type: event.type ?? '',
    get bytes() {
      return journal.Event.encode(event).finish();
    },
  }));
  return { partition, seq, hash, nowMs: commit.nowMs, bytes, events };
}
