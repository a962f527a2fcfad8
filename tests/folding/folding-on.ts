/** Folding on from a snapshot at any commit, through the format that is stored, and from segments that end anywhere. */
import { Archiver } from '../../partition/archiver/archiver.js';
import type { PartitionCore } from '../../partition/core/core.js';
import { freeze, placesOf, thaw, viewOf } from '../../partition/core/state.js';
import type { PartBytes } from '../../actors/rows/parts.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import type { journal } from '../../protocols/messages.js';
import { openArchive } from '../../streams/archive/archive.js';
import { archiveBehind } from '../../streams/archive/behind.js';
import { MemoryStore } from '../../streams/archive/conformance/stores.js';
import { Chain } from '../../streams/chain.js';
import { decodeCommit } from '../../streams/contents.js';
import type { Journal, Stored } from '../../streams/journal.js';
import { MemoryStream } from '../../streams/memory.js';
import { readingThrough } from '../../streams/reading-through.js';
import { blocksOf, partsIn } from '../../streams/snapshots/blocks.js';
import { hashOf } from '../poisoned.js';

export interface Commit {
  readonly seq: number;
  readonly commit: journal.Commit;
}

export const commitsOf = (all: readonly Uint8Array[]): Commit[] =>
  all.map((bytes, nth) => ({ seq: nth + 1, commit: decodeCommit(bytes) }));

/** What of the stored messages is commits. */
export function acceptedOf(all: readonly Stored[], partition: Partition): Commit[] {
  const chain = new Chain(partition);
  return all.flatMap((stored) => {
    const accepted = chain.accept(stored);
    return accepted.kind === 'commit' ? [{ seq: accepted.seq, commit: accepted.commit as journal.Commit }] : [];
  });
}

/** As it is written and read. */
async function through({ state }: PartitionCore): Promise<PartBytes> {
  const parts = new Map<string, Buffer>();
  for await (const { name, bytes } of partsIn(blocksOf(freeze(state)))) parts.set(name, bytes);
  return parts;
}

const seen = ({ state }: PartitionCore): string => JSON.stringify([viewOf(state), placesOf(state)]);

/**
 * @param at how many commits are folded before the snapshot, for each try
 * @returns where folding on leads to another state than folding from the start
 */
export async function wrongFrom(
  commits: readonly Commit[], fresh: () => PartitionCore, at: readonly number[],
): Promise<string | undefined> {
  const whole = fresh();
  const hashes: string[] = [];
  const frozen = new Map<number, PartBytes>();
  for (const [nth, { seq, commit }] of commits.entries()) {
    if (at.includes(nth)) frozen.set(nth, await through(whole));
    whole.replay(commit, seq);
    hashes.push(hashOf(whole));
  }
  for (const [from, parts] of frozen) {
    const resumed = fresh();
    thaw(resumed.state, parts);
    for (const [nth, { seq, commit }] of commits.entries()) {
      if (nth < from) continue;
      resumed.replay(commit, seq);
      if (hashOf(resumed) !== hashes[nth]) return `at ${seq}, from a snapshot after ${from} commits`;
    }
    if (seen(resumed) !== seen(whole)) return `the view, from a snapshot after ${from} commits`;
  }
  return undefined;
}

/** @returns where the fold of archive and journal differs, for a journal that is cut behind any of its segments */
export async function wrongAcross(
  all: readonly Stored[], fresh: () => PartitionCore, partition: Partition, segmentBytes: number,
): Promise<string | undefined> {
  const store = new MemoryStore();
  const ends: number[] = [];
  const archiver = new Archiver({
    journal: await streamOf(all, partition).open(), policy: { segmentBytes, intervalMs: 0 }, monoMs: () => 0,
    goesOn: () => true, openArchive: (of) => openArchive(store, NS, partition, of),
    onArchived: ({ seq }) => void ends.push(seq),
  });
  await archiver.step();
  const wanted = await foldedThrough(await streamOf(all, partition).open(), fresh);
  for (const end of ends) {
    const stream = streamOf(all, partition);
    stream.truncate(Math.min(end + 1, stream.lastSeq));
    const journal = readingThrough(await stream.open(), (of) => archiveBehind(store, NS, of));
    const found = await foldedThrough(journal, fresh);
    if (found !== wanted) return `behind the segment that ends at ${end}`;
  }
  return ends.length < 3 ? `there are only ${ends.length} segments` : undefined;
}

const NS = 'test' as Namespace;

async function foldedThrough(journal: Journal, fresh: () => PartitionCore): Promise<string> {
  const chain = new Chain(journal.partition);
  const core = fresh();
  for await (const stored of journal.replay(1)) {
    const accepted = chain.accept(stored);
    if (accepted.kind === 'commit') core.replay(accepted.commit as journal.Commit, accepted.seq);
  }
  return `${hashOf(core)} ${seen(core)}`;
}

function streamOf(all: readonly Stored[], partition: Partition): MemoryStream {
  const stream = new MemoryStream(partition);
  for (const { bytes } of all) stream.write(bytes);
  return stream;
}
