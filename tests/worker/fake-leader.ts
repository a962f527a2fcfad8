/**
 * A leader without a journal, for tests of the worker's side of the wire: it hands out leases, takes reports, answers as
 * docs/protocol.md says, and can be told to lose, refuse and forget things.
 */
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { COMMANDS } from '../../actors/commands.js';
import { jobId, parseNamespace, type Partition } from '../../protocols/ids.js';
import { ERRORS } from '../../protocols/errors.js';
import { error, worker } from '../../protocols/messages.js';
import { connectNats } from '../../streams/connect.js';
import { subjects } from '../../protocols/subjects.js';
import type { WorkerVerb } from '../../worker/wire.js';

type LeaseWish = Partial<worker.Lease> & { type: string; partition?: number; json?: unknown };
interface Waiting {
  readonly message: Msg;
  readonly pull: worker.Pull;
  readonly timer: NodeJS.Timeout;
}

export class FakeLeader {
  epoch = 1;
  readonly requests: { verb: WorkerVerb; atMs: number }[] = [];
  readonly pulls: worker.Pull[] = [];
  readonly heartbeats: worker.Heartbeat[] = [];
  readonly drains: worker.DrainWorker[] = [];
  /** How many pulls had come by the first drain. */
  pullsUntilDrained: number | undefined;
  readonly registered: worker.RegisterWorker[] = [];
  readonly accepted: worker.Report[] = [];
  readonly stale: string[] = [];
  readonly leased = new Map<string, { lease: worker.Lease; partition: number }>();
  readonly cancelling = new Set<string>();
  /** The most slots that were on offer at once, over the open pulls of all partitions. */
  mostOffered = 0;
  /** Return true to lose the request before it is handled. */
  loseRequest: (verb: WorkerVerb) => boolean = () => false;
  /** Return true to lose the answer. */
  loseReply: (verb: WorkerVerb, reply: worker.PullReply.$Properties) => boolean = () => false;
  /** True: pulls that find nothing are answered at once. */
  impatient = false;
  /** Return a code to reject the report with. */
  reject: (report: worker.Report) => string | undefined = () => undefined;
  /** Return a code to refuse the request with, which brought these reports. */
  refuse: (verb: WorkerVerb, reports: readonly worker.Report[]) => string | undefined = () => undefined;
  readonly #nc: NatsConnection;
  readonly #partitions: number;
  readonly #queues: worker.Lease[][];
  readonly #open = new Map<number, Waiting>();
  readonly #lastSeq = new Map<number, number>();
  readonly #sessions = new Set<string>();
  readonly #finished = new Set<string>();

  /** @param url the broker's: nobody else may listen to requests */
  static async start(url: string, namespace = 'test', partitions = 1): Promise<FakeLeader> {
    const leader = new FakeLeader(await connectNats({ url, name: 'fake leader', reconnect: true }), partitions);
    const ns = parseNamespace(namespace)!;
    for (const { noun, verb } of COMMANDS) {
      if (noun !== 'worker') continue;
      leader.#nc.subscribe(subjects.command(ns, { noun, verb }), { callback: (_error, message) => leader.#receive(verb as WorkerVerb, message) });
    }
    await leader.#nc.flush();
    return leader;
  }

  private constructor(nc: NatsConnection, partitions: number) {
    this.#nc = nc;
    this.#partitions = partitions;
    this.#queues = Array.from({ length: partitions }, () => []);
  }

  get connection(): NatsConnection {
    return this.#nc;
  }

  submit(wish: LeaseWish): string {
    const { partition = 0, json, ...fields } = wish;
    const id = jobId(partition as Partition, crypto.getRandomValues(new Uint8Array(10)));
    const lease = {
      token: `${id}/1/1/1.signature`, jobId: id, queue: 'default', attempt: 1, maxAttempts: 3, contentType: '', leaseMs: 15_000, attemptMs: 0,
      key: '', labels: {}, payload: Buffer.from(JSON.stringify(json ?? null)), ...fields,
    };
    this.#queues[partition]!.push(lease as worker.Lease);
    const waiting = this.#open.get(partition);
    if (waiting) this.#offer(partition, waiting);
    return lease.token;
  }

  /** Another worker has got it, or its lease has ended. */
  revoke(revoked: string): void {
    this.leased.delete(revoked);
  }

  /** A new leader: knows the leases from its journal, not the open pulls. */
  takeOver(): void {
    this.epoch += 1;
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    this.#open.clear();
  }

  forgetSessions(): void {
    this.#sessions.clear();
  }

  async stop(): Promise<void> {
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    await this.#nc.close();
  }

  #receive(verb: WorkerVerb, message: Msg): void {
    this.requests.push({ verb, atMs: performance.now() });
    if (this.loseRequest(verb)) return;
    const code = this.refuse(verb, reportsOf(verb, message));
    if (code !== undefined) return refuse(message, code);
    if (verb === 'register') return this.#register(message);
    if (verb === 'drain') return this.#drain(message);
    if (verb === 'heartbeat') return this.#heartbeat(message);
    if (verb === 'report') return this.#report(message);
    this.#pull(message);
  }

  #knows(message: Msg, { session, proof }: { session: string; proof: string }): boolean {
    const code = proof !== proofOf(session) ? 'SESSION_UNPROVED' : this.#sessions.has(session) ? undefined : 'UNKNOWN_WORKER';
    if (code !== undefined) refuse(message, code);
    return code === undefined;
  }

  #register(message: Msg): void {
    const request = worker.RegisterWorker.decode(message.data) as worker.RegisterWorker;
    this.registered.push(request);
    const session = request.session || `session-${this.registered.length}`;
    if (request.session !== '' && request.proof !== proofOf(session)) return refuse(message, 'SESSION_UNPROVED');
    this.#sessions.add(session);
    message.respond(worker.RegisterReply.encode({ partitions: this.#partitions, epoch: this.epoch, session, proof: proofOf(session) }).finish());
  }

  #drain(message: Msg): void {
    this.pullsUntilDrained ??= this.pulls.length;
    this.drains.push(worker.DrainWorker.decode(message.data) as worker.DrainWorker);
    for (const [partition, waiting] of this.#open) this.#answer(partition, waiting, {});
    message.respond(worker.DrainReply.encode({ epoch: this.epoch, status: 'draining' }).finish());
  }

  #heartbeat(message: Msg): void {
    const request = worker.Heartbeat.decode(message.data) as worker.Heartbeat;
    if (!this.#knows(message, request)) return;
    this.heartbeats.push(request);
    this.#reply('heartbeat', message, this.#said(request.tokens));
  }

  #report(message: Msg): void {
    const request = worker.ReportAttempts.decode(message.data) as worker.ReportAttempts;
    if (!this.#knows(message, request)) return;
    this.#reply('report', message, { rejected: this.#take(request.reports as worker.Report[]) });
  }

  #pull(message: Msg): void {
    const pull = worker.Pull.decode(message.data) as worker.Pull;
    const { partition } = pull;
    if (!this.#knows(message, pull)) return;
    this.pulls.push(pull);
    const rejected = this.#take(pull.reports as worker.Report[]);
    const before = this.#open.get(partition);
    if (before) this.#answer(partition, before, {});
    if (pull.pullSeq <= (this.#lastSeq.get(partition) ?? 0)) return this.#reply('pull', message, { rejected });
    this.#lastSeq.set(partition, pull.pullSeq);
    const said = this.#said(pull.held);
    const held = new Set(pull.held);
    const again = [...this.leased.values()].filter((one) => one.partition === partition && !held.has(one.lease.token)).map((one) => one.lease);
    const leases = again.slice(0, pull.free);
    const timer = setTimeout(() => this.#answer(partition, waiting, {}), pull.expiresMs);
    const waiting: Waiting = { message, pull: { ...pull, free: pull.free - leases.length } as worker.Pull, timer };
    this.#open.set(partition, waiting);
    this.#measure();
    if (leases.length + rejected.length + said.cancel.length + said.revoked.length > 0) {
      this.#answer(partition, waiting, { leases, rejected, ...said });
    } else this.#offer(partition, waiting);
    if (this.impatient && this.#open.has(partition)) this.#answer(partition, waiting, {});
  }

  #offer(partition: number, waiting: Waiting): void {
    const leases = this.#queues[partition]!.splice(0, waiting.pull.free);
    for (const lease of leases) this.leased.set(lease.token, { lease, partition });
    if (leases.length > 0) this.#answer(partition, waiting, { leases });
  }

  #answer(partition: number, waiting: Waiting, reply: worker.PullReply.$Properties): void {
    clearTimeout(waiting.timer);
    if (this.#open.get(partition) === waiting) this.#open.delete(partition);
    this.#reply('pull', waiting.message, reply);
  }

  #reply(verb: WorkerVerb, message: Msg, reply: worker.PullReply.$Properties): void {
    if (this.loseReply(verb, reply)) return;
    message.respond(worker.PullReply.encode({ epoch: this.epoch, ...reply }).finish());
  }

  #said(tokens: readonly string[]): { cancel: string[]; revoked: string[] } {
    return { cancel: tokens.filter((one) => this.cancelling.has(one)), revoked: tokens.filter((one) => !this.leased.has(one)) };
  }

  #take(reports: readonly worker.Report[]): worker.RejectedReport.$Properties[] {
    const rejected: worker.RejectedReport.$Properties[] = [];
    for (const report of reports) {
      const code = this.reject(report);
      if (code !== undefined) rejected.push({ token: report.token, error: { code, message: `fake: ${code}`, retryable: code === 'OVERLOADED' } });
      else if (this.leased.delete(report.token)) {
        this.accepted.push(report);
        this.#finished.add(report.token);
      } else if (!this.#finished.has(report.token)) {
        this.stale.push(report.token);
        rejected.push({ token: report.token, error: { code: 'STALE_ATTEMPT', message: 'not the current attempt', retryable: false } });
      }
    }
    return rejected;
  }

  #measure(): void {
    let offered = 0;
    for (const { pull } of this.#open.values()) offered += pull.free;
    this.mostOffered = Math.max(this.mostOffered, offered);
  }
}

const proofOf = (session: string): string => `proof-of-${session}`;

function reportsOf(verb: WorkerVerb, { data }: Msg): readonly worker.Report[] {
  if (verb === 'pull') return worker.Pull.decode(data).reports as worker.Report[];
  return verb === 'report' ? (worker.ReportAttempts.decode(data).reports as worker.Report[]) : [];
}

function refuse(message: Msg, code: string): void {
  const said = headers();
  said.set('Nats-Service-Error', code);
  said.set('Nats-Service-Error-Code', '503');
  const retryable = (ERRORS as Readonly<Record<string, { retryable: boolean }>>)[code]?.retryable ?? false;
  message.respond(error.Error.encode({ code, message: `fake: ${code}`, retryable }).finish(), { headers: said });
}
