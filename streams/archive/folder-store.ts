/** An archive in a folder. An object is a file that was written under a temporary name, synced and renamed. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncFolder, writeAtomically } from '../write-atomically.js';
import { checkName, checkPrefix, unreachable, type ArchiveStore, type ByteRange } from './store.js';

/** No object's name has a part that begins with a dot. */
const TEMPORARY = '.writing-';

export class FolderStore implements ArchiveStore {
  readonly location: string;

  constructor(folder: string) {
    this.location = resolve(folder);
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    await this.write(name, parts, async (from, to) => {
      await rename(from, to);
      return true;
    });
  }

  async create(name: string, parts: readonly Uint8Array[]): Promise<boolean> {
    // Unlike a rename, a link is refused if the name is taken.
    return await this.write(name, parts, async (from, to) => {
      const isNew = await link(from, to).then(() => true, (error: unknown) => {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      });
      await rm(from);
      return isNew;
    });
  }

  async get(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    checkName(name);
    try {
      const file = await open(join(this.location, name), 'r');
      try {
        return range === undefined ? await file.readFile() : await readRange(file, range);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unreachable(`Reading ${name} in ${this.location}`, error);
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    checkPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const names = await this.namesIn(folder).catch((error: unknown) => {
      throw unreachable(`Listing ${this.location}`, error);
    });
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    const path = join(this.location, name);
    try {
      await rm(path);
      await syncFolder(dirname(path));
    } catch (error) {
      if (!isMissing(error)) throw unreachable(`Removing ${name} in ${this.location}`, error);
    }
  }

  close(): void {
    // No file stays open.
  }

  private async write(
    name: string, parts: readonly Uint8Array[], publish: (from: string, to: string) => Promise<boolean>,
  ): Promise<boolean> {
    checkName(name);
    const path = join(this.location, name);
    const temporary = join(dirname(path), `${TEMPORARY}${randomBytes(8).toString('hex')}`);
    try {
      await makeFolder(dirname(path));
      return await writeAtomically(path, temporary, parts, publish);
    } catch (error) {
      throw unreachable(`Writing ${name} in ${this.location}`, error);
    }
  }

  /** @param folder ends with a slash, or is empty */
  private async namesIn(folder: string): Promise<string[]> {
    const entries = await readdir(join(this.location, folder), { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const names = await Promise.all(entries.filter((entry) => !entry.name.startsWith('.')).map(async (entry) => {
      const name = `${folder}${entry.name}`;
      return entry.isDirectory() ? await this.namesIn(`${name}/`) : [name];
    }));
    return names.flat();
  }
}

async function readRange(file: Awaited<ReturnType<typeof open>>, { from, to }: ByteRange): Promise<Uint8Array> {
  const bytes = Buffer.alloc(to - from);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** Each new folder is synced into the one above it. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(codeOf(error)));
