/** Leases with real workers and brokers: a full journal, leases shorter than an open pull, large replies. */
import { setTimeout as wait } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import t, { type Test } from 'tap';
import { performer } from '../../sdk/index.js';
import type { Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import { connectNats } from '../../streams/connect.js';
import { openJournal } from '../../streams/jetstream.js';
import { eventually, queuesOf, Reprise } from '../broker.js';
import { FINAL, readHistories } from '../histories.js';
import { Stranger, type Body } from '../stranger.js';
import { silent, work } from '../worker/support.js';

const JOURNAL = 'REPRISE_test_JOURNAL_0';

async function setUp(t: Test): Promise<{ reprise: Reprise; client: Stranger }> {
  const reprise = await Reprise.start(t);
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  return { reprise, client };
}

interface Operator {
  bytes(): Promise<number>;
  limit(maxBytes: number): Promise<void>;
  pulls(): number;
}

/** Limits the size of the journal, and counts the pulls of workers. */
async function operator(t: Test, reprise: Reprise): Promise<Operator> {
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'operator', reconnect: true });
  t.teardown(() => nc.close());
  const { streams } = await jetstreamManager(nc, { checkAPI: false });
  let pulls = 0;
  nc.subscribe(`reprise.${reprise.ns}.worker.pull`, { callback: () => void (pulls += 1) });
  return {
    bytes: async () => (await streams.info(JOURNAL)).state.bytes,
    limit: async (maxBytes) => void (await streams.update(JOURNAL, { max_bytes: maxBytes })),
    pulls: () => pulls,
  };
}

t.test('while the journal is full no result is lost, and workers go on afterwards', async (t) => {
  const { reprise, client } = await setUp(t);
  const journal = await operator(t, reprise);
  let begun = 0;
  let refused = 0;
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const gated = performer('gated', async (n: number) => ((begun += 1), await gate, 2 * n));
  const debug = (fields: unknown): void => {
    if ((fields as { code?: string }).code === 'JOURNAL_FULL') refused += 1;
  };
  const size = performer('size', (text: string) => text.length);
  const options = { namespace: reprise.ns, concurrency: 10, log: { ...silent, debug } };
  const worker = await work(reprise.url, [gated, size], options);
  t.teardown(() => worker.stop());

  const gatedJobs = Array.from({ length: 10 }, (_, payload) => ({ type: 'gated', payload }));
  const { body: accepted } = await client.json('job.submit', { jobs: gatedJobs });
  const gatedIds = (accepted['jobs'] as Body[]).map(({ jobId }) => jobId);
  await eventually(() => begun === 10);
  await journal.limit((await journal.bytes()) + 300_000);
  const sizes: unknown[] = [];
  const code = await eventually(async () => {
    const job = { type: 'size', payload: 'x'.repeat(20_000), commandId: `c-${sizes.length}` };
    const answer = await client.json('job.submit', job);
    if (answer.code === '') sizes.push(answer.body['jobId']);
    return answer.code !== '' && answer.code;
  });
  t.equal(code, 'JOURNAL_FULL');
  t.ok(sizes.length > 5, `${sizes.length} jobs fitted`);
  // From now on not even a small commit fits.
  await journal.limit(await journal.bytes());
  const pullsBefore = journal.pulls();
  open();
  await eventually(() => refused >= 4);
  await journal.limit(-1);

  const ended = async (jobId: unknown): Promise<Body> =>
    eventually(async () => {
      const { body } = await client.patient('job.await', { jobId, waitMs: 1_000 });
      return FINAL.includes(String(body['status'])) && body;
    }, 20_000);
  for (const [n, jobId] of gatedIds.entries()) {
    t.match(await ended(jobId), { status: 'completed', attempt: 1, result: 2 * n });
  }
  for (const jobId of sizes) t.match(await ended(jobId), { status: 'completed', attempt: 1, result: 20_000 });
  const newJobs = Array.from({ length: 30 }, () => ({ type: 'size', payload: 'new' }));
  const more = await client.json('job.submit', { jobs: newJobs, wait: true }, 10_000);
  t.ok((more.body['jobs'] as Body[]).every((each) => each['result'] === 3), 'the worker takes new work');
  const pulls = journal.pulls() - pullsBefore;
  t.ok(pulls < 150, `${pulls} pulls`);
  const { jobs, complaints } = await readHistories(client, 1);
  t.strictSame(complaints, []);
  const histories = [...jobs.values()].map(({ events }) => events.map(({ type }) => type).join());
  t.ok(histories.every((types) => types === 'JobSubmitted,JobLeased,JobCompleted'), 'no attempt was lost');
});

t.test('a lease that a worker does not list as held runs out, even if the worker pulls', async (t) => {
  const { client } = await setUp(t);
  const me = await client.register('w', { types: ['x'], capacity: 1 });
  const once = { type: 'x', timeouts: { heartbeatMs: 500 }, retry: { maxCrashes: 1 } };
  const { body } = await client.json('job.submit', once);
  let pullSeq = 0;
  const pull = (): Promise<unknown> =>
    client.json('worker.pull', { ...me, pullSeq: (pullSeq += 1), free: 1, expiresMs: 100 });
  await pull();
  const job = await eventually(async () => {
    await pull();
    const answer = (await client.json('job.get', { jobId: body['jobId'] })).body;
    return answer['status'] !== 'running' && answer;
  }, 5_000);
  t.match(job, { status: 'failed', attempt: 1, crashes: 1, failure: { code: 'CRASH_LOOP' } });
});

t.test('a second report with another outcome is revoked', async (t) => {
  const { client } = await setUp(t);
  const me = await client.register('w', { types: ['x'], capacity: 1 });
  const { jobId } = (await client.json('job.submit', { type: 'x', retry: { backoff: { initialMs: 60_000 } } })).body;
  const { body } = await client.json('worker.pull', { ...me, pullSeq: 1, free: 1, expiresMs: 1_000 });
  const [{ token }] = body['leases'] as [{ token: string }];
  const revokedBy = async (report: Body): Promise<unknown> => {
    const reply = await client.json('worker.report', { ...me, reports: [{ token, ...report }] });
    return reply.body['revoked'];
  };
  const retry = { outcome: 'retry', failure: { code: 'X', message: 'no' } };
  t.strictSame(await revokedBy(retry), []);
  t.strictSame(await revokedBy({ outcome: 'ok', result: 1 }), [token]);
  t.strictSame(await revokedBy({ outcome: 'fail', failure: retry.failure }), [token]);
  t.strictSame(await revokedBy(retry), [], 'the same report still gets the same reply');
  t.match((await client.json('job.get', { jobId })).body, { status: 'retrying', failure: retry.failure });
  const { jobs } = await readHistories(client, 1);
  const types = jobs.get(jobId as string)!.events.map(({ type }) => type);
  t.strictSame(types, ['JobSubmitted', 'JobLeased', 'JobRetryScheduled']);
});

t.test('leases that are shorter than a pull stays open', async (t) => {
  const { reprise, client } = await setUp(t);

  t.test('a pull that was open for too long is answered without the lease, which the next one gets', async (t) => {
    const me = await client.register('w', { types: ['x'], capacity: 1 });
    const pull = async (pullSeq: number): Promise<Body[]> => {
      const { body } = await client.json('worker.pull', { ...me, pullSeq, free: 1, expiresMs: 5_000 });
      return body['leases'] as Body[];
    };
    const sentMs = performance.now();
    const open = pull(1);
    await wait(600);
    const { body } = await client.json('job.submit', { type: 'x', timeouts: { heartbeatMs: 1_000 } });
    t.strictSame(await open, []);
    t.ok(performance.now() - sentMs < 2_000, 'at once');
    t.match(await pull(2), [{ jobId: body['jobId'], attempt: 1, leaseMs: 1_000 }]);
  });

  t.test('no attempt is lost if jobs arrive from time to time at an idle worker', async (t) => {
    // It blocks the process at first, so that a lease which has nearly run out is not renewed.
    const quick = performer('quick', async (n: number, { signal }) => {
      for (const endMs = performance.now() + 20; performance.now() < endMs; );
      return wait(10, n, { signal });
    });
    const worker = await work(reprise.url, [quick], { namespace: reprise.ns });
    t.teardown(() => worker.stop());
    const job = { type: 'quick', timeouts: { heartbeatMs: 500 }, retry: { maxAttempts: 1 }, wait: true };
    const submit = async (payload: number): Promise<Body> =>
      (await client.json('job.submit', { ...job, payload }, 10_000)).body;
    for (let n = 0; n < 6; n += 1) {
      // By now the worker's pull is nearly as old as the lease is long.
      await wait(470 + 4 * n);
      t.match(await submit(n), { status: 'completed', result: n, attempt: 1 });
    }
  });
});

t.test('leases that do not fit into a reply begin when they are delivered', async (t) => {
  const { client } = await setUp(t);
  const me = await client.register('w', { types: ['x'], capacity: 8 });
  const large = { type: 'x', payload: 'x'.repeat(200_000), timeouts: { heartbeatMs: 2_000 } };
  for (let n = 0; n < 8; n += 1) await client.json('job.submit', large);
  const held: Body[] = [];
  for (let pullSeq = 1; pullSeq <= 3; pullSeq += 1) {
    const tokens = held.map(({ token }) => token);
    const pull = { ...me, pullSeq, free: 8 - held.length, held: tokens, expiresMs: 1_000 };
    const { body } = await client.json('worker.pull', pull);
    held.push(...(body['leases'] as Body[]));
    await wait(600);
  }
  t.equal(new Set(held.map(({ jobId }) => jobId)).size, 8);
  t.strictSame(held.filter(({ attempt }) => attempt !== 1), []);
});

t.test('a worker that starts while one partition is halted serves the others', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2 });
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const [healthy, full] = queuesOf(2);
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'operator', reconnect: true });
  t.teardown(() => nc.close());
  const { streams } = await jetstreamManager(nc, { checkAPI: false });
  const stream = 'REPRISE_test_JOURNAL_1';
  await streams.update(stream, { max_bytes: (await streams.info(stream)).state.bytes });
  await eventually(async () => (await client.json('job.submit', { type: 'x', queue: full })).code === 'JOURNAL_FULL');

  const worker = await work(reprise.url, [performer('x', () => 'done')], { namespace: reprise.ns, log: silent });
  t.teardown(() => worker.stop());
  const served = { type: 'x', queue: healthy, wait: true, waitMs: 8_000 };
  t.match((await client.json('job.submit', served, 10_000)).body, { status: 'completed' });
  await streams.update(stream, { max_bytes: -1 });
  const later = { type: 'x', queue: full, commandId: 'later', wait: true, waitMs: 2_000 };
  const status = async (): Promise<unknown> => (await client.json('job.submit', later, 4_000)).body['status'];
  await eventually(async () => (await status()) === 'completed', 30_000, 200);
  const home = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: 0 as Partition });
  let registrations = 0;
  for await (const { bytes } of home.replay(1)) {
    const { events } = journal.Commit.decode(bytes);
    registrations += events.filter(({ type }) => type === 'WorkerRegistered').length;
  }
  await home.close();
  t.equal(registrations, 1, 'it is recorded once');
});
