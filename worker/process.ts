/** The parts of a worker process, wired: what the worker's actor does when it changes its state. */
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, ERRORS, isCode, RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition, WorkerId } from '../protocols/ids.js';
import { LIMITS } from '../protocols/limits.js';
import { journal, worker } from '../protocols/messages.js';
import { subjects } from '../protocols/subjects.js';
import type { Attempt } from './performer/attempt.js';
import { ABORT_GRACE_MS } from './performer/perform.js';
import type { Log, Performer } from './performer/performer.js';
import { Asker } from './asker.js';
import { Attempts } from './attempts.js';
import { Heartbeats } from './heartbeats.js';
import { WorkerIdentity } from './identity.js';
import { Link } from './link.js';
import { ProgressPublisher } from './progress.js';
import { Pulls } from './pulls.js';
import type { Refusal } from './wire.js';

const ASK_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;
const REPORTS_GRACE_MS = 5_000;
const POLL_MS = 10;

export interface WorkerLog extends Log {
  child(bindings: object): Log;
}

export interface ProcessOptions {
  readonly namespace: Namespace;
  readonly workerId: WorkerId;
  readonly performers: ReadonlyMap<string, Performer>;
  readonly queues: readonly string[];
  readonly capacity: number;
  readonly software: string;
  readonly graceMs: number;
  readonly log: WorkerLog;
}

/** Told to the worker's actor. */
export interface ProcessEvents {
  readonly newEpoch: () => void;
  readonly unknownWorker: () => void;
}

const now = (): number => performance.now();

export class WorkerProcess {
  readonly pulls: Pulls;
  readonly identity: WorkerIdentity;
  readonly #options: ProcessOptions;
  readonly #connection: NatsConnection;
  readonly #asker: Asker;
  readonly #links: Link[] = [];
  readonly #attempts: Attempts;
  readonly #heartbeats: Heartbeats;
  readonly #progress: ProgressPublisher;

  constructor(connection: NatsConnection, options: ProcessOptions, events: ProcessEvents) {
    const { namespace, workerId, log, capacity, performers } = options;
    const { newEpoch, unknownWorker } = events;
    this.#options = options;
    this.identity = new WorkerIdentity(workerId);
    this.#connection = connection;
    this.#asker = new Asker(connection, namespace, now);
    const shared = { ask: this.#asker.ask.bind(this.#asker), identity: this.identity, now, unknownWorker };
    this.#progress = new ProgressPublisher(namespace, (subject, text) => this.#publish(subject, text), now);
    this.#attempts = new Attempts(this.#links, {
      capacity,
      performers,
      now,
      log: (attempt) => log.child(bindingsOf(attempt)),
      ended: () => this.pulls.changed(),
      progressed: (attempt) => this.#progress.progressed(attempt),
    });
    this.#heartbeats = new Heartbeats(this.#links, this.#attempts, { ...shared, led: (link, epoch) => this.pulls.led(link, epoch) });
    const maxRequestBytes = Math.min(LIMITS.requestBytes, connection.info?.max_payload ?? LIMITS.requestBytes) / 2;
    this.pulls = new Pulls(this.#links, this.#attempts, this.#heartbeats, { ...shared, log, maxRequestBytes, newEpoch });
    this.#listen();
  }

  /** Asks until a broker answers. @throws RepriseError if it refuses the worker for good. */
  async register(signal: AbortSignal): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; !signal.aborted; waitMs = Math.min(LAST_RETRY_MS, waitMs * 2)) {
      const refusal = await this.registerOnce();
      if (refusal === undefined) return;
      if (isForGood(refusal)) throw new RepriseError(codeOf(refusal.code), `the worker cannot register: ${refusal.message}`);
      // A partition that stands still refuses for all of them. The others know the worker now, and it them.
      if (!refusal.retryable && this.identity.session !== '') return;
      this.#options.log[waitMs === LAST_RETRY_MS ? 'warn' : 'debug']({ code: refusal.code }, `not registered yet: ${refusal.message}`);
      await wait(waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  async registerOnce(): Promise<Refusal | undefined> {
    const { performers, queues, capacity, software } = this.#options;
    const { workerId, session, proof } = this.identity;
    const request = { workerId, session, proof, types: [...performers.keys()], queues: [...queues], capacity, software };
    const { data, refusal } = await this.#asker.ask('register', worker.RegisterWorker.encode(request).finish(), ASK_TIMEOUT_MS);
    if (refusal?.code === 'SESSION_UNPROVED' && session !== '') {
      this.identity.forget();
      return { ...refusal, retryable: true };
    }
    if (refusal !== undefined) return refusal;
    const reply = readRegistered(data);
    if (reply === undefined) return { code: 'MALFORMED', message: 'the reply cannot be decoded', retryable: true };
    this.identity.given(reply);
    this.#attempts.maxResultBytes = Math.min(LIMITS.payloadBytes, reply.maxResultBytes || LIMITS.payloadBytes);
    while (this.#links.length < Math.max(1, reply.partitions)) this.#links.push(new Link(this.#links.length as Partition));
    this.pulls.led(this.#links[0]!, reply.epoch);
    return undefined;
  }

  /** No more pulls; what runs may end within the grace, is then aborted, and everything is reported. */
  async drain(): Promise<void> {
    this.pulls.pause();
    await this.#leave(false);
    await until(() => this.#attempts.busy.size === 0, this.#options.graceMs);
    this.#attempts.abortAll('stopping');
    await until(() => this.#attempts.busy.size === 0, ABORT_GRACE_MS + 1_000);
    const isReported = (): boolean => this.#links.every((link) => link.outbox.isEmpty);
    await until(isReported, REPORTS_GRACE_MS);
    if (!isReported()) this.#options.log.warn({}, 'the worker leaves before a leader has taken all that it has done; those jobs are tried again');
    await this.#leave(true);
  }

  async close(): Promise<void> {
    this.pulls.stop();
    this.#heartbeats.stop();
    this.#progress.stop();
    this.#attempts.deadlines.stop();
    this.#asker.stop();
    await this.#connection.close();
  }

  async #leave(gone: boolean): Promise<void> {
    const { log } = this.#options;
    const { workerId, session, proof } = this.identity;
    const { refusal } = await this.#asker.ask('drain', worker.DrainWorker.encode({ workerId, session, proof, gone }).finish(), ASK_TIMEOUT_MS);
    if (refusal) log.debug({ code: refusal.code, gone }, `nobody heard that the worker leaves: ${refusal.message}`);
  }

  #publish(subject: string, text: string): void {
    if (!this.#connection.isClosed()) this.#connection.publish(subject, text);
  }

  /** Brokers make known who leads; without it a dead leader's open pull is noticed only when it times out. */
  #listen(): void {
    const subject = subjects.event(this.#options.namespace, 'partition', '*', 'LeaderStarted');
    const callback = (_error: Error | null, message: { data: Uint8Array }): void => {
      try {
        const fact = journal.Fact.decode(message.data);
        const { epoch } = journal.LeaderStarted.decode(fact.event?.body ?? new Uint8Array());
        const link = this.#links[fact.partition ?? 0];
        if (link !== undefined) this.pulls.nudge(link, epoch ?? 0);
      } catch (cause) {
        this.#options.log.debug({ cause }, 'an event could not be read');
      }
    };
    this.#connection.subscribe(subject, { callback });
  }
}

const bindingsOf = ({ lease }: Attempt): object => ({ jobId: lease.jobId, jobType: lease.type, attempt: lease.attempt });

/** Whether no broker will take the same request later. What a partition suffers from, its journal say, may pass. */
const isForGood = ({ code, retryable }: Refusal): boolean =>
  code === 'PERMISSION_DENIED' || (!retryable && !(isCode(code) && ERRORS[code].kind === 'operating'));

function readRegistered(data: Uint8Array): worker.RegisterReply | undefined {
  try {
    const reply = worker.RegisterReply.decode(data) as worker.RegisterReply;
    return reply.session === '' ? undefined : reply;
  } catch {
    return undefined;
  }
}

async function until(met: () => boolean, timeoutMs: number): Promise<void> {
  const endMs = now() + timeoutMs;
  while (!met() && now() < endMs) await wait(POLL_MS);
}
