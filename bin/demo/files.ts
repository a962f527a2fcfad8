/** Which files the demo compresses: always the same ones of an installation, so that two runs can be compared. */
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
  /** Enough files are chosen when both are reached. */
  readonly bytes: number;
  readonly least: number;
}

/** One large file at the end of the list would leave all but one core idle. */
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
  throw new RepriseError('USAGE', `There is no node_modules in or above ${PACKAGE_FOLDER}.`, { hint: 'Run `npm ci` first.' });
}

/** Sorted by code units, which no language setting changes. What tools keep in folders with a dot comes and goes. */
async function pathsIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((path) => !relative(root, path).split(sep)[0]!.startsWith('.')).sort();
}
