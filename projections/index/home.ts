/**
 * Where the index of a partition lies. A namespace and partition has a few folders, its slots. A broker takes one that
 * no other process uses, rather the one with an index of its journal. So the disk that is used stays bounded,
 * however many journals there were, and two brokers on one machine have an index each.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../streams/server/folder.js';
import type { Checkpoint } from '../projection.js';
import { BrokenIndex } from './block.js';
import { lockFolder, type Release } from './lock.js';
import { readManifest, type Manifest } from './manifest.js';

const SLOTS = 4;

export interface Home {
  readonly folder: string;
  readonly release: Release;
  /** Of an index of this journal. */
  readonly manifest: Manifest | undefined;
}

interface Slot extends Omit<Home, 'manifest'> {
  readonly manifest: Manifest | undefined;
  readonly isOurs: boolean;
  /** Unix milliseconds; 0 if it is empty. */
  readonly usedMs: number;
}

export interface HomeOptions {
  readonly root: string;
  /** Of the namespace and partition. */
  readonly name: string;
  isInJournal(checkpoint: Checkpoint): Promise<boolean>;
  /** An index cannot be used. */
  onBroken(folder: string, error: Error): void;
}

/** @throws an error of the file system, or of `isInJournal` */
export async function takeHome(options: HomeOptions): Promise<Home> {
  const free: Slot[] = [];
  try {
    for (let nth = 0; nth < SLOTS; nth += 1) {
      const folder = join(options.root, `${options.name}.${nth}`);
      if (free.some(({ isOurs }) => isOurs) && !existsSync(folder)) break;
      const slot = await look(folder, options);
      if (slot) free.push(slot);
      if (slot?.usedMs === 0) break;
    }
  } catch (error) {
    for (const { release } of free) await release();
    throw error;
  }
  const [best, ...others] = free.sort(better);
  for (const { release } of others) await release();
  if (best === undefined) return temporary();
  const { folder, release, manifest, isOurs } = best;
  return { folder, release, manifest: isOurs ? manifest : undefined };
}

const seqOf = ({ isOurs, manifest }: Slot): number => (isOurs ? manifest!.seq : -1);

/** The index that is farthest; then an empty slot, then the one that was not used for the longest time. */
const better = (a: Slot, b: Slot): number => seqOf(b) - seqOf(a) || a.usedMs - b.usedMs;

async function look(folder: string, options: HomeOptions): Promise<Slot | undefined> {
  await makeFolder(folder);
  const release = await lockFolder(folder);
  if (release === undefined) return undefined;
  try {
    const manifest = await manifestOf(folder, options);
    const usedMs = await stat(join(folder, 'manifest.json')).then(({ mtimeMs }) => mtimeMs, () => 0);
    const isOurs = manifest !== undefined && (await options.isInJournal(checkpointOf(manifest)));
    return { folder, release, manifest, isOurs, usedMs };
  } catch (error) {
    await release();
    throw error;
  }
}

const checkpointOf = ({ seq, hash }: Manifest): Checkpoint => ({ seq, hash: Buffer.from(hash, 'hex') });

async function manifestOf(folder: string, { onBroken }: HomeOptions): Promise<Manifest | undefined> {
  try {
    return await readManifest(folder);
  } catch (error) {
    if (!(error instanceof BrokenIndex)) throw error;
    onBroken(folder, error);
    return undefined;
  }
}

/** All slots are in use. */
async function temporary(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-index-'));
  return { folder, release: () => rm(folder, { recursive: true, force: true }), manifest: undefined };
}
