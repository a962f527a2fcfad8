/**
 * Starts a server on a copy of a damaged folder. A stream whose configuration is damaged keeps the server from ever
 * being healthy; it is taken out of the copy, so that it is found missing and the others can be looked at.
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RepriseError } from '../protocols/errors.js';
import { startServer, type RunningServer } from '../streams/server/start.js';

const LOST = /stream '[^']* > ([^']+)' could not be recovered/;

export async function startOnCopy(copy: string): Promise<RunningServer> {
  for (;;) {
    try {
      return await startServer({ dataDir: copy });
    } catch (error) {
      const stream = error instanceof Error ? LOST.exec(error.message)?.[1] : undefined;
      if (stream === undefined) throw error;
      await remove(copy, stream);
    }
  }
}

async function remove(copy: string, stream: string): Promise<void> {
  const folders = (await readdir(copy, { recursive: true })).filter((path) => /[\\/]streams[\\/][^\\/]+$/.test(path) && basename(path) === stream);
  if (folders.length === 0) throw new RepriseError('SERVER_FAILED', `The server cannot recover the stream ${stream}, and there is no folder of that name.`);
  for (const folder of folders) await rm(join(copy, folder), { recursive: true });
}
