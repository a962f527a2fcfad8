/**
 * Records a data folder for the present release: `npx tsx tests/journals/record.ts`, once for a release. It refuses to
 * overwrite a folder that is there. It takes a little over a minute, because ended jobs leave the leader after one.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type NatsConnection } from 'nats';
import pino from 'pino';
import { startBroker, type Broker } from '../../gateways/nats/broker.js';
import { parseNamespace, type Partition } from '../../protocols/ids.js';
import { connectNats } from '../../streams/connect.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { startServer } from '../../streams/server/start.js';
import { queuesOf } from '../broker.js';
import { recordProtocols } from './protocols.js';
import { canonical, foldedView, folderOf, hashOfView, type RecordedJob, type Recording } from './recording.js';

const NAMESPACE = parseNamespace('default')!;
const PARTITIONS = 2;
const MONTHS_MS = 300 * 24 * 3_600_000;
/** Ended jobs are remembered by the leader for one minute. */
const FORGOTTEN_MS = 61_000;
/** What belongs to the server's process and not to what it stored. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'server.lock', 'ports', 'broker.secret', 'nats-server.log', 'nats-server.out',
]);

type Body = Record<string, unknown>;

class Recorder {
  /** Ids, by what the job is there for. */
  readonly jobs = new Map<string, string>();
  private pullSeq = 0;
  private identity: Body = {};
  private readonly identities = new Map<string, Body>();

  /** @param operator the connection with the broker's user */
  constructor(
    private readonly nc: NatsConnection,
    private readonly operator: NatsConnection,
  ) {}

  async ask(noun: string, verb: string, body: Body, nc = this.nc): Promise<Body> {
    const subject = `reprise.${NAMESPACE}.${noun}.${verb}`;
    const message = await nc.request(subject, JSON.stringify(body), { timeout: 10_000 });
    const reply = JSON.parse(message.string()) as Body;
    if (message.headers?.get('Nats-Service-Error')) throw new Error(`${noun}.${verb}: ${message.string()}`);
    return reply;
  }

  async submit(name: string, job: Body): Promise<string> {
    const { jobId } = await this.ask('job', 'submit', { type: 'recorded', payload: { name }, ...job });
    this.jobs.set(name, jobId as string);
    return jobId as string;
  }

  async register(workerId: string, types: readonly string[]): Promise<void> {
    const known = this.identities.get(workerId) ?? { workerId };
    const registration = { ...known, types, capacity: 10, software: 'recorder' };
    const { session, proof } = await this.ask('worker', 'register', registration);
    this.identity = { workerId, session, proof };
    this.identities.set(workerId, this.identity);
  }

  /** Pulls until a lease of the type comes. @returns its token */
  async lease(partition: number, held: readonly string[] = []): Promise<string> {
    this.pullSeq += 1;
    const pull = { ...this.identity, partition, pullSeq: this.pullSeq, free: 1, expiresMs: 2_000, held };
    const { leases } = (await this.ask('worker', 'pull', pull)) as { leases: { token: string }[] };
    if (leases[0] === undefined) throw new Error('no lease came');
    return leases[0].token;
  }

  async report(partition: number, report: Body): Promise<void> {
    const reply = await this.ask('worker', 'report', { ...this.identity, partition, reports: [report] });
    if ((reply['revoked'] as unknown[]).length > 0) throw new Error(`revoked: ${JSON.stringify(report)}`);
  }

  async drain(gone: boolean): Promise<void> {
    await this.ask('worker', 'drain', { ...this.identity, gone });
  }

  /** Of every partition, verified. */
  async snapshots(): Promise<void> {
    const { snapshots } = (await this.ask('snapshot', 'take', {}, this.operator)) as { snapshots: Body[] };
    const errors = snapshots.flatMap(({ error }) => (error ? [error] : []));
    if (errors.length > 0 || snapshots.length < PARTITIONS) throw new Error(JSON.stringify(snapshots));
  }

  async pausedQueues(): Promise<string[]> {
    const { queues } = (await this.ask('queue', 'list', {})) as { queues: { queue: string; status: string }[] };
    return queues.filter(({ status }) => status === 'paused').map(({ queue }) => queue);
  }

  async view(jobId: string): Promise<RecordedJob> {
    const view = await this.ask('job', 'get', { jobId });
    const { status, attempt, result, resultBase64, contentType, failure } = view as Body & RecordedJob;
    const json = result === undefined ? undefined : Buffer.from(JSON.stringify(result)).toString('base64');
    const bytes = resultBase64 ?? json;
    return {
      jobId, status, attempt,
      ...(bytes !== undefined && { resultBase64: bytes }), ...(contentType !== undefined && { contentType }),
      ...(failure && { failure: { code: failure.code, message: failure.message } }),
    };
  }
}

/** Jobs that have ended in every way. */
async function recordEnded(recorder: Recorder, queue: string, p: number): Promise<void> {
  const named = (name: string): string => `${name}-${p}`;
  const all = { labels: { tenant: 'acme' }, key: named('past-key'), commandId: named('command') };
  await recorder.submit(named('completed'), { queue, ...all });
  await recorder.report(p, { token: await recorder.lease(p), outcome: 'ok', result: { pages: 3 } });
  await recorder.submit(named('completed-bytes'), { queue, payloadBase64: 'AAECAw==', payload: undefined });
  const image = { resultBase64: '/wA=', contentType: 'image/png' };
  await recorder.report(p, { token: await recorder.lease(p), outcome: 'ok', ...image });
  await recorder.submit(named('failed'), { queue });
  const failure = { code: 'NO_SUCH_PAGE', message: 'page 7 does not exist', stack: 'Error: page 7\n    at render' };
  await recorder.report(p, { token: await recorder.lease(p), outcome: 'fail', failure });
  await recorder.submit(named('failed-after-two'), { queue, retry: { maxAttempts: 2, backoff: { initialMs: 0 } } });
  for (let nth = 0; nth < 2; nth += 1) {
    await recorder.report(p, { token: await recorder.lease(p), outcome: 'retry', failure, retryAfterMs: 0 });
  }
  const waiting = await recorder.submit(named('cancelled-waiting'), { queue, type: 'nobody' });
  await recorder.ask('job', 'cancel', { jobId: waiting, reason: 'ordered twice' });
  const running = await recorder.submit(named('cancelled-running'), { queue });
  const token = await recorder.lease(p);
  await recorder.ask('job', 'cancel', { jobId: running, reason: 'too late' });
  await recorder.report(p, { token, outcome: 'cancelled' });
  await recorder.submit(named('expired'), { queue, type: 'nobody', timeouts: { totalMs: 100 } });
}

/** Jobs that have not ended. */
async function recordLiving(recorder: Recorder, queue: string, p: number): Promise<void> {
  const named = (name: string): string => `${name}-${p}`;
  await recorder.submit(named('completed-lately'), { queue });
  await recorder.report(p, { token: await recorder.lease(p), outcome: 'ok', result: [1, 2] });
  await recorder.submit(named('retrying'), { queue });
  const later = { failure: { message: 'once more' }, retryAfterMs: MONTHS_MS };
  await recorder.report(p, { token: await recorder.lease(p), outcome: 'retry', ...later });
  await recorder.register('lost', ['lost']);
  await recorder.submit(named('reclaimed'), { queue, type: 'lost', timeouts: { heartbeatMs: 500 } });
  await recorder.lease(p);
  await recorder.drain(false);
  await wait(1_000);
  await recorder.register('worker', ['recorded']);
  await recorder.submit(named('running'), { queue, timeouts: { heartbeatMs: 2_000 } });
  const held = await recorder.lease(p);
  const cancelling = await recorder.submit(named('cancelling'), { queue, timeouts: { heartbeatMs: 2_000 } });
  await recorder.lease(p, [held]);
  await recorder.ask('job', 'cancel', { jobId: cancelling, reason: 'while it ran' });
  const keyed = { key: named('key'), priority: 5, labels: { a: '1', b: '2' } };
  await recorder.submit(named('ready'), { queue, type: 'later', ...keyed });
  await recorder.submit(named('ready-first'), { queue, type: 'later', priority: 9, commandId: named('later-command') });
  await recorder.submit(named('scheduled'), { queue, delayMs: MONTHS_MS, timeouts: { totalMs: MONTHS_MS + 1_000 } });
}

/** Queues without jobs, in all partitions: one is paused, resumed and paused again, another is open again. */
async function recordQueues(recorder: Recorder): Promise<void> {
  for (let n = 0; n < 2 * PARTITIONS; n += 1) {
    await recorder.ask('queue', 'pause', { queue: `paused-${n}`, reason: 'maintenance', commandId: `pause-${n}` });
    await recorder.ask('queue', 'pause', { queue: `resumed-${n}`, reason: 'maintenance' });
    await recorder.ask('queue', 'resume', { queue: `paused-${n}`, reason: 'done' });
    await recorder.ask('queue', 'resume', { queue: `resumed-${n}` });
    await recorder.ask('queue', 'pause', { queue: `paused-${n}`, reason: 'out of paper' });
  }
}

/** After the last snapshot, so that there is something to fold on. */
async function recordAfter(recorder: Recorder, queue: string, p: number): Promise<void> {
  await recorder.submit(`ready-after-${p}`, { queue, type: 'later', key: `after-${p}`, labels: { a: '2' } });
  const cancelled = await recorder.submit(`cancelled-after-${p}`, { queue, type: 'nobody' });
  await recorder.ask('job', 'cancel', { jobId: cancelled, reason: 'after the snapshot' });
  await recorder.ask('queue', 'pause', { queue: `paused-after-${p}`, reason: 'after the snapshot' });
}

/** What the server answers to a question whose reply subject is the journal: a foreign message. */
async function disturb(nc: NatsConnection): Promise<void> {
  nc.publish('$JS.API.INFO', '', { reply: `reprise.${NAMESPACE}.journal.0` });
  await nc.flush();
}

/** Positions of the verified ones, newest first. */
async function snapshotsOf(url: string, partition: Partition): Promise<number[]> {
  const nc = await connectNats({ url, name: 'recorder', reconnect: false });
  const all = await new SnapshotStore(new Objects(nc, NAMESPACE)).list(partition);
  await nc.close();
  return all.flatMap(({ seq, isVerified }) => (isVerified ? [seq] : []));
}

async function record(version: string): Promise<void> {
  const folder = folderOf(version);
  if (existsSync(folder)) throw new Error(`${folder} is there already: what was recorded stays as it is.`);
  const dataDir = await mkdtemp(join(tmpdir(), 'reprise-record-'));
  const server = await startServer({ dataDir });
  const log = pino({ level: 'warn' }, pino.destination(2));
  const start = (): Promise<Broker> =>
    startBroker({ url: server.brokerUrl, namespace: NAMESPACE, partitions: PARTITIONS, version, log });
  let broker = await start();
  await broker.ready;
  const nc = await connect({ servers: server.url });
  const { host: servers, username: user, password: pass } = new URL(server.brokerUrl);
  const operator = await connect({ servers, user, pass });
  const recorder = new Recorder(nc, operator);
  const queues = queuesOf(PARTITIONS);

  await recorder.register('gone', ['recorded']);
  await recorder.drain(true);
  await recorder.register('worker', ['recorded']);
  for (const [p, queue] of queues.entries()) await recordEnded(recorder, queue, p);
  await disturb(nc);
  await recorder.snapshots();
  await broker.stop();
  broker = await start();
  await broker.ready;
  await wait(FORGOTTEN_MS);
  await recorder.register('worker', ['recorded']);
  for (const [p, queue] of queues.entries()) await recordLiving(recorder, queue, p);
  await recordQueues(recorder);
  await recorder.snapshots();
  for (const [p, queue] of queues.entries()) await recordAfter(recorder, queue, p);

  const jobs: Record<string, RecordedJob> = {};
  for (const [name, jobId] of recorder.jobs) jobs[name] = await recorder.view(jobId);
  const pausedQueues = await recorder.pausedQueues();
  await nc.close();
  await broker.stop();
  const views = await Promise.all(queues.map((_, p) => foldedView(server.brokerUrl, NAMESPACE, p as Partition)));
  const snapshots = await Promise.all(queues.map((_, p) => snapshotsOf(server.brokerUrl, p as Partition)));
  await operator.close();
  await server.stop();

  await mkdir(folder, { recursive: true });
  await recordProtocols(version);
  await cp(dataDir, join(folder, 'data'), { recursive: true, filter: (path) => !NOT_KEPT.has(basename(path)) });
  await rm(dataDir, { recursive: true });
  const partitions = views.map((view, p) => {
    const { version: viewVersion, seq } = view;
    return { viewVersion, viewHash: hashOfView(view), seq, snapshots: snapshots[p]! };
  });
  const recording: Recording = { namespace: NAMESPACE, partitions, jobs, pausedQueues };
  await writeFile(join(folder, 'recording.json'), `${JSON.stringify(recording, null, 2)}\n`);
  for (const [p, view] of views.entries()) {
    const text = JSON.stringify(JSON.parse(canonical(view)), null, 1);
    await writeFile(join(folder, `view.${p}.json`), `${text}\n`);
  }
}

const manifest = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };
await record(version);
