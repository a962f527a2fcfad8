/**
 * Starts a server on a copy of a damaged folder. A stream with a damaged configuration keeps the server from becoming
 * healthy, so it is removed from the copy: it is then found missing, and the other streams can be verified.
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
  const paths = await readdir(copy, { recursive: true });
  const folders = paths.filter((path) => /[\\/]streams[\\/][^\\/]+$/.test(path) && basename(path) === stream);
  if (folders.length === 0) {
    const message = `The server cannot recover the stream ${stream}, and there is no folder of that name.`;
    throw new RepriseError('SERVER_FAILED', message);
  }
  for (const folder of folders) await rm(join(copy, folder), { recursive: true });
}
