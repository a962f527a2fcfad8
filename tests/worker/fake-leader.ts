/**
 * A leader without a journal, for tests of the worker's side of the wire. It hands out leases, accepts reports and
 * replies as in docs/protocol.md, and can be made to lose or refuse requests and to forget sessions.
 */
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { COMMANDS } from '../../actors/commands.js';
import { jobId, parseNamespace, type Partition } from '../../protocols/ids.js';
import { ERRORS } from '../../protocols/errors.js';
import { error, worker } from '../../protocols/messages.js';
import { connectNats } from '../../streams/connect.js';
import { subjects } from '../../protocols/subjects.js';
import type { WorkerVerb } from '../../worker/wire.js';

type WantedLease = Partial<worker.Lease> & { type: string; partition?: number; json?: unknown };
interface OpenPull {
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
  /** How many pulls had been received at the first drain. */
  pullsUntilDrained: number | undefined;
  readonly registered: worker.RegisterWorker[] = [];
  readonly accepted: worker.Report[] = [];
  readonly stale: string[] = [];
  readonly leased = new Map<string, { lease: worker.Lease; partition: number }>();
  readonly cancelling = new Set<string>();
  /** The most slots that were offered at the same time in the open pulls of all partitions. */
  mostOffered = 0;
  /** Return true to lose the request before it is handled. */
  loseRequest: (verb: WorkerVerb) => boolean = () => false;
  /** Return true to lose the reply. */
  loseReply: (verb: WorkerVerb, reply: worker.PullReply.$Properties) => boolean = () => false;
  /** Whether pulls without leases are answered at once. */
  impatient = false;
  /** Return a code to reject the report with. */
  reject: (report: worker.Report) => string | undefined = () => undefined;
  /** Return a code to refuse the request with these reports. */
  refuse: (verb: WorkerVerb, reports: readonly worker.Report[]) => string | undefined = () => undefined;
  private readonly queues: worker.Lease[][];
  private readonly open = new Map<number, OpenPull>();
  private readonly lastSeq = new Map<number, number>();
  private readonly sessions = new Set<string>();
  private readonly finished = new Set<string>();

  /** @param url with the broker's user, which alone may subscribe to requests */
  static async start(url: string, namespace = 'test', partitions = 1): Promise<FakeLeader> {
    const leader = new FakeLeader(await connectNats({ url, name: 'fake leader', reconnect: true }), partitions);
    const ns = parseNamespace(namespace)!;
    for (const { noun, verb } of COMMANDS) {
      if (noun !== 'worker') continue;
      const callback = (_error: Error | null, message: Msg): void => leader.receive(verb as WorkerVerb, message);
      leader.nc.subscribe(subjects.command(ns, { noun, verb }), { callback });
    }
    await leader.nc.flush();
    return leader;
  }

  private constructor(
    private readonly nc: NatsConnection,
    private readonly partitions: number,
  ) {
    this.queues = Array.from({ length: partitions }, () => []);
  }

  get connection(): NatsConnection {
    return this.nc;
  }

  submit(wanted: WantedLease): string {
    const { partition = 0, json, ...fields } = wanted;
    const id = jobId(partition as Partition, crypto.getRandomValues(new Uint8Array(10)));
    const lease = {
      token: `${id}/1/1/1.signature`,
      jobId: id,
      queue: 'default',
      attempt: 1,
      maxAttempts: 3,
      contentType: '',
      leaseMs: 15_000,
      attemptMs: 0,
      key: '',
      labels: {},
      payload: Buffer.from(JSON.stringify(json ?? null)),
      ...fields,
    };
    this.queues[partition]!.push(lease as worker.Lease);
    const waiting = this.open.get(partition);
    if (waiting) this.offer(partition, waiting);
    return lease.token;
  }

  /** As if the lease had run out, or the job had been given to another worker. */
  revoke(revoked: string): void {
    this.leased.delete(revoked);
  }

  /** As a new leader, which knows the leases from its journal, but not the open pulls. */
  takeOver(): void {
    this.epoch += 1;
    for (const { timer } of this.open.values()) clearTimeout(timer);
    this.open.clear();
  }

  forgetSessions(): void {
    this.sessions.clear();
  }

  async stop(): Promise<void> {
    for (const { timer } of this.open.values()) clearTimeout(timer);
    await this.nc.close();
  }

  private receive(verb: WorkerVerb, message: Msg): void {
    this.requests.push({ verb, atMs: performance.now() });
    if (this.loseRequest(verb)) return;
    const code = this.refuse(verb, reportsOf(verb, message));
    if (code !== undefined) return refuse(message, code);
    if (verb === 'register') return this.register(message);
    if (verb === 'drain') return this.drain(message);
    if (verb === 'heartbeat') return this.heartbeat(message);
    if (verb === 'report') return this.report(message);
    this.pull(message);
  }

  private knows(message: Msg, { session, proof }: { session: string; proof: string }): boolean {
    if (proof !== proofOf(session)) refuse(message, 'SESSION_UNPROVED');
    else if (!this.sessions.has(session)) refuse(message, 'UNKNOWN_WORKER');
    else return true;
    return false;
  }

  private register(message: Msg): void {
    const request = worker.RegisterWorker.decode(message.data) as worker.RegisterWorker;
    this.registered.push(request);
    const session = request.session || `session-${this.registered.length}`;
    if (request.session !== '' && request.proof !== proofOf(session)) return refuse(message, 'SESSION_UNPROVED');
    this.sessions.add(session);
    const reply = { partitions: this.partitions, epoch: this.epoch, session, proof: proofOf(session) };
    message.respond(worker.RegisterReply.encode(reply).finish());
  }

  private drain(message: Msg): void {
    this.pullsUntilDrained ??= this.pulls.length;
    this.drains.push(worker.DrainWorker.decode(message.data) as worker.DrainWorker);
    for (const [partition, waiting] of this.open) this.answer(partition, waiting, {});
    message.respond(worker.DrainReply.encode({ epoch: this.epoch, status: 'draining' }).finish());
  }

  private heartbeat(message: Msg): void {
    const request = worker.Heartbeat.decode(message.data) as worker.Heartbeat;
    if (!this.knows(message, request)) return;
    this.heartbeats.push(request);
    this.reply('heartbeat', message, this.said(request.tokens));
  }

  private report(message: Msg): void {
    const request = worker.ReportAttempts.decode(message.data) as worker.ReportAttempts;
    if (!this.knows(message, request)) return;
    this.reply('report', message, { rejected: this.take(request.reports as worker.Report[]) });
  }

  private pull(message: Msg): void {
    const pull = worker.Pull.decode(message.data) as worker.Pull;
    const { partition } = pull;
    if (!this.knows(message, pull)) return;
    this.pulls.push(pull);
    const rejected = this.take(pull.reports as worker.Report[]);
    const before = this.open.get(partition);
    if (before) this.answer(partition, before, {});
    if (pull.pullSeq <= (this.lastSeq.get(partition) ?? 0)) return this.reply('pull', message, { rejected });
    this.lastSeq.set(partition, pull.pullSeq);
    const said = this.said(pull.held);
    const held = new Set(pull.held);
    const here = [...this.leased.values()].filter((one) => one.partition === partition).map(({ lease }) => lease);
    const leases = here.filter(({ token }) => !held.has(token)).slice(0, pull.free);
    const timer = setTimeout(() => this.answer(partition, waiting, {}), pull.expiresMs);
    const waiting: OpenPull = { message, pull: { ...pull, free: pull.free - leases.length } as worker.Pull, timer };
    this.open.set(partition, waiting);
    this.measure();
    if (leases.length + rejected.length + said.cancel.length + said.revoked.length > 0) {
      this.answer(partition, waiting, { leases, rejected, ...said });
    } else this.offer(partition, waiting);
    if (this.impatient && this.open.has(partition)) this.answer(partition, waiting, {});
  }

  private offer(partition: number, waiting: OpenPull): void {
    const leases = this.queues[partition]!.splice(0, waiting.pull.free);
    for (const lease of leases) this.leased.set(lease.token, { lease, partition });
    if (leases.length > 0) this.answer(partition, waiting, { leases });
  }

  private answer(partition: number, waiting: OpenPull, reply: worker.PullReply.$Properties): void {
    clearTimeout(waiting.timer);
    if (this.open.get(partition) === waiting) this.open.delete(partition);
    this.reply('pull', waiting.message, reply);
  }

  private reply(verb: WorkerVerb, message: Msg, reply: worker.PullReply.$Properties): void {
    if (this.loseReply(verb, reply)) return;
    message.respond(worker.PullReply.encode({ epoch: this.epoch, ...reply }).finish());
  }

  private said(tokens: readonly string[]): { cancel: string[]; revoked: string[] } {
    return {
      cancel: tokens.filter((token) => this.cancelling.has(token)),
      revoked: tokens.filter((token) => !this.leased.has(token)),
    };
  }

  private take(reports: readonly worker.Report[]): worker.RejectedReport.$Properties[] {
    const rejected: worker.RejectedReport.$Properties[] = [];
    for (const report of reports) {
      const code = this.reject(report);
      const { token } = report;
      if (code !== undefined) {
        rejected.push({ token, error: { code, message: `fake: ${code}`, retryable: code === 'OVERLOADED' } });
      } else if (this.leased.delete(token)) {
        this.accepted.push(report);
        this.finished.add(token);
      } else if (!this.finished.has(token)) {
        this.stale.push(token);
        const error = { code: 'STALE_ATTEMPT', message: 'not the current attempt', retryable: false };
        rejected.push({ token, error });
      }
    }
    return rejected;
  }

  private measure(): void {
    let offered = 0;
    for (const { pull } of this.open.values()) offered += pull.free;
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
