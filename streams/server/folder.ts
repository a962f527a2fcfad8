/** Makes a folder and those above it. The recursive `mkdir` of Node never returns where a file system refuses, as /proc does. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** @throws an error of the file system, also when a file lies there */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above);
  await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
    // Another process was faster.
    if (error.code !== 'EEXIST' || !(await isFolder(path))) throw error;
  });
}

const isFolder = (path: string): Promise<boolean> => stat(path).then((found) => found.isDirectory(), () => false);
