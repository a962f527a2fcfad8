import { randomBytes } from 'node:crypto';
import { headers } from '@nats-io/nats-core';
import pino from 'pino';
import t, { type Test } from 'tap';
import { startBroker, type Broker } from '../gateways/nats/broker.js';
import { startWorker } from '../worker/start.js';
import { performer } from '../worker/performer/performer.js';
import type { Namespace } from '../protocols/ids.js';
import { error } from '../protocols/messages.js';
import { subjects } from '../protocols/subjects.js';
import { connectNats } from '../streams/connect.js';
import { startServer, type RunningServer } from '../streams/server/start.js';
import { connectClient, type Client, type ClientOptions, type Seen } from '../sdk/client.js';

const silent = pino({ level: 'silent' });
const ns = (): Namespace => `t${randomBytes(6).toString('hex')}` as Namespace;

let server: RunningServer;
t.before(async () => void (server = await startServer({ dataDir: t.testdir() })));
t.teardown(() => server.stop());

function begin(namespace: Namespace, partitions = 1): Promise<Broker> {
  return startBroker({ url: server.brokerUrl, namespace, partitions, version: '0.0.0', log: silent });
}

async function broker(t: Test, namespace: Namespace, partitions = 1): Promise<Broker> {
  const started = await begin(namespace, partitions);
  t.teardown(() => started.stop());
  await started.ready;
  return started;
}

async function client(t: Test, namespace: Namespace, options: Partial<ClientOptions> = {}): Promise<Client> {
  const made = await connectClient({ url: server.url, namespace, ...options });
  t.teardown(() => made.close());
  return made;
}

async function work(t: Test, namespace: Namespace): Promise<void> {
  const double = performer('double', (n: number) => n * 2);
  const same = performer('same', (payload: unknown) => payload);
  const broken = performer('broken', () => { throw new Error('no luck'); });
  const slow = performer('slow', (_: unknown, { progress, signal }) => new Promise((resolve, reject) => {
    progress(0.5, 'half');
    signal.addEventListener('abort', () => reject(new Error('aborted')));
    setTimeout(resolve, 60_000).unref();
  }));
  const performers = [double, same, broken, slow];
  const worker = await startWorker({ url: server.url, namespace, performers, log: silent });
  t.teardown(() => worker.stop());
}

t.test('the client submits, waits, gets and cancels, in JSON and in bytes', async (t) => {
  const namespace = ns();
  await broker(t, namespace, 3);
  await work(t, namespace);
  const c = await client(t, namespace);
  const jobs = [1, 2, 3].map((n) => ({ type: 'double', payload: n, queue: `q${n}` }));
  const replies = await c.submit(jobs, { wait: true });
  t.same(replies.map(({ result }) => result), [2, 4, 6], 'in order, over several partitions');
  const [bytes] = await c.submit([{ type: 'same', payload: new Uint8Array([0, 255]) }], { wait: true });
  t.same([...(bytes!.result as Uint8Array)], [0, 255]);
  const view = await c.get({ jobId: replies[0]!.jobId });
  t.match(view, { status: 'completed', type: 'double', queue: 'q1', result: 2, attempt: 1 });
  t.ok(view.lastSeq >= view.firstSeq && view.firstSeq > 0);
  const [failed] = await c.submit([{ type: 'broken', retry: { maxAttempts: 1 } }], { wait: true });
  t.match(failed, { status: 'failed', failure: { code: 'PERFORMER_ERROR', message: 'no luck' } });
  t.notOk('result' in failed!);
  const late = { type: 'nobody', timeouts: { startMs: 1 }, retry: { preset: 'NETWORK', maxCrashes: 2 } } as const;
  const [expired] = await c.submit([late], { wait: true });
  t.match(expired, { status: 'expired', failure: { code: 'START_TIMED_OUT' } });
  const limits = { attempt: 0, maxAttempts: 8, crashes: 0, maxCrashes: 2 };
  t.match(await c.get({ jobId: expired!.jobId }), { status: 'expired', ...limits });
  await t.rejects(c.cancel({ jobId: failed!.jobId }), { code: 'ALREADY_ENDED' });
  await t.rejects(c.get({ jobId: '0-0123456789abcdef' }), { code: 'NOT_FOUND' });
});

t.test('each job of a batch has a reply of its own', async (t) => {
  const namespace = ns();
  await broker(t, namespace);
  const c = await client(t, namespace);
  const [good, bad, again, other] = await c.submit([
    { type: 'x', payload: 1, key: 'k' },
    { type: 'no good' },
    { type: 'x', payload: 1, key: 'k' },
    { type: 'x', payload: 2, key: 'k' },
  ]);
  t.match(good, { status: 'ready', duplicate: false, error: undefined });
  t.match(bad, { error: { code: 'INVALID_ARGUMENT', retryable: false } });
  t.match(again, { jobId: good!.jobId, duplicate: true });
  t.match(other, { error: { code: 'KEY_CONFLICT' } });
  const awaited = await c.await({ key: 'k' }, { waitMs: 1 });
  t.match(awaited, { jobId: good!.jobId, status: 'ready' }, 'the current status after the time-out');
});

t.test('without a broker or a server the client fails soon', async (t) => {
  const c = await client(t, ns(), { giveUpMs: 200 });
  await t.rejects(c.submit([{ type: 'x' }]), { code: 'NO_BROKER', hint: /reprise broker/ });
  await t.rejects(connectClient({ url: 'nats://127.0.0.1:1' }), { code: 'SERVER_UNREACHABLE' });
  await t.rejects(connectClient({ url: server.url, namespace: 'a.b' }), { code: 'INVALID_ARGUMENT' });
});

t.test('given a try that may have been recorded, then the error is UNKNOWN, not the last refusal', async (t) => {
  const namespace = ns();
  const nc = await connectNats({ url: server.brokerUrl, name: 'fake broker', reconnect: false });
  t.teardown(() => nc.close());
  const codes = ['UNKNOWN'];
  nc.subscribe(subjects.command(namespace, { noun: 'job', verb: '*' }), {
    callback: (_, msg) => {
      const h = headers();
      const refusal = { code: codes.shift() ?? 'NOT_LEADER', message: 'no', hint: '', retryable: true };
      h.set('Nats-Service-Error', `${refusal.code}: no`);
      msg.respond(error.Error.encode(refusal).finish(), { headers: h });
    },
  });
  await nc.flush();
  const c = await client(t, namespace, { giveUpMs: 300 });
  await t.rejects(c.submit([{ type: 'x' }]), { code: 'UNKNOWN', message: /earlier try may have been recorded/ });
  await t.rejects(c.submit([{ type: 'x' }]), { code: 'NOT_LEADER' });
  codes.push('UNKNOWN');
  await t.rejects(c.cancel({ jobId: '0-0123456789abcdef' }), { code: 'UNKNOWN' });
  codes.push('UNKNOWN');
  await t.rejects(c.get({ jobId: '0-0123456789abcdef' }), { code: 'NOT_LEADER' }, 'a read changes nothing');
});

t.test('a broker that starts late, or is replaced while a client waits, loses and repeats nothing', async (t) => {
  const namespace = ns();
  const c = await client(t, namespace, { giveUpMs: 20_000 });
  const early = c.submit([{ type: 'double', payload: 1, commandId: 'c' }], { wait: true });
  const first = await begin(namespace);
  await first.ready;
  await first.stop();
  await broker(t, namespace);
  await work(t, namespace);
  t.match((await early)[0], { status: 'completed', result: 2 });
  const [again] = await c.submit([{ type: 'double', payload: 1, commandId: 'c' }]);
  t.match(again, { duplicate: true, jobId: (await early)[0]!.jobId });
});

t.test('watch yields facts and progress, and ends with the job', async (t) => {
  const namespace = ns();
  await broker(t, namespace);
  const c = await client(t, namespace);
  // With this subscriber the fact of the submit is published before the watcher subscribes, and not again for it.
  const nc = await connectNats({ url: server.url, name: 'listener', reconnect: false });
  t.teardown(() => nc.close());
  const published = nc.subscribe(subjects.events(namespace, 'job'), { max: 1 });
  await nc.flush();
  const [job] = await c.submit([{ type: 'slow' }]);
  for await (const fact of published) t.match(fact.subject, /\.JobSubmitted$/);
  const watching = c.watch(job!.jobId);
  await work(t, namespace);
  const seen: Seen[] = [];
  for await (const each of watching) {
    seen.push(each);
    if (each.kind !== 'progress') continue;
    t.match(await c.cancel({ jobId: job!.jobId }, { reason: 'enough' }), { cancelling: true });
  }
  t.match(seen.at(-1), { kind: 'ended', view: { status: 'cancelled', failure: { message: 'enough' } } });
  const facts = seen.flatMap((each) => (each.kind === 'fact' ? [each.fact.event?.type] : []));
  t.same(facts, ['JobLeased', 'JobCancelRequested', 'JobCancelled']);
});
