/**
 * Takes snapshots of a partition's state while a leader goes on. The state is frozen at the end of a commit, which
 * takes a moment; it is written when that commit is acknowledged.
 */
import { setImmediate as soon } from 'node:timers/promises';
import type { Logger } from 'pino';
import { stateHash } from '../../actors/rows/parts.js';
import type { CastMember } from '../../actors/cast.js';
import { messageOf } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import type { StatePart } from '../../streams/snapshots/blocks.js';
import { SNAPSHOT_VERSION, type Manifest } from '../../streams/snapshots/manifest.js';
import { SNAPSHOTS_KEPT, type SnapshotStore, type StoredSnapshot, type Taken } from '../../streams/snapshots/store.js';
import type { PartitionCore } from '../core/core.js';
import { freeze, type PartitionState } from '../core/state.js';
import type { Clock } from './leader-time.js';

/** When a snapshot is due: after so many bytes of commits, and so many times its own size, since the last one. */
export interface SnapshotPolicy {
  readonly leastBytes: number;
  readonly times: number;
  /** After this time fewer bytes are enough. */
  readonly idleMs: number;
  readonly idleBytes: number;
}

const SNAPSHOTS: SnapshotPolicy = {
  leastBytes: 128 * 1024 * 1024, times: 8, idleMs: 60_000, idleBytes: 8 * 1024 * 1024,
};
const RETRY_MS = 30_000;
/** Pages that are hashed in one turn of the loop: about a millisecond. */
const AT_ONCE = 2;

export interface SnapshotterOptions {
  readonly partition: Partition;
  readonly kinds: readonly CastMember[];
  readonly store: Pick<SnapshotStore, 'list' | 'write' | 'remove'>;
  readonly release: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy?: SnapshotPolicy | undefined;
}

const ENDED: Taken = { kind: 'failed', message: 'this broker does not lead any more' };

interface Frozen {
  readonly seq: number;
  readonly parts: readonly StatePart[];
  readonly frozeMs: number;
}

/** Hashes are kept, so that later none of them is made at once with the others. */
async function hashed(parts: readonly StatePart[]): Promise<void> {
  for (const [nth, part] of parts.entries()) {
    part.hash();
    if (nth % AT_ONCE === AT_ONCE - 1) await soon();
  }
}

export class Snapshotter {
  /** Bytes of commits since the last snapshot. */
  private bytes = 0;
  private lastBytes = 0;
  private lastMonoMs: number;
  private notBeforeMonoMs = 0;
  private frozen: Frozen | undefined;
  private writing: Promise<void> | undefined;
  /** Those who asked for the next one. */
  private asked: ((taken: Taken) => void)[] = [];
  private readonly policy: SnapshotPolicy;
  private ended = false;

  constructor(private readonly options: SnapshotterOptions) {
    this.lastMonoMs = options.clock.monoMs();
    this.policy = options.policy ?? SNAPSHOTS;
  }

  /** What a take-over had to read counts as well. */
  count(bytes: number): void {
    this.bytes += bytes;
  }

  /** As soon as a commit ends. */
  ask(): Promise<Taken> {
    if (this.ended) return Promise.resolve(ENDED);
    return new Promise((resolve) => this.asked.push(resolve));
  }

  /** A commit is about to be appended. The snapshot counts when the last one that was decided is acknowledged. */
  ending(core: PartitionCore): void {
    if (!this.isDue || !core.endCommit()) return;
    this.freeze(core.state);
  }

  /** Nothing is being appended. @param head of the last commit */
  idle(core: PartitionCore, head: Head): void {
    if (!this.isDue || core.state.seq !== head.seq || !core.endCommit()) return;
    this.freeze(core.state);
    this.committed(head, 0);
  }

  private get isDue(): boolean {
    if (this.ended || this.frozen !== undefined || this.writing !== undefined) return false;
    return this.asked.length > 0 || this.isDueByBytes();
  }

  private freeze(state: PartitionState): void {
    const started = this.options.clock.monoMs();
    const parts = freeze(state);
    this.frozen = { seq: state.seq, parts, frozeMs: this.options.clock.monoMs() - started };
  }

  /** A commit was acknowledged. */
  committed(head: Head, bytes: number): void {
    this.bytes += bytes;
    if (this.frozen?.seq !== head.seq) return;
    const { frozen } = this;
    this.frozen = undefined;
    this.bytes = 0;
    this.writing = this.take(frozen, head).finally(() => (this.writing = undefined));
  }

  /** Resolves when nothing is written any more. */
  async end(): Promise<void> {
    this.ended = true;
    this.frozen = undefined;
    for (const asked of this.asked.splice(0)) asked(ENDED);
    await this.writing;
  }

  private isDueByBytes(): boolean {
    const monoMs = this.options.clock.monoMs();
    if (monoMs < this.notBeforeMonoMs) return false;
    const { leastBytes, times, idleMs, idleBytes } = this.policy;
    if (this.bytes >= Math.max(leastBytes, times * this.lastBytes)) return true;
    return monoMs >= this.lastMonoMs + idleMs && this.bytes >= Math.max(idleBytes, this.lastBytes);
  }

  private async take({ parts, frozeMs }: Frozen, head: Head): Promise<void> {
    const { partition, store, log, clock } = this.options;
    const asked = this.asked.splice(0);
    const started = clock.monoMs();
    try {
      await hashed(parts);
      const snapshot = await store.write(this.manifest(parts, head), parts);
      this.lastBytes = snapshot.bytes;
      this.lastMonoMs = clock.monoMs();
      const { seq, bytes } = snapshot;
      const tookMs = Math.round(clock.monoMs() - started);
      log.info({ partition, seq, bytes, frozeMs: Math.round(frozeMs), tookMs }, 'snapshot');
      for (const each of asked) each({ kind: 'taken', snapshot });
      await this.prune(snapshot);
    } catch (error) {
      this.notBeforeMonoMs = clock.monoMs() + RETRY_MS;
      log.warn({ partition, err: error }, 'a snapshot could not be taken; the journal keeps everything meanwhile');
      for (const each of asked) each({ kind: 'failed', message: messageOf(error) });
    }
  }

  private manifest(parts: readonly StatePart[], head: Head): Omit<Manifest, 'isVerified'> {
    const { partition, kinds, release, clock } = this.options;
    const events = Object.fromEntries(kinds.map(({ kind }) => [
      kind.name, Object.fromEntries(Object.entries(kind.events).map(([type, { version }]) => [type, version])),
    ]));
    const { journalId, seq, epoch, nowMs, minReader } = head;
    return {
      version: SNAPSHOT_VERSION, journalId, partition, seq, hash: Buffer.from(head.hash).toString('hex'), epoch, nowMs,
      minReader, stateHash: stateHash(parts).toString('hex'), parts: parts.length, events, release,
      takenMs: clock.nowMs(),
    };
  }

  /** Removes all but the newest verified ones, and what was left half written before this one. */
  private async prune({ seq, takenMs }: StoredSnapshot): Promise<void> {
    const all = await this.options.store.list(this.options.partition);
    const verified = all.filter(({ isVerified }) => isVerified).slice(0, SNAPSHOTS_KEPT);
    const isKept = (each: StoredSnapshot): boolean =>
      verified.includes(each) || (!each.isVerified && each.seq >= seq && each.takenMs > takenMs);
    for (const each of all) if (!isKept(each)) await this.options.store.remove(each.name);
  }
}
