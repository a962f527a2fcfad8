/** Finds installed programs. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** @param elsewhere folders to search after those on PATH */
export async function findProgram(name: string, elsewhere: readonly string[] = []): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...elsewhere]) {
    const path = join(folder, name);
    if (folder !== '' && (await access(path, constants.X_OK).then(() => true, () => false))) return path;
  }
  return undefined;
}

/** On Debian each version of PostgreSQL has its own folder, which is not on PATH. Newest first. */
export async function postgresFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => [] as string[]);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
}

export async function outputOf(program: string, ...parameters: string[]): Promise<string> {
  return (await promisify(execFile)(program, parameters)).stdout.trim();
}
