/** A worker as a process of its own. What it imports decides how fast it starts and how small it stays. */
import type { Logger } from 'pino';
import { loadPerformers } from '../worker/load.js';
import { startWorker, type StartedWorker } from '../worker/start.js';
import type { WorkerFlags } from './commands/worker.js';
import { locate } from './locate.js';
import { logger } from './log.js';
import { version } from './self.js';
import { endWithin, tellReady, untilAsked } from './shutdown.js';

const GRACE_MS = 10_000;
/** Draining, aborting what does not end, and saying goodbye take a little longer than the grace. */
const STOP_WITHIN_MS = GRACE_MS + 10_000;
/** A parent that died took the broker along, so there is nobody left to report to. */
const ORPHAN_STOP_WITHIN_MS = 3_000;

export async function runWorker(paths: readonly string[], flags: WorkerFlags): Promise<void> {
  const asked = untilAsked();
  const { url, namespace } = locate(flags);
  const log = logger('worker');
  const loaded = await loadPerformers(paths);
  const worker = await startWorker({
    url, namespace, log,
    performers: loaded.map(({ performer }) => performer),
    concurrency: flags.concurrency,
    queues: flags.queues ?? [],
    ...(flags.id !== undefined && { workerId: flags.id }),
    software: `reprise ${version()}`,
    graceMs: GRACE_MS,
  });
  const types = loaded.map(({ performer }) => performer.type);
  log.info({ workerId: worker.workerId, types, concurrency: flags.concurrency }, 'ready');
  tellReady({ serves: types });
  const why = await Promise.race([asked, worker.stopped.then(() => 'stopped' as const), untilBroken(log)]);
  const code = why === 'broken' ? 1 : 0;
  if (why !== 'stopped') await stop(worker, why === 'disconnect' ? ORPHAN_STOP_WITHIN_MS : STOP_WITHIN_MS, code);
  log.info({ workerId: worker.workerId, why }, 'ended');
  process.exit(code);
}

/**
 * Code of a performer may leave a promise behind that nobody awaits, or throw in a timer. What the process is worth after
 * that nobody knows, so it goes, but in good order: the jobs beside it have done nothing to lose an attempt for.
 */
function untilBroken(log: Logger): Promise<'broken'> {
  return new Promise((resolve) => {
    for (const kind of ['unhandledRejection', 'uncaughtException'] as const) {
      process.on(kind, (error: unknown) => {
        log.fatal({ err: error, hint: 'Await every promise in your performers, or catch what it may throw.' }, `${kind}: the worker ends what it holds, then itself`);
        resolve('broken');
      });
    }
  });
}

async function stop(worker: StartedWorker, withinMs: number, code: number): Promise<void> {
  endWithin(withinMs, code);
  await worker.stop();
}
