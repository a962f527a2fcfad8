/** What the worker's tests share: a real server, a fake leader, a worker in this process, and patience. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Performer } from '../../worker/performer/performer.js';
import type { WorkerLog } from '../../worker/process.js';
import { startWorker, type StartWorkerOptions, type StartedWorker } from '../../worker/start.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';

export const silent: WorkerLog = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

function ignore(): void {}

export async function freshServer(): Promise<RunningServer & { remove: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'reprise-worker-'));
  const server = await startServer({ dataDir });
  const remove = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ...server, remove };
}

export async function until(met: () => boolean, timeoutMs = 5_000): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  while (!met() && performance.now() < endMs) await wait(5);
  return met();
}

export function work(
  url: string,
  performers: readonly Performer[],
  options: Partial<StartWorkerOptions> = {},
): Promise<StartedWorker> {
  return startWorker({ url, namespace: 'test', performers, log: silent, ...options });
}
