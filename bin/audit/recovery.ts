/**
 * Starts a server on a copy of a damaged folder. A stream whose configuration is damaged keeps the server from ever
 * being healthy; it is taken out of the copy, so that it is found missing and the others can be looked at.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RepriseError } from '../../protocols/errors.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';

const LOOK_EVERY_MS = 100;
const LOST = /stream '[^']* > ([^']+)' could not be recovered/;

export async function startOnCopy(copy: string): Promise<RunningServer> {
  for (;;) {
    const looking = new AbortController();
    const starting = startServer({ dataDir: copy });
    const lost = await Promise.race([starting.then(() => undefined, lostIn), lostStream(copy, looking.signal)]).finally(() => looking.abort());
    if (lost === undefined) return starting;
    if (lost.pid !== undefined) process.kill(lost.pid, 'SIGTERM');
    await starting.catch(() => undefined);
    await remove(copy, lost.stream);
  }
}

interface Lost {
  readonly stream: string;
  readonly pid?: number;
}

function lostIn(error: unknown): Lost {
  const stream = error instanceof Error ? LOST.exec(error.message)?.[1] : undefined;
  if (stream === undefined) throw error;
  return { stream };
}

/** Resolves when the server says that it lost a stream; never, when it does not. */
async function lostStream(copy: string, signal: AbortSignal): Promise<Lost> {
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => new Promise<never>(() => undefined));
    const said = await health(join(copy, 'ports'));
    const stream = LOST.exec(said?.text ?? '')?.[1];
    if (said && stream) return { stream, pid: said.pid };
  }
}

/** What the server that is starting says of its health, and its process. */
async function health(ports: string): Promise<{ text: string; pid: number } | undefined> {
  try {
    const [name] = (await readdir(ports)).filter((file) => file.endsWith('.ports'));
    const { monitoring } = JSON.parse(await readFile(join(ports, name!), 'utf8')) as { monitoring: string[] };
    const { error } = (await (await fetch(`${monitoring[0]}/healthz`)).json()) as { error?: string };
    return { text: error ?? '', pid: Number(/_(\d+)\.ports$/.exec(name!)![1]) };
  } catch {
    // It does not listen yet, or not any more.
    return undefined;
  }
}

async function remove(copy: string, stream: string): Promise<void> {
  const folders = (await readdir(copy, { recursive: true })).filter((path) => /[\\/]streams[\\/][^\\/]+$/.test(path) && basename(path) === stream);
  if (folders.length === 0) throw new RepriseError('SERVER_FAILED', `The server cannot recover the stream ${stream}, and there is no folder of that name.`);
  for (const folder of folders) await rm(join(copy, folder), { recursive: true });
}
