/** Names the sorted runs of a folder that count, and the commit up to which they are complete. Replaced by a rename. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeAtomically } from '../../streams/write-atomically.js';
import { BrokenIndex } from './block.js';
import type { Header } from './block.js';

/** A newer version is not read: the index is made again. */
const VERSION = 1;
const NAME = 'manifest.json';

export interface Manifest {
  readonly version: number;
  readonly journalId: string;
  readonly partition: number;
  /** The last commit whose entries are in the runs. */
  readonly seq: number;
  /** Of that commit, in hexadecimal. */
  readonly hash: string;
  /** Number of the next run. */
  readonly next: number;
  /** Oldest first. */
  readonly runs: readonly Header[];
}

/** @returns undefined if there is none @throws BrokenIndex */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const text = await readFile(join(folder, NAME), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new BrokenIndex(error.message);
  });
  if (text === undefined) return undefined;
  const [, body = '', sum] = /^(\{.*\})\n(\d+)\n$/.exec(text) ?? [];
  if (sum !== String(crc32(body))) throw new BrokenIndex('the manifest is damaged');
  const manifest = JSON.parse(body) as Manifest;
  if (manifest.version !== VERSION) throw new BrokenIndex(`the manifest has version ${manifest.version}`);
  return manifest;
}

/** @param onChange called after every change of a file */
export async function writeManifest(
  folder: string, manifest: Omit<Manifest, 'version'>, onChange: () => void,
): Promise<void> {
  const path = join(folder, NAME);
  const body = JSON.stringify({ version: VERSION, ...manifest } satisfies Manifest);
  await writeAtomically(path, `${path}.tmp`, [`${body}\n${crc32(body)}\n`], async (from, to) => {
    onChange();
    await rename(from, to);
    onChange();
  });
}
