/** The state of a partition, folded from its journal by who is about to lead it. */
import type { Logger } from 'pino';
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
  readonly followers: readonly Follower[];
  readonly log: Logger;
}

/** One folding of the journal from its start, which projections take part in from their own checkpoints on. */
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

  skip(seq: number, why: string): void {
    this.foreign = { messages: this.foreign.messages + 1, first: this.foreign.first || seq, last: seq, why };
  }

  /** What keeps nobody from leading, but somebody must look at. */
  alarm(epoch: number): void {
    const { log, partition } = this.options;
    if (this.foreign.messages > 0) log.warn({ partition, ...this.foreign }, 'messages of strangers in the journal are skipped');
    if (epoch > 1 && !this.known.some(({ from }) => from === WITNESS)) {
      log.warn({ partition, known: this.known.map(({ seq, from }) => `${seq} by ${from}`) }, 'the witness knows no head of this journal: it was emptied, and a lost tail would not be noticed');
    }
  }
}
