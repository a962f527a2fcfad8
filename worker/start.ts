/** Starts the worker of this process: connects, registers, and performs until it is stopped. */
import { randomBytes } from 'node:crypto';
import { createActor } from 'xstate';
import { RepriseError } from '../protocols/errors.js';
import { isQueueName, parseNamespace, parseWorkerId } from '../protocols/ids.js';
import { documentText } from '../protocols/json-text.js';
import { LIMITS } from '../protocols/limits.js';
import { connectNats } from '../streams/connect.js';
import type { Performer } from './performer/performer.js';
import { watchConnection } from './connection.js';
import { WorkerProcess, type ProcessOptions, type WorkerLog } from './process.js';
import { workerActor } from './worker.actor.js';

const DEFAULT_CONCURRENCY = 10;
const DEFAULT_GRACE_MS = 10_000;
/** The rule of every name that is part of a subject. */
const NAME = '1 to 64 characters of A-Z a-z 0-9 _ -';
const QUEUE = `${NAME}, perhaps with a group and / in front`;

export interface StartWorkerOptions {
  readonly url: string;
  readonly namespace: string;
  readonly performers: readonly Performer[];
  /** How many jobs run at the same time. */
  readonly concurrency?: number;
  /** An empty list means all queues. */
  readonly queues?: readonly string[];
  /** Of queues: how many turns one gets, where another gets one. Without weights only the order of the jobs counts. */
  readonly weights?: Readonly<Record<string, number>>;
  /** What this worker has, for jobs that require something: see docs/matching.md. */
  readonly capabilities?: object;
  readonly workerId?: string;
  /** Name and version, shown in lists of workers. */
  readonly software?: string;
  /** How long attempts may still run after stop(). */
  readonly graceMs?: number;
  readonly log: WorkerLog;
}

export interface StartedWorker {
  readonly workerId: string;
  /** Empty until the worker is registered. */
  readonly session: string;
  /**
   * Registers with other capabilities: a model was loaded or dropped. When it resolves, every partition compares jobs
   * with these.
   * @throws RepriseError CAPABILITIES_INVALID, and the operating errors of a registration
   */
  setCapabilities(capabilities: object): Promise<void>;
  /** Stops pulling, lets attempts end within the grace, reports them, and leaves. */
  stop(): Promise<void>;
  /** Resolves when the worker has stopped after stop(); rejects if it stopped because of an error. */
  readonly stopped: Promise<void>;
}

/** Without a broker it waits for one. @throws RepriseError SERVER_UNREACHABLE, USAGE */
export async function startWorker(options: StartWorkerOptions): Promise<StartedWorker> {
  const checked = check(options);
  const { workerId, log } = checked;
  const connection = await connectNats({
    url: options.url,
    name: `worker ${workerId}`,
    reconnect: true,
    requester: true,
  });
  const unknown = (): void => actor.send({ type: 'UnknownWorker' });
  const process = new WorkerProcess(connection, checked, {
    newEpoch: () => actor.send({ type: 'NewEpoch' }),
    unknownWorker: unknown,
    drainAsked: () => actor.send({ type: 'Drain' }),
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
      if (snapshot.context.error === undefined) resolve();
      else reject(snapshot.context.error);
    });
  });
  // A caller may ignore `stopped`; its rejection must not end the process then.
  stopped.catch(() => undefined);
  void watchConnection(connection, (type) => actor.send({ type }));
  actor.start();
  return {
    workerId, stopped,
    get session() {
      return process.identity.session;
    },
    setCapabilities: (capabilities) => process.setCapabilities(documentText(capabilities)),
    stop: () => (actor.send({ type: 'Drain' }), stopped),
  };
}

function check(options: StartWorkerOptions): ProcessOptions {
  const { concurrency: capacity = DEFAULT_CONCURRENCY, queues = [], graceMs = DEFAULT_GRACE_MS } = options;
  const { software = 'reprise', log } = options;
  const namespace = parseNamespace(options.namespace) ?? misuse('namespace', NAME, options.namespace);
  const wantedId = options.workerId ?? `w-${randomBytes(6).toString('hex')}`;
  const workerId = parseWorkerId(wantedId) ?? misuse('worker id', NAME, wantedId);
  between('concurrency', 1, LIMITS.free, capacity);
  between('number of queues', 0, LIMITS.queuesPerWorker, queues.length);
  for (const queue of queues) if (!isQueueName(queue)) misuse('queue', QUEUE, queue);
  const { weights = {}, capabilities } = options;
  return {
    namespace, workerId, queues, weights, capabilities: documentText(capabilities), capacity, graceMs, software, log,
    performers: byType(options.performers),
  };
}

function byType(performers: readonly Performer[]): ReadonlyMap<string, Performer> {
  between('number of performers', 1, LIMITS.typesPerWorker, performers.length);
  const found = new Map<string, Performer>();
  for (const performer of performers) {
    const { type } = performer;
    if (found.has(type)) throw new RepriseError('PERFORMER_NOT_LOADED', `two performers have the job type ${type}`);
    found.set(type, performer);
  }
  return found;
}

function between(what: string, least: number, most: number, value: number): void {
  const isWhole = Number.isInteger(value);
  if (isWhole && value >= least && value <= most) return;
  misuse(what, `${isWhole ? '' : 'a whole number '}between ${least} and ${most}`, value);
}

function misuse(what: string, rule: string, value: string | number): never {
  const got = typeof value === 'string' ? JSON.stringify(value) : value;
  throw new RepriseError('USAGE', `${what} must be ${rule}, got ${got}`);
}
