/** A worker written from docs/protocol.md alone does its work, whatever gets lost on the way; and the rules it lives by. */
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { eventually, queuesOf, Reprise } from '../broker.js';
import { ForeignWorker, type Options } from '../foreign-worker.js';
import { readHistories } from '../histories.js';
import { Stranger, type Answer, type Body, type Me } from '../stranger.js';

const protocols = fileURLToPath(new URL('../../protocols', import.meta.url));

async function setUp(t: Test, partitions = 1, brokers = 1): Promise<{ reprise: Reprise; client: Stranger; work: (more?: Partial<Options>) => Promise<ForeignWorker> }> {
  const reprise = await Reprise.start(t, { partitions, brokers });
  const client = await Stranger.connect(reprise);
  const workers: ForeignWorker[] = [];
  t.teardown(async () => {
    await Promise.all(workers.map((worker) => worker.vanish()));
    await client.close();
  });
  const work = async (more: Partial<Options> = {}): Promise<ForeignWorker> => {
    const worker = await ForeignWorker.start({
      url: reprise.url, namespace: reprise.ns, protocols, workerId: 'foreign', types: ['double'], capacity: 6,
      handle: async ({ payload }) => 2 * Number(Buffer.from(payload).toString()), ...more,
    });
    workers.push(worker);
    return worker;
  };
  return { reprise, client, work };
}

const SHORT = { heartbeatMs: 500 };
const submitted = async (client: Stranger, body: Body): Promise<string> => (await client.patient('job.submit', { type: 'double', ...body })).body['jobId'] as string;
const outcome = async (client: Stranger, jobId: string): Promise<Body> =>
  eventually(async () => {
    const { body } = await client.patient('job.await', { jobId, waitMs: 1_000 });
    return ['completed', 'failed', 'cancelled', 'expired'].includes(String(body['status'])) && body;
  }, 15_000);

t.test('the foreign worker', async (t) => {
  for (const partitions of [1, 3]) {
    t.test(`does plain work of ${partitions} partition(s)`, async (t) => {
      const { client, work } = await setUp(t, partitions);
      await work();
      const queues = queuesOf(partitions);
      const jobs = Array.from({ length: 90 }, (_, n) => ({ type: 'double', queue: queues[n % partitions], payload: n }));
      const { body } = await client.json('job.submit', { jobs, wait: true }, 15_000);
      t.strictSame((body['jobs'] as Body[]).map((each) => each['result']), jobs.map((_, n) => 2 * n));
    });
  }

  t.test('shares its slots: few go round, and of many an idle partition keeps one at most', async (t) => {
    const { client, work } = await setUp(t, 3);
    let running = 0;
    let most = 0;
    const handle = async (): Promise<void> => ((most = Math.max(most, (running += 1))), await wait(300), void (running -= 1));
    const submit = async (queues: readonly string[]): Promise<unknown> =>
      ((await client.json('job.submit', { jobs: queues.map((queue) => ({ type: 'double', queue })), wait: true }, 15_000)).body['jobs'] as Body[]).map((each) => each['status']);
    const few = await work({ capacity: 1, handle });
    t.strictSame(await submit(queuesOf(3)), Array(3).fill('completed'));
    await few.drain();
    await work({ capacity: 6, handle });
    t.strictSame(await submit(Array(16).fill(queuesOf(3)[1]) as string[]), Array(16).fill('completed'));
    t.equal(most, 4);
  });

  t.test('performs each job once and reports it once, although every third answer is lost', async (t) => {
    const { client, work } = await setUp(t);
    const worker = await work({ loses: (verb, nth) => verb === 'pull' && nth % 3 === 1 });
    const jobs = Array.from({ length: 60 }, (_, payload) => ({ type: 'double', payload }));
    const { body } = await client.json('job.submit', { jobs, wait: true }, 20_000);
    t.ok((body['jobs'] as Body[]).every((each) => each['status'] === 'completed' && each['attempt'] === 1), 'in the first attempt');
    t.equal(new Set(worker.performed).size, 60);
    t.equal(worker.performed.length, 60, 'no job was performed twice');
    const { jobs: histories } = await readHistories(client, 1);
    t.ok([...histories.values()].every(({ events }) => events.filter((each) => each.type === 'JobCompleted').length === 1));
    t.equal(histories.size, 60);
  });

  t.test('keeps a lease by heartbeats for longer than the lease', async (t) => {
    const { client, work } = await setUp(t);
    const worker = await work({ handle: async () => wait(1_600).then(() => 'slow') });
    const jobId = await submitted(client, { timeouts: SHORT });
    t.match(await outcome(client, jobId), { status: 'completed', result: 'slow', attempt: 1 });
    t.equal(worker.performed.length, 1);
  });

  t.test('loses a lease when it vanishes, and another worker does the job', async (t) => {
    const { client, work } = await setUp(t);
    const first = await work({ handle: () => new Promise(() => {}) });
    const jobId = await submitted(client, { payload: 4, timeouts: SHORT });
    await eventually(() => first.performed.length === 1);
    await first.vanish();
    const fromMs = performance.now();
    await work({ workerId: 'second' });
    t.match(await outcome(client, jobId), { status: 'completed', result: 8, attempt: 2 });
    t.ok(performance.now() - fromMs < 2_500, 'within its lease, and some patience');
  });

  t.test('stops when the job is cancelled, told by its open pull or, with no slot left, by a heartbeat', async (t) => {
    for (const capacity of [2, 1]) {
      const { client, work } = await setUp(t);
      let stopped = false;
      const worker = await work({ capacity, handle: (_, signal) => new Promise((_done, fail) => signal.addEventListener('abort', () => fail(new Error((stopped = true, 'stopped'))))) });
      const jobId = await submitted(client, { timeouts: capacity === 1 ? { heartbeatMs: 900 } : {} });
      await eventually(() => worker.performed.length === 1);
      t.match((await client.json('job.cancel', { jobId, reason: 'enough' })).body, { status: 'running', cancelling: true });
      t.match(await outcome(client, jobId), { status: 'cancelled', failure: { code: 'CANCELLED', message: 'enough' } });
      t.ok(stopped);
    }
  });

  t.test('carries on when the server is killed and comes back', async (t) => {
    const { reprise, client, work } = await setUp(t, 1, 0);
    await reprise.startChild();
    const worker = await work({ handle: async ({ payload }) => wait(1_000).then(() => Number(Buffer.from(payload).toString())) });
    const jobId = await submitted(client, { payload: 5, commandId: 'before' });
    await eventually(() => worker.performed.length === 1);
    await reprise.killServer();
    t.match(await outcome(client, jobId), { status: 'completed', result: 5 });
    const after = await submitted(client, { payload: 6, commandId: 'after' });
    t.match(await outcome(client, after), { status: 'completed', result: 6 });
  });

  t.test('carries on when the broker restarts: a new epoch, and leases keep their tokens', async (t) => {
    const { reprise, client, work } = await setUp(t);
    const worker = await work({ handle: async ({ payload }) => wait(1_500).then(() => Number(Buffer.from(payload).toString())) });
    const jobId = await submitted(client, { payload: 5 });
    await eventually(() => worker.performed.length === 1);
    await reprise.stopBroker(reprise.brokers[0]!);
    await reprise.startBroker();
    t.match(await outcome(client, jobId), { status: 'completed', result: 5, attempt: 1, position: { epoch: 2 } });
    t.equal(worker.performed.length, 1);
  });

  t.test('drains: finishes what it holds and takes no more', async (t) => {
    const { client, work } = await setUp(t);
    const worker = await work({ capacity: 1, handle: async () => wait(300).then(() => 'done') });
    const [first, second] = [await submitted(client, {}), await submitted(client, {})];
    await eventually(() => worker.performed.length === 1);
    await worker.drain();
    t.match((await client.json('job.get', { jobId: first })).body, { status: 'completed' });
    t.match((await client.json('job.get', { jobId: second })).body, { status: 'ready', attempt: 0 });
  });
});

t.test('the rules of pulls, word by word', async (t) => {
  const { reprise, client } = await setUp(t, 1, 0);
  await reprise.startChild();
  let type = 0;
  /** A job type of its own for each rule, and a worker session that does only that. */
  const scene = async (more: Body = {}): Promise<{ me: Me; pull: (body: Body) => Promise<Answer>; submit: (n?: number) => Promise<string[]> }> => {
    const name = `type-${(type += 1)}`;
    const own = await client.register(`w-${type}`, { types: [name], capacity: 10 });
    return {
      me: own,
      pull: (body) => client.json('worker.pull', { ...own, free: 10, expiresMs: 300, ...body }),
      submit: async (n = 1) => {
        const { body } = await client.json('job.submit', { jobs: Array.from({ length: n }, (_, payload) => ({ type: name, payload, ...more })) });
        return (body['jobs'] as Body[]).map((each) => each['jobId'] as string);
      },
    };
  };
  const tokens = ({ body }: Answer): string[] => (body['leases'] as { token: string }[]).map((each) => each.token).sort();
  const eventsOf = async (jobId: string): Promise<string[]> => (await readHistories(client, 1)).jobs.get(jobId)!.events.map((each) => each.type);

  t.test('a lease missing from held and reports is delivered again with the same token', async (t) => {
    const { pull, submit } = await scene();
    const [jobId] = await submit(3);
    const first = tokens(await pull({ pullSeq: 1 }));
    t.equal(first.length, 3);
    t.strictSame(tokens(await pull({ pullSeq: 1 })), first, 'to the same pullSeq');
    t.strictSame(tokens(await pull({ pullSeq: 2 })), first, 'and to the next one');
    t.strictSame(tokens(await pull({ pullSeq: 3, held: first.slice(0, 2) })), first.slice(2), 'only what is missing');
    t.strictSame(tokens(await pull({ pullSeq: 4, held: first })), [], 'nothing when all is held');
    t.strictSame(tokens(await pull({ pullSeq: 5, held: [first[0], first[0], first[0]] })), first.slice(1), 'also when held names one three times');
    t.strictSame(await eventsOf(jobId!), ['JobSubmitted', 'JobLeased'], 'and is leased once');
  });

  t.test('a higher pullSeq supersedes the open pull, which is answered empty; a lower one gets nothing', async (t) => {
    const { pull, submit } = await scene();
    const open = pull({ pullSeq: 5, expiresMs: 4_000 });
    await client.nc.flush();
    const newer = pull({ pullSeq: 6, expiresMs: 4_000 });
    const startMs = performance.now();
    t.strictSame(tokens(await open), []);
    t.ok(performance.now() - startMs < 1_000, 'at once');
    await submit();
    t.equal(tokens(await newer).length, 1, 'the newer one gets the job');
    t.strictSame(tokens(await pull({ pullSeq: 3 })), []);
  });

  t.test('an open pull is answered before it expires, and free is never exceeded', async (t) => {
    const { pull, submit } = await scene();
    const startMs = performance.now();
    t.strictSame(tokens(await pull({ pullSeq: 1, expiresMs: 400 })), []);
    const tookMs = performance.now() - startMs;
    t.ok(tookMs >= 300 && tookMs < 1_000, `${Math.round(tookMs)} ms`);
    await submit(5);
    t.equal(tokens(await pull({ pullSeq: 2, free: 2 })).length, 2);
  });

  t.test('a report sent twice gets the same answer and makes one event', async (t) => {
    const { me, pull, submit } = await scene();
    const [jobId] = await submit();
    const [token] = tokens(await pull({ pullSeq: 1 }));
    const reports = [{ token, outcome: 'ok', result: 'first' }];
    const first = await client.json('worker.report', { ...me, reports });
    t.match(first.body, { leases: [], revoked: [], rejected: [] });
    t.strictSame((await client.json('worker.report', { ...me, reports })).body, first.body);
    t.strictSame((await pull({ pullSeq: 2, reports: [{ token, outcome: 'ok', result: 'second' }] })).body['revoked'], []);
    t.match((await client.json('job.get', { jobId })).body, { result: 'first' });
    t.strictSame(await eventsOf(jobId!), ['JobSubmitted', 'JobLeased', 'JobCompleted']);
  });

  t.test('a stale token is revoked and changes nothing', async (t) => {
    const { me, pull, submit } = await scene({ timeouts: SHORT });
    const [jobId] = await submit();
    const [stale] = tokens(await pull({ pullSeq: 1 }));
    await eventually(async () => (await client.json('job.get', { jobId })).body['status'] === 'ready');
    const [fresh] = tokens(await pull({ pullSeq: 2, held: [] }));
    t.not(fresh, stale);
    t.ok(fresh!.startsWith(`${jobId}/2/2/`));
    t.strictSame((await client.json('worker.report', { ...me, reports: [{ token: stale, outcome: 'ok', result: 1 }] })).body['revoked'], [stale]);
    t.strictSame((await client.json('worker.heartbeat', { ...me, tokens: [stale, fresh] })).body['revoked'], [stale]);
    t.strictSame((await client.json('worker.report', { ...me, reports: [{ token: fresh, outcome: 'ok', result: 2 }] })).body['revoked'], []);
    t.match((await client.json('job.get', { jobId })).body, { status: 'completed', result: 2 });
    t.strictSame(await eventsOf(jobId!), ['JobSubmitted', 'JobLeased', 'JobReclaimed', 'JobLeased', 'JobCompleted']);
  });

  t.test('one bad report does not spoil the others', async (t) => {
    const { me, pull, submit } = await scene();
    await submit(2);
    const [a, b] = tokens(await pull({ pullSeq: 1 })) as [string, string];
    const { code, body } = await client.json('worker.report', { ...me, reports: [{ token: a, outcome: 'nonsense' }, { token: b, outcome: 'ok', result: 1 }] });
    t.equal(code, '');
    t.match(body['rejected'], [{ token: a, error: { code: 'INVALID_ARGUMENT', hint: String, retryable: false } }], 'with every field of an error');
    t.equal((body['rejected'] as unknown[]).length, 1);
  });

  t.test('a draining worker gets nothing; registered again it does', async (t) => {
    const { me, pull, submit } = await scene();
    const open = pull({ pullSeq: 1, expiresMs: 3_000 });
    await client.nc.flush();
    t.match((await client.json('worker.drain', me)).body, { status: 'draining', epoch: 1 });
    t.strictSame(tokens(await open), [], 'the open pull ends');
    await submit();
    t.strictSame(tokens(await pull({ pullSeq: 2 })), []);
    t.match((await client.json('worker.drain', { ...me, gone: true })).body, { status: 'gone' });
    t.equal((await pull({ pullSeq: 3 })).code, 'UNKNOWN_WORKER');
    await client.json('worker.register', { ...me, types: [`type-${type}`], capacity: 1 });
    t.equal(tokens(await pull({ pullSeq: 4 })).length, 1);
  });

  t.test('progress is shown while the attempt runs and never journaled', async (t) => {
    const { me, pull, submit } = await scene();
    const [jobId] = await submit();
    const [token] = tokens(await pull({ pullSeq: 1 }));
    const before = (await readHistories(client, 1)).commits;
    await client.json('worker.heartbeat', { ...me, tokens: [token], progress: [{ token, fraction: 0.25, message: 'a quarter' }] });
    t.match((await client.json('job.get', { jobId })).body, { progress: 0.25, progressMessage: 'a quarter' });
    t.equal((await readHistories(client, 1)).commits, before);
  });

  t.test('more work than fits into one message comes in several', async (t) => {
    const { pull } = await scene();
    const payload = 'x'.repeat(200_000);
    for (let n = 0; n < 8; n += 1) t.equal((await client.json('job.submit', { type: `type-${type}`, payload })).code, '');
    const seen = new Set<string>();
    for (let pullSeq = 1; pullSeq < 12 && seen.size < 8; pullSeq += 1) {
      const answer = await pull({ pullSeq, held: [...seen] }).catch((error: unknown) => t.fail(`pull ${pullSeq}: ${String(error)}`));
      if (typeof answer !== 'object') break;
      for (const token of tokens(answer)) seen.add(token);
    }
    t.equal(seen.size, 8);
    t.ok(reprise.children[0]!.isRunning, 'the broker lives');
  });

  t.test('the broker restarts: the session and its leases continue', async (t) => {
    if (!reprise.children[0]!.isRunning) await reprise.startChild();
    const { me, pull, submit } = await scene();
    await submit(2);
    const first = await pull({ pullSeq: 7 });
    const [held, epoch] = [tokens(first), first.body['epoch'] as number];
    await reprise.children.at(-1)!.kill();
    await reprise.startChild();
    const again = await client.patient('worker.pull', { ...me, pullSeq: 8, free: 1, expiresMs: 100 });
    t.strictSame(tokens(again), held, 'the new leader delivers the same leases with the same tokens');
    t.ok((again.body['epoch'] as number) > epoch);
  });
});
