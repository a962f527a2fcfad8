/** Folds the state of a partition from its journal during a take-over. */
import type { Logger } from 'pino';
import { whyAside } from '../../actors/actor/aside.js';
import type { CastMember } from '../../actors/cast.js';
import type { Partition } from '../../protocols/ids.js';
import type { Keyring } from '../../protocols/keyring.js';
import type { journal } from '../../protocols/messages.js';
import type { Head } from '../../streams/chain.js';
import { randomSalts } from '../../streams/salts.js';
import { WITNESS, type KnownHead } from '../../streams/takeover.js';
import { committedOf, type Follower } from '../../streams/committed.js';
import { PartitionCore } from '../core/core.js';

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

/** One fold of the whole journal. Projections get its commits too, and skip those before their checkpoints. */
export class Fold {
  readonly core: PartitionCore;
  known: readonly KnownHead[] = [];
  private foreign = { messages: 0, first: 0, last: 0, why: '' };

  constructor(private readonly options: FoldOptions) {
    this.core = new PartitionCore({ ...options, salts: randomSalts() });
  }

  commit(commit: journal.Commit, seq: number, bytes: Uint8Array, head: Head): void {
    this.core.replay(commit, seq);
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
