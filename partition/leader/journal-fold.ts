/** Folds the state of a partition from its journal during a take-over. */
import type { Logger } from 'pino';
import { whyAside } from '../../actors/actor/aside.js';
import type { CastMember } from '../../actors/cast.js';
import type { Partition } from '../../protocols/ids.js';
import type { Keyring } from '../../protocols/keyring.js';
import type { journal } from '../../protocols/messages.js';
import type { PartBytes } from '../../actors/rows/parts.js';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import { READER, type Head } from '../../streams/chain.js';
import { headOfSnapshot, SNAPSHOT_VERSION } from '../../streams/snapshots/manifest.js';
import type { SnapshotStore, StoredSnapshot } from '../../streams/snapshots/store.js';
import { randomSalts } from '../../streams/salts.js';
import { WITNESS, type KnownHead } from '../../streams/takeover.js';
import { committedOf, type Follower } from '../../streams/committed.js';
import { PartitionCore } from '../core/core.js';
import { thaw } from '../core/state.js';

export interface FoldOptions {
  readonly partition: Partition;
  readonly kinds: readonly CastMember[];
  readonly keyring: Keyring;
  readonly maxCommitBytes: number;
  /** Of this build, such as `0.3.0`. */
  readonly release: string;
  readonly followers: readonly Follower[];
  readonly log: Logger;
}

/**
 * One fold of a journal, from the newest snapshot that can be used. Projections get its commits too, and skip those
 * before their checkpoints.
 */
export class Fold {
  core: PartitionCore;
  known: readonly KnownHead[] = [];
  /** The head of the snapshot that it began with. */
  snapshot: Head | undefined;
  /** Of the commits that were folded, in bytes. */
  foldedBytes = 0;
  private foreign = { messages: 0, first: 0, last: 0, why: '' };

  constructor(private readonly options: FoldOptions) {
    this.core = this.newCore();
  }

  /** Begins with the newest snapshot up to a position that can be used, or with nothing. */
  async resume(store: Pick<SnapshotStore, 'list' | 'read'>, upToSeq: number): Promise<void> {
    const { partition, log } = this.options;
    for (const snapshot of await store.list(partition)) {
      if (!snapshot.isVerified || snapshot.seq > upToSeq) continue;
      try {
        this.core = this.newCore();
        thaw(this.core.state, await this.read(store, snapshot));
        this.snapshot = headOfSnapshot(snapshot);
        return;
      } catch (error) {
        // A server that cannot be reached says nothing of the snapshot.
        if (error instanceof RepriseError && error.code !== 'SNAPSHOT_BROKEN') throw error;
        log.warn({ partition, seq: snapshot.seq, why: messageOf(error) }, 'a snapshot is passed over');
      }
    }
    this.core = this.newCore();
  }

  /** Where the journal is read from: at the snapshot, or earlier if a projection needs what is before it. */
  get begin(): Head | undefined {
    const { snapshot, options: { followers } } = this;
    if (snapshot === undefined) return undefined;
    let begin = snapshot;
    // Time and epoch of an earlier head are not known, and not needed: the commits up to the snapshot follow.
    for (const { after } of followers) if (after.seq < begin.seq) begin = { ...snapshot, ...after };
    return begin.seq === 0 ? undefined : begin;
  }

  private newCore(): PartitionCore {
    return new PartitionCore({ ...this.options, salts: randomSalts() });
  }

  private read(store: Pick<SnapshotStore, 'read'>, snapshot: StoredSnapshot): Promise<PartBytes> {
    const { version, minReader, release } = snapshot;
    if (version <= SNAPSHOT_VERSION && minReader <= READER) return store.read(snapshot.name, snapshot);
    throw new RepriseError('SNAPSHOT_BROKEN', `The snapshot ${snapshot.name} is of the newer release ${release}.`);
  }

  commit(commit: journal.Commit, seq: number, bytes: Uint8Array, head: Head): void {
    if (seq > (this.snapshot?.seq ?? 0)) {
      this.core.replay(commit, seq);
      this.foldedBytes += bytes.length;
    }
    const { followers, partition } = this.options;
    for (const follower of followers) follower.follow(committedOf(commit, partition, seq, head.hash, bytes));
  }

  private alarmOfAside(): void {
    const { aside } = this.core.state;
    if (aside.size === 0) return;
    const { log, partition } = this.options;
    const setAside: Record<string, number> = {};
    for (const { kind } of aside) setAside[kind] = (setAside[kind] ?? 0) + 1;
    const [first] = aside;
    const hint = '`reprise doctor` lists them.';
    log.warn(
      { partition, setAside, first: first && `${first.kind}/${first.id}: ${whyAside(first)}`, hint },
      'actors are set aside, because stored events of theirs cannot be folded; all others go on',
    );
  }

  skip(seq: number, why: string): void {
    this.foreign = { messages: this.foreign.messages + 1, first: this.foreign.first || seq, last: seq, why };
  }

  /** Logs what an operator must look into, although the partition can be led. */
  alarm(epoch: number): void {
    const { log, partition } = this.options;
    if (this.foreign.messages > 0) {
      log.warn({ partition, ...this.foreign }, 'foreign messages in the journal are skipped');
    }
    this.alarmOfAside();
    if (epoch > 1 && !this.known.some(({ from }) => from === WITNESS)) {
      const known = this.known.map(({ seq, from }) => `${seq} by ${from}`);
      log.warn(
        { partition, known },
        'the witness knows no head of this journal: it was emptied, and a lost tail would not be noticed',
      );
    }
  }
}
