/** The files of an index's folder. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from './manifest.js';

const runName = (run: number): string => `run-${run}`;

export const runPath = (folder: string, run: number): string => join(folder, runName(run));

/** Removes what no manifest names: files of a write that was interrupted. Without a manifest, all but the lock. */
export async function removeUnknown(folder: string, manifest: Manifest | undefined): Promise<void> {
  const known = new Set(manifest && ['manifest.json', ...manifest.runs.map(({ run }) => runName(run))]);
  for (const name of await readdir(folder)) {
    if (!known.has(name) && !name.startsWith('lock')) await rm(join(folder, name), { recursive: true, force: true });
  }
}
