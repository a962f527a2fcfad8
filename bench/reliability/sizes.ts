/** What folders take up on disk, as the file system counts it. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Size {
  readonly bytes: number;
  readonly files: number;
}

const BLOCK_BYTES = 512;

/** @param isWanted by the path below the folder. Files that go meanwhile are left out */
export async function sizeOf(folder: string, isWanted: (path: string) => boolean = () => true): Promise<Size> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let [bytes, files] = [0, 0];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !isWanted(path)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    bytes += found.blocks * BLOCK_BYTES;
    files += 1;
  }
  return { bytes, files };
}
