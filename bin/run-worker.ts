/** `reprise worker`. Its imports determine how fast a worker starts and how much memory it takes. */
import { watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { messageOf, RepriseError } from '../protocols/errors.js';
import { tryRead } from '../protocols/try-read.js';
import { loadPerformers } from '../worker/load.js';
import { startWorker, type StartedWorker } from '../worker/start.js';
import type { Where } from './arguments.js';
import { locate } from './locate.js';
import { logger } from './log.js';
import { version } from './self.js';
import { endWithin, sendReady, untilStopRequested } from './shutdown.js';

export interface WorkerFlags extends Where {
  readonly concurrency: number;
  readonly queues?: readonly string[];
  readonly id?: string;
  readonly weight?: Readonly<Record<string, number>>;
  /** JSON, or `@` and the name of a file. */
  readonly capabilities?: string;
  readonly grace: number;
}

/** Besides the grace: some time to drain before it and to send the last reports after it. */
const STOP_MS = 10_000;
/** If the parent died, so did the broker, and there is no leader to report to. */
const ORPHAN_STOP_WITHIN_MS = 3_000;

export async function runWorker(paths: readonly string[], flags: WorkerFlags): Promise<void> {
  const stopRequested = untilStopRequested();
  const { url, namespace } = locate(flags);
  const log = logger('worker');
  const loaded = await loadPerformers(paths);
  const worker = await startWorker({
    url, namespace, log,
    performers: loaded.map(({ performer }) => performer),
    concurrency: flags.concurrency,
    queues: flags.queues ?? [],
    ...(flags.weight && { weights: flags.weight }),
    ...(flags.capabilities !== undefined && { capabilities: await readCapabilities(flags.capabilities) }),
    ...(flags.id !== undefined && { workerId: flags.id }),
    software: `reprise ${version()}`,
    graceMs: flags.grace,
  });
  if (flags.capabilities?.startsWith('@')) followFile(worker, flags.capabilities, log);
  const types = loaded.map(({ performer }) => performer.type);
  log.info({ workerId: worker.workerId, types, concurrency: flags.concurrency }, 'ready');
  sendReady({ serves: types });
  const stopped = worker.stopped.then(() => 'stopped' as const);
  const why = await Promise.race([stopRequested, stopped, untilBroken(log)]);
  const code = why === 'broken' ? 1 : 0;
  if (why !== 'stopped') await stop(worker, why === 'disconnect' ? ORPHAN_STOP_WITHIN_MS : flags.grace + STOP_MS, code);
  log.info({ workerId: worker.workerId, why }, 'stopped');
  process.exit(code);
}

/** @throws RepriseError USAGE */
async function readCapabilities(given: string): Promise<object> {
  const text = given.startsWith('@') ? await readFile(given.slice(1), 'utf8').catch(unreadable) : given;
  const value = tryRead(() => JSON.parse(text) as unknown);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new RepriseError('USAGE', `--capabilities must be a JSON object, or @ and a file with one; got ${given}`);
}

function unreadable(error: unknown): never {
  throw new RepriseError('USAGE', `The file of --capabilities cannot be read: ${messageOf(error)}`);
}

const LOOK_MS = 500;

/** Whoever loads or drops a model writes it into the file. */
function followFile(worker: StartedWorker, file: string, log: Logger): void {
  watchFile(file.slice(1), { interval: LOOK_MS, persistent: false }, () => {
    readCapabilities(file).then((capabilities) => worker.setCapabilities(capabilities)).then(
      () => log.info({ file: file.slice(1) }, 'the capabilities were read again'),
      (error: unknown) => log.error({ err: error }, 'the capabilities stay what they were'),
    );
  });
}

/**
 * Code of a performer may reject a promise that is not awaited, or throw in a timer. The state of the process is
 * unknown then, so it ends, but in order: the other attempts in it may finish.
 */
function untilBroken(log: Logger): Promise<'broken'> {
  return new Promise((resolve) => {
    for (const kind of ['unhandledRejection', 'uncaughtException'] as const) {
      process.on(kind, (error: unknown) => {
        const hint = 'Await every promise in your performers, or catch what it may throw.';
        log.fatal({ err: error, hint }, `${kind} in a performer: the worker drains and ends`);
        resolve('broken');
      });
    }
  });
}

async function stop(worker: StartedWorker, withinMs: number, code: number): Promise<void> {
  endWithin(withinMs, code);
  await worker.stop();
}
