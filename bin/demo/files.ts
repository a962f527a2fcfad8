/** Chooses the files that the demo compresses: the same ones on every run, so that runs can be compared. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { RepriseError } from '../../protocols/errors.js';
import { PACKAGE_FOLDER } from '../self.js';

export interface WorkFile {
  readonly path: string;
  readonly bytes: number;
}

export interface Wanted {
  /** Files are chosen until both numbers are reached. */
  readonly bytes: number;
  readonly least: number;
}

/** A large file at the end of the list would leave all cores but one idle. */
const LARGEST = 200 * 1024;

/** In the order of their paths, no two with the same content. */
export async function chooseFiles({ bytes, least }: Wanted): Promise<WorkFile[]> {
  const root = await installed();
  const chosen: WorkFile[] = [];
  const contents = new Set<string>();
  let sum = 0;
  for (const path of await pathsIn(root)) {
    if (sum >= bytes && chosen.length >= least) break;
    const { size } = await stat(path);
    if (size === 0 || size > LARGEST) continue;
    const content = createHash('sha256').update(await readFile(path)).digest('base64');
    if (contents.has(content)) continue;
    contents.add(content);
    chosen.push({ path, bytes: size });
    sum += size;
  }
  return chosen;
}

/** The node_modules of the checkout, or the one that this package was installed into. */
async function installed(): Promise<string> {
  for (let folder = PACKAGE_FOLDER; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules');
    if ((await stat(candidate).catch(() => undefined))?.isDirectory()) return candidate;
  }
  const message = `There is no node_modules in or above ${PACKAGE_FOLDER}.`;
  throw new RepriseError('USAGE', message, { hint: 'Run `npm ci` first.' });
}

/** Sorted by code units, whatever the locale. Tools change what is in folders with a dot, so these are left out. */
async function pathsIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((path) => !relative(root, path).split(sep)[0]!.startsWith('.')).sort();
}
