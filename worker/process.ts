/** Wires the parts of a worker process, and carries out the actions of its actor. */
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
import { RunningAttempts } from './running-attempts.js';
import { Heartbeats } from './heartbeats.js';
import { WorkerIdentity } from './identity.js';
import { Link } from './link.js';
import { LoadMeter } from './load-meter.js';
import { ProgressPublisher } from './progress.js';
import { Pulls } from './pulls.js';
import { Requester } from './requester.js';
import type { RequestError } from './wire.js';

const REQUEST_TIMEOUT_MS = 2_000;
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
  readonly weights: Readonly<Record<string, number>>;
  /** JSON; empty: none. */
  readonly capabilities: string;
  readonly capacity: number;
  readonly software: string;
  readonly graceMs: number;
  readonly log: WorkerLog;
}

/** Sent to the worker's actor. */
export interface ProcessEvents {
  readonly newEpoch: () => void;
  readonly unknownWorker: () => void;
  /** An operator drains this worker. */
  readonly drainAsked: () => void;
}

const now = (): number => performance.now();

export class WorkerProcess {
  readonly pulls: Pulls;
  readonly identity: WorkerIdentity;
  private readonly requester: Requester;
  private readonly links: Link[] = [];
  private readonly attempts: RunningAttempts;
  private readonly heartbeats: Heartbeats;
  private readonly progress: ProgressPublisher;
  private readonly load: LoadMeter;
  private capabilities: string;

  constructor(
    private readonly connection: NatsConnection,
    private readonly options: ProcessOptions,
    events: ProcessEvents,
  ) {
    const { namespace, workerId, log, capacity, performers } = options;
    const { newEpoch, unknownWorker, drainAsked } = events;
    this.capabilities = options.capabilities;
    this.identity = new WorkerIdentity(workerId);
    this.requester = new Requester(connection, namespace, now);
    const send = this.requester.request.bind(this.requester);
    const shared = { send, identity: this.identity, now, unknownWorker, drainAsked };
    this.progress = new ProgressPublisher(namespace, (subject, text) => this.publish(subject, text), now);
    this.attempts = new RunningAttempts(this.links, {
      capacity,
      performers,
      now,
      log: (attempt) => log.child(bindingsOf(attempt)),
      ended: () => this.pulls.changed(),
      progressed: (attempt) => this.progress.progressed(attempt),
    });
    this.load = new LoadMeter(this.attempts);
    const sawEpoch = (link: Link, epoch: number): void => this.pulls.sawEpoch(link, epoch);
    this.heartbeats = new Heartbeats(this.links, this.attempts, { ...shared, sawEpoch, load: this.load });
    const maxRequestBytes = Math.min(LIMITS.requestBytes, connection.info?.max_payload ?? LIMITS.requestBytes) / 2;
    this.pulls = new Pulls(this.links, this.attempts, this.heartbeats, {
      ...shared, log, maxRequestBytes, newEpoch, load: this.load,
    });
    this.followLeaders();
  }

  /** Retries until a broker registers the worker. @throws RepriseError for a refusal that a retry cannot change */
  async register(signal: AbortSignal): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; !signal.aborted; waitMs = Math.min(LAST_RETRY_MS, waitMs * 2)) {
      const refusal = await this.registerOnce();
      if (refusal === undefined) return;
      if (isForGood(refusal)) {
        throw new RepriseError(codeOf(refusal.code), `the worker cannot register: ${refusal.message}`);
      }
      // A single halted partition refuses the registration. The others have registered the worker, so it can work.
      if (!refusal.retryable && this.identity.session !== '') return;
      const level = waitMs === LAST_RETRY_MS ? 'warn' : 'debug';
      this.options.log[level]({ code: refusal.code }, `the worker is not registered yet: ${refusal.message}`);
      await wait(waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  /** @throws RepriseError */
  async setCapabilities(capabilities: string): Promise<void> {
    const before = this.capabilities;
    this.capabilities = capabilities;
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(LAST_RETRY_MS, waitMs * 2)) {
      const refusal = await this.registerOnce();
      if (refusal === undefined) return;
      if (isForGood(refusal)) {
        this.capabilities = before;
        throw new RepriseError(codeOf(refusal.code), `${refusal.message}; the capabilities stay what they were`);
      }
      await wait(waitMs);
    }
  }

  async registerOnce(): Promise<RequestError | undefined> {
    const { performers, queues, weights, capacity, software } = this.options;
    const { workerId, session, proof } = this.identity;
    const types = [...performers.keys()];
    const request = { workerId, session, proof, types, queues: [...queues], weights, capacity, software };
    const bytes = worker.RegisterWorker.encode({ ...request, capabilitiesJson: this.capabilities }).finish();
    const { data, refusal } = await this.requester.request('register', bytes, REQUEST_TIMEOUT_MS);
    if (refusal?.code === 'SESSION_UNPROVED' && session !== '') {
      this.identity.clear();
      return { ...refusal, retryable: true };
    }
    if (refusal !== undefined) return refusal;
    const reply = readRegistered(data);
    if (reply === undefined) return { code: 'MALFORMED', message: 'the reply cannot be decoded', retryable: true };
    this.identity.assign(reply);
    this.attempts.maxResultBytes = Math.min(LIMITS.payloadBytes, reply.maxResultBytes || LIMITS.payloadBytes);
    while (this.links.length < Math.max(1, reply.partitions)) this.links.push(new Link(this.links.length as Partition));
    this.pulls.sawEpoch(this.links[0]!, reply.epoch);
    return undefined;
  }

  /** Stops pulling, lets attempts end within the grace, hands back the rest, and sends all reports. */
  async drain(): Promise<void> {
    this.pulls.pause();
    await this.leave(false);
    await until(() => this.attempts.busy.size === 0, this.options.graceMs);
    this.attempts.abortAll('stopping');
    await until(() => this.attempts.busy.size === 0, ABORT_GRACE_MS + 1_000);
    const isReported = (): boolean => this.links.every((link) => link.pending.isEmpty);
    await until(isReported, REPORTS_GRACE_MS);
    if (!isReported()) {
      this.options.log.warn({}, 'the worker leaves before all of its reports were accepted; these jobs run again');
    }
    await this.leave(true);
  }

  async close(): Promise<void> {
    this.pulls.stop();
    this.heartbeats.stop();
    this.progress.stop();
    this.load.stop();
    this.attempts.deadlines.stop();
    this.requester.stop();
    await this.connection.close();
  }

  private async leave(gone: boolean): Promise<void> {
    const { log } = this.options;
    const { workerId, session, proof } = this.identity;
    const bytes = worker.DrainWorker.encode({ workerId, session, proof, gone }).finish();
    const { refusal } = await this.requester.request('drain', bytes, REQUEST_TIMEOUT_MS);
    if (refusal) log.debug({ code: refusal.code, gone }, `the drain request failed: ${refusal.message}`);
  }

  private publish(subject: string, text: string): void {
    if (!this.connection.isClosed()) this.connection.publish(subject, text);
  }

  /** Brokers publish changes of leadership. Otherwise a pull at a dead leader would be noticed by its time-out only. */
  private followLeaders(): void {
    const subject = subjects.event(this.options.namespace, 'partition', '*', 'LeaderStarted');
    const callback = (_error: Error | null, message: { data: Uint8Array }): void => {
      try {
        const fact = journal.Fact.decode(message.data);
        const { epoch } = journal.LeaderStarted.decode(fact.event?.body ?? new Uint8Array());
        const link = this.links[fact.partition ?? 0];
        if (link !== undefined) this.pulls.nudge(link, epoch ?? 0);
      } catch (cause) {
        this.options.log.debug({ cause }, 'a LeaderStarted event could not be decoded');
      }
    };
    this.connection.subscribe(subject, { callback });
  }
}

const bindingsOf = ({ lease }: Attempt): object => ({
  jobId: lease.jobId,
  jobType: lease.type,
  attempt: lease.attempt,
});

/** Whether a retry cannot help. Operating errors, such as those of a partition's journal, may be mended meanwhile. */
const isForGood = ({ code, retryable }: RequestError): boolean =>
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
