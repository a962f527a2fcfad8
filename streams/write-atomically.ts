/** Files that are there as a whole or not at all, also after a power cut. */
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes under a temporary name in the same folder, syncs, and publishes, which also is synced. What fails leaves
 * nothing behind.
 * @param publish gives the file its name: a rename replaces, a link does not
 * @throws an error of the file system, or of `publish`
 */
export async function writeAtomically<T>(
  path: string, temporary: string, parts: readonly (Uint8Array | string)[],
  publish: (from: string, to: string) => Promise<T>,
): Promise<T> {
  try {
    await writeSynced(temporary, parts);
    const published = await publish(temporary, path);
    await syncFolder(dirname(path));
    return published;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function writeSynced(path: string, parts: readonly (Uint8Array | string)[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** So that a new name, or one that is gone, outlives a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
