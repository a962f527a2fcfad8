/** Starts the worker of this process: connects, registers, and performs until it is stopped. */
import { randomBytes } from 'node:crypto';
import { createActor } from 'xstate';
import { RepriseError } from '../protocols/errors.js';
import { isQueueName, parseNamespace, parseWorkerId } from '../protocols/ids.js';
import { LIMITS } from '../protocols/limits.js';
import { connectNats } from '../streams/connect.js';
import type { Performer } from './performer/performer.js';
import { watchConnection } from './connection.js';
import { WorkerProcess, type ProcessOptions, type WorkerLog } from './process.js';
import { workerActor } from './worker.actor.js';

const DEFAULT_CONCURRENCY = 10;
const DEFAULT_GRACE_MS = 10_000;

export interface StartWorkerOptions {
  readonly url: string;
  readonly namespace: string;
  readonly performers: readonly Performer[];
  /** Jobs at a time. */
  readonly concurrency?: number;
  /** None means all. */
  readonly queues?: readonly string[];
  readonly workerId?: string;
  /** Name and version, for people. */
  readonly software?: string;
  /** How long running attempts may go on after stop(). */
  readonly graceMs?: number;
  readonly log: WorkerLog;
}

export interface StartedWorker {
  readonly workerId: string;
  /** Empty until the worker is registered. */
  readonly session: string;
  /** Takes no more work, lets what runs end within the grace, reports it, and leaves. */
  stop(): Promise<void>;
  /** Settles when the worker has stopped; rejects if it had to. */
  readonly stopped: Promise<void>;
}

/** @throws RepriseError SERVER_UNREACHABLE, USAGE. Without a broker it waits for one. */
export async function startWorker(options: StartWorkerOptions): Promise<StartedWorker> {
  const checked = check(options);
  const { workerId, log } = checked;
  const connection = await connectNats({ url: options.url, name: `worker ${workerId}`, reconnect: true, requester: true });
  const unknown = (): void => actor.send({ type: 'UnknownWorker' });
  const process = new WorkerProcess(connection, checked, {
    newEpoch: () => actor.send({ type: 'NewEpoch' }),
    unknownWorker: unknown,
  });
  const actor = createActor(workerActor, {
    input: {
      register: (signal) => process.register(signal),
      registerAgain: () => void process.registerOnce().then((refusal) => refusal && unknown()),
      resume: () => process.pulls.resume(),
      pause: () => process.pulls.pause(),
      reconnected: () => process.pulls.reconnected(),
      drain: () => process.drain(),
      close: () => process.close(),
    },
  });
  const stopped = new Promise<void>((resolve, reject) => {
    actor.subscribe((snapshot) => {
      log.debug({ workerId, state: snapshot.value }, 'worker');
      if (snapshot.status !== 'done') return;
      if (snapshot.context.failure === undefined) resolve();
      else reject(snapshot.context.failure);
    });
  });
  // A caller that does not look at `stopped` chose not to know.
  stopped.catch(() => undefined);
  void watchConnection(connection, (type) => actor.send({ type }));
  actor.start();
  return {
    workerId, stopped,
    get session() {
      return process.identity.session;
    },
    stop: () => (actor.send({ type: 'Drain' }), stopped),
  };
}

function check(options: StartWorkerOptions): ProcessOptions {
  const namespace = parseNamespace(options.namespace) ?? refuse(`namespace ${JSON.stringify(options.namespace)}`);
  const workerId = parseWorkerId(options.workerId ?? `w-${randomBytes(6).toString('hex')}`) ?? refuse(`worker id ${JSON.stringify(options.workerId)}`);
  const { concurrency: capacity = DEFAULT_CONCURRENCY, queues = [], graceMs = DEFAULT_GRACE_MS, software = 'reprise', log } = options;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > LIMITS.free) refuse(`concurrency ${capacity}; 1 to ${LIMITS.free} are`);
  const odd = queues.find((queue) => !isQueueName(queue));
  if (odd !== undefined) refuse(`queue ${JSON.stringify(odd)}`);
  if (queues.length > LIMITS.queuesPerWorker) refuse(`number of queues ${queues.length}; at most ${LIMITS.queuesPerWorker} are`);
  return { namespace, workerId, queues, capacity, graceMs, software, log, performers: byType(options.performers) };
}

function byType(performers: readonly Performer[]): ReadonlyMap<string, Performer> {
  if (performers.length === 0 || performers.length > LIMITS.typesPerWorker) {
    refuse(`number of performers ${performers.length}; 1 to ${LIMITS.typesPerWorker} are`);
  }
  const found = new Map<string, Performer>();
  for (const performer of performers) {
    if (found.has(performer.type)) throw new RepriseError('PERFORMER_NOT_LOADED', `two performers are called ${performer.type}`);
    found.set(performer.type, performer);
  }
  return found;
}

function refuse(what: string): never {
  throw new RepriseError('USAGE', `not a good ${what}`);
}
