/** Waits until a server that was just started listens and has recovered its streams. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RepriseError } from '../../protocols/errors.js';
import { healthOf, isWriteError } from './health.js';

export interface Listening {
  readonly pid: number;
  readonly port: number;
  readonly monitoringUrl: string;
}

const LOOK_EVERY_MS = 10;

/**
 * Waits until the server reports that it is healthy. That takes as long as the server needs to read its streams, so
 * there is no time-out: `gone` aborts when the server exits.
 * @throws RepriseError SERVER_FAILED when the server reports that a stream cannot be recovered, which does not pass
 */
export async function untilReady(portsDir: string, gone: AbortSignal): Promise<Listening> {
  let listening: Listening | undefined;
  while (!listening || !(await isUp(listening.monitoringUrl, gone))) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: gone });
    listening ??= await readPorts(portsDir);
  }
  return listening;
}

/** The server writes `<its name>_<its pid>.ports` once it listens. */
async function readPorts(folder: string): Promise<Listening | undefined> {
  for (const name of await readdir(folder)) {
    const pid = /_(\d+)\.ports$/.exec(name)?.[1];
    const found = pid ? parse(await readFile(join(folder, name), 'utf8')) : undefined;
    if (found) return { pid: Number(pid), ...found };
  }
  return undefined;
}

/** Undefined while the file is still being written. */
function parse(text: string): Omit<Listening, 'pid'> | undefined {
  try {
    const { nats, monitoring } = JSON.parse(text) as { nats?: string[]; monitoring?: string[] };
    const port = Number(nats?.[0] && new URL(nats[0]).port);
    return port && monitoring?.[0] ? { port, monitoringUrl: monitoring[0] } : undefined;
  } catch {
    return undefined;
  }
}

/** A server that cannot write is up: its supervisor handles that. */
async function isUp(monitoringUrl: string, gone: AbortSignal): Promise<boolean> {
  const health = await healthOf(monitoringUrl, gone);
  if (!health.ok && health.says.includes('could not be recovered')) {
    const hint = 'Keep the data folder as it is, run `reprise audit verify --data <copy>`, and restore.';
    throw new RepriseError('SERVER_FAILED', `The server cannot read its data: ${health.says}.`, { hint });
  }
  return health.ok || isWriteError(health);
}
