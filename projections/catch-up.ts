/** Reads commits for a projection that lags behind, while the leader goes on. */
import type { Partition } from '../protocols/ids.js';
import { Chain } from '../streams/chain.js';
import { committedOf, type Committed } from '../streams/committed.js';
import type { Stored } from '../streams/journal.js';

export type ReadStored = (seq: number) => Promise<Stored | undefined>;

export interface CatchUpOptions {
  readonly partition: Partition;
  readonly read: ReadStored;
  /** Asked before a position is read, and again before its commit is passed on. */
  goesOn(seq: number): boolean;
  follow(commit: Committed): void;
}

/**
 * One position after the other, from the beginning of the journal: only the chain shows which messages are ours.
 * @throws RepriseError for a journal that cannot be read
 */
export async function catchUp({ partition, read, goesOn, follow }: CatchUpOptions): Promise<void> {
  const chain = new Chain(partition);
  for (let seq = 1; goesOn(seq); seq += 1) {
    const stored = await read(seq);
    if (!goesOn(seq)) return;
    // Where a message is missing, the chain breaks at the next one.
    const accepted = stored && chain.accept(stored);
    if (accepted?.kind !== 'commit') continue;
    follow(committedOf(accepted.commit, partition, seq, chain.head!.hash, accepted.bytes));
  }
}
