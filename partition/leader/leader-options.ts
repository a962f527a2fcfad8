/** What a leader runs on: its partition's core and journal, and what its host does for it. */
import type { Archive } from '../../actors/job/archive.js';
import type { Contents } from '../../actors/reply.js';
import type { JobId, LeaderId } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import type { Follower } from '../../streams/committed.js';
import type { Journal } from '../../streams/journal.js';
import type { PartitionCore } from '../core/core.js';
import type { Broken } from '../core/failing.js';
import type { Receiving } from '../core/deliveries.js';
import type { Deliver } from './courier.js';
import type { Clock } from './leader-time.js';
import type { Snapshotter } from './snapshotter.js';
import type { Undelivered } from './undelivered.js';

export interface LeaderOptions {
  readonly core: PartitionCore;
  readonly journal: Journal;
  readonly head: Head;
  readonly leaderId: LeaderId;
  readonly bytes: Contents & { put(seq: number, commit: Uint8Array): void };
  readonly archive: Archive;
  readonly followers: readonly Follower[];
  readonly clock: Clock;
  readonly snapshots: Snapshotter | undefined;
  /** For how long the leadership is still valid, by this machine's clock. */
  validForMs(): number;
  /** Commands that other partitions may send to this one. */
  readonly receiving: Receiving & Broken;
  readonly deliver: Deliver;
  readonly maxCommitBytes: number;
  onHead(head: Head): void;
  /** The wall clock and the journal's time differ by so many milliseconds; 0: no more than 10 s again. */
  onApart(apartMs: number): void;
  onUndelivered(undelivered: Undelivered): void;
  /** The decision of a request threw, and changed nothing: the leader goes on. */
  onUndecided(error: unknown): void;
  onWithheld(id: JobId, why: string): void;
}
