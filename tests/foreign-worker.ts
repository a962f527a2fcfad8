/**
 * A worker as another author would write it: from docs/protocol.md, the .proto files read at run time, and the classic
 * `nats` package. Nothing of ours is imported; a lint rule keeps it so.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { connect, Events, type NatsConnection } from 'nats';
import protobuf from 'protobufjs';

type LeaseValues = Record<'attempt' | 'leaseMs' | 'attemptMs', number> & { payload: Uint8Array };
export type Lease = Readonly<Record<'token' | 'jobId' | 'type' | 'queue', string> & LeaseValues>;
export type Report = { readonly token: string } & (
  | { readonly outcome: 'ok'; readonly result: Uint8Array }
  | { readonly outcome: 'retry'; readonly failure: { code: string; message: string } }
  | { readonly outcome: 'cancelled' }
);
interface Told {
  readonly epoch: number;
  readonly leases: readonly Lease[];
  readonly cancel: readonly string[];
  readonly revoked: readonly string[];
}
interface Attempt {
  readonly lease: Lease;
  readonly stop: AbortController;
  cancelled: boolean;
  /** On the own monotonic clock. */
  deadlineMs: number;
}

export interface Options {
  /** What it has, as docs/matching.md says. */
  readonly capabilities?: object;
  readonly url: string;
  readonly namespace: string;
  /** The folder with the .proto files. */
  readonly protocols: string;
  readonly workerId: string;
  readonly types: readonly string[];
  /** Slots, which the partitions share. */
  readonly capacity: number;
  /** Throws to fail; what it returns is JSON. */
  handle(lease: Lease, signal: AbortSignal): Promise<unknown>;
  /** Whether the answer to the nth request of a verb gets lost on the way. */
  loses?(verb: string, nth: number): boolean;
}

const EXPIRES_MS = 2_000;
/** With several partitions: a slot that finds no work in one is soon offered to another. */
const SHARED_EXPIRES_MS = 250;
const MARGIN_MS = 1_000;

/** What the worker knows of one partition. */
class Line {
  pullSeq = 0;
  epoch = 0;
  /** Slots in the open pull. */
  offered = 0;
  readonly held = new Map<string, Attempt>();
  readonly reports = new Map<string, Report>();
  /** Reported and answered: a late second delivery is not performed again. */
  readonly done = new Set<string>();
  nudge: () => void = () => {};
  readonly changed = (): Promise<void> => new Promise((resolve) => (this.nudge = resolve));

  constructor(readonly partition: number) {}
}

export class ForeignWorker {
  readonly performed: string[] = [];
  readonly codes: string[] = [];
  private readonly asked = new Map<string, number>();
  /** Given by registration, and sent with every request. */
  private identity = { session: '', proof: '' };
  /** By partition. */
  private lines: readonly Line[] = [];
  /** The same; first the one that has had nothing to offer for the longest time. */
  private turns: readonly Line[] = [];
  private leaving = false;
  private readonly loops: Promise<void>[] = [];

  private constructor(
    private readonly nc: NatsConnection,
    private readonly root: protobuf.Root,
    private readonly options: Options,
  ) {}

  static async start(options: Options): Promise<ForeignWorker> {
    const root = new protobuf.Root();
    root.resolvePath = (_origin, target) => `${options.protocols}/${target}`;
    await root.load('worker/v1/worker.proto');
    const nc = await connect({ servers: options.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const worker = new ForeignWorker(nc, root, options);
    const partitions = await worker.register();
    worker.lines = worker.turns = Array.from({ length: partitions }, (_, n) => new Line(n));
    for (const line of worker.lines) worker.loops.push(worker.keepPulling(line), worker.keepAlive(line));
    void worker.watchConnection();
    return worker;
  }

  /** No more leases; what runs is finished and reported; then the worker is gone. */
  async drain(): Promise<void> {
    this.leaving = true;
    await this.patiently('drain', { gone: false });
    for (const line of this.lines) line.nudge();
    await Promise.all(this.loops);
    await this.patiently('drain', { gone: true });
    await this.nc.close();
  }

  /** As if the process had been killed. */
  async vanish(): Promise<void> {
    this.leaving = true;
    for (const line of this.lines) {
      for (const token of [...line.held.keys(), ...line.reports.keys()]) this.drop(line, token);
      line.nudge();
    }
    await this.nc.close();
  }

  private async register(): Promise<number> {
    const { types, capacity } = this.options;
    const capabilitiesJson = JSON.stringify(this.options.capabilities ?? {});
    const reply = await this.patiently('register', { types, capacity, software: 'foreign 1', capabilitiesJson });
    this.identity = { session: reply['session'] as string, proof: reply['proof'] as string };
    return reply['partitions'] as number;
  }

  private async keepPulling(line: Line): Promise<void> {
    while (!this.over(line)) {
      const changed = line.changed();
      const free = this.leaving ? 0 : this.offer(line);
      // A pull without free slots or reports is answered at once: there is nothing to wait for.
      await (free > 0 || line.reports.size > 0 ? Promise.race([this.pull(line, free), changed]) : changed);
      // What ends together is reported together.
      await wait(1);
    }
  }

  /** How many slots a pull may offer: an even share of the free ones; where they are few, partitions take turns. */
  private offer(line: Line): number {
    line.offered = 0;
    const waiting = this.turns.filter(({ offered }) => offered === 0);
    let free = this.lines.reduce((left, { held, offered }) => left - held.size - offered, this.options.capacity);
    for (let nth = 0; waiting[nth] !== line; nth += 1) free -= Math.ceil(free / (waiting.length - nth));
    line.offered = Math.max(0, Math.ceil(free / (waiting.length - waiting.indexOf(line))));
    if (line.offered > 0) this.turns = [...this.turns.filter((each) => each !== line), line];
    return line.offered;
  }

  /** A slot is free: partitions that have none to offer look again, and so does the one that may have a report. */
  private freed(by?: Line): void {
    for (const line of this.lines) if (line === by || line.offered === 0) line.nudge();
  }

  private over(line: Line): boolean {
    return this.nc.isClosed() || (this.leaving && line.held.size + line.reports.size === 0);
  }

  private async pull(line: Line, free: number): Promise<void> {
    const pullSeq = (line.pullSeq += 1);
    const sentMs = performance.now();
    const reports = [...line.reports.values()];
    const held = [...line.held.keys()];
    const expiresMs = this.lines.length > 1 ? SHARED_EXPIRES_MS : EXPIRES_MS;
    const request = { partition: line.partition, pullSeq, free, expiresMs, held, reports };
    try {
      const told = (await this.ask('pull', request, expiresMs + MARGIN_MS)) as unknown as Told;
      if (told.epoch < line.epoch) return;
      line.epoch = told.epoch;
      for (const { token } of reports) this.reported(line, token);
      this.hear(line, told, held, sentMs);
      for (const lease of told.leases) this.begin(line, lease, sentMs);
    } catch (error) {
      // Lost or refused: the next pull says everything again.
      if ((error as { code?: unknown }).code === 'UNKNOWN_WORKER') await this.register();
      await wait(50);
    } finally {
      if (pullSeq === line.pullSeq) line.offered = 0;
      this.freed();
    }
  }

  private reported(line: Line, token: string): void {
    line.reports.delete(token);
    line.done.add(token);
    const [oldest] = line.done;
    if (line.done.size > 10_000 && oldest !== undefined) line.done.delete(oldest);
  }

  /** @param renewed the tokens that the leader was told of, at `sentMs` */
  private hear(line: Line, told: Told, renewed: readonly string[], sentMs: number): void {
    for (const token of renewed) {
      const attempt = line.held.get(token);
      if (attempt) attempt.deadlineMs = sentMs + attempt.lease.leaseMs;
    }
    for (const token of told.cancel) {
      const attempt = line.held.get(token);
      if (attempt) attempt.cancelled = true;
      attempt?.stop.abort();
    }
    for (const token of told.revoked) this.drop(line, token);
  }

  private drop(line: Line, token: string): void {
    line.held.get(token)?.stop.abort();
    line.held.delete(token);
    line.reports.delete(token);
    this.freed(line);
  }

  private begin(line: Line, lease: Lease, sentMs: number): void {
    // The same lease may come twice, with the same token.
    if (line.held.has(lease.token) || line.reports.has(lease.token) || line.done.has(lease.token)) return;
    const attempt = { lease, stop: new AbortController(), cancelled: false, deadlineMs: sentMs + lease.leaseMs };
    line.held.set(lease.token, attempt);
    this.performed.push(lease.jobId);
    void this.perform(line, attempt);
  }

  private async perform(line: Line, attempt: Attempt): Promise<void> {
    const { lease, lease: { token }, stop } = attempt;
    const limit = lease.attemptMs > 0 ? setTimeout(() => stop.abort(), lease.attemptMs).unref() : undefined;
    const report = await this.options.handle(lease, stop.signal).then(
      (value): Report => ({ token, outcome: 'ok', result: Buffer.from(JSON.stringify(value ?? null)) }),
      (error: unknown) => (attempt.cancelled ? cancelled(token) : failed(token, String(error))),
    );
    clearTimeout(limit);
    // Given up or revoked meanwhile: no result is expected.
    if (line.held.get(token) !== attempt) return;
    line.held.delete(token);
    line.reports.set(token, report);
    this.freed(line);
  }

  /** Three heartbeats a lease; what could not be renewed in time is given up. */
  private async keepAlive(line: Line): Promise<void> {
    while (!this.over(line)) {
      const leases = [...line.held.values()].map((attempt) => attempt.lease.leaseMs);
      await wait(Math.min(1_000, ...leases.map((ms) => ms / 3)) / (leases.length === 0 ? 10 : 1));
      if (line.held.size > 0) await this.heartbeat(line);
      for (const [token, { deadlineMs }] of line.held) if (deadlineMs <= performance.now()) this.drop(line, token);
    }
  }

  private async heartbeat(line: Line): Promise<void> {
    const tokens = [...line.held.keys()];
    const sentMs = performance.now();
    const told = await this.ask('heartbeat', { partition: line.partition, tokens }, 400).catch(() => undefined);
    if (told) this.hear(line, told as unknown as Told, tokens, sentMs);
  }

  /** Open pulls died with the connection. */
  private async watchConnection(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (type === Events.Reconnect) for (const line of this.lines) line.nudge();
    }
  }

  private async patiently(verb: string, body: object): Promise<Record<string, unknown>> {
    for (;;) {
      try {
        return await this.ask(verb, body, 1_000);
      } catch (error) {
        // A reply that did not come may come to the next try; a refusal says whether it will.
        if (this.nc.isClosed() || (error as { retryable?: boolean }).retryable === false) throw error;
        await wait(50);
      }
    }
  }

  private async ask(verb: string, body: object, timeout: number): Promise<Record<string, unknown>> {
    const { workerId, namespace } = this.options;
    const [request, reply] = this.types(verb);
    const bytes = request.encode(request.fromObject({ workerId, ...this.identity, ...body })).finish();
    const nth = (this.asked.get(verb) ?? 0) + 1;
    this.asked.set(verb, nth);
    const msg = await this.nc.request(`reprise.${namespace}.worker.${verb}`, bytes, { timeout });
    if (this.options.loses?.(verb, nth)) throw new Error('the answer was lost');
    const refused = msg.headers?.get('Nats-Service-Error');
    if (refused) {
      this.codes.push(refused.split(':')[0]!);
      throw Object.assign(new Error(refused), this.plain(this.root.lookupType('reprise.error.v1.Error'), msg.data));
    }
    return this.plain(reply, msg.data);
  }

  private types(verb: string): [protobuf.Type, protobuf.Type] {
    const types = MESSAGES[verb]!.map((name) => this.root.lookupType(`reprise.worker.v1.${name}`));
    return types as [protobuf.Type, protobuf.Type];
  }

  private plain(type: protobuf.Type, bytes: Uint8Array): Record<string, unknown> {
    return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true });
  }
}

const MESSAGES: Readonly<Record<string, readonly [string, string]>> = {
  register: ['RegisterWorker', 'RegisterReply'], pull: ['Pull', 'PullReply'],
  heartbeat: ['Heartbeat', 'PullReply'], drain: ['DrainWorker', 'DrainReply'],
};
const cancelled = (token: string): Report => ({ token, outcome: 'cancelled' });
const failed = (token: string, message: string): Report =>
  ({ token, outcome: 'retry', failure: { code: 'FOREIGN', message } });
