/** Workers from outside: listed, cordoned and drained, in JSON, in protobuf, by the client and by the command. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { connectClient } from '../sdk/client.js';
import { cordonWorker, drainWorker, getWorker, listWorkers, uncordonWorker } from '../sdk/workers.js';
import { performer } from '../worker/performer/performer.js';
import { eventually, queuesOf, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger, type Body } from './stranger.js';
import { work } from './worker/support.js';

t.test('a stranger’s worker is listed and cordoned, in 3 partitions at 2 brokers that change', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const queues = queuesOf(3);
  const register = () => stranger.register('w', { types: ['x'], capacity: 6, capabilities: { models: ['sdxl'] } });
  const me = await register();
  let pullSeq = 0;
  const seen = new Set<string>();
  /** Jobs that it had not got before: what it does not list as held comes again. */
  const pulled = async (): Promise<string[]> => {
    pullSeq += 1;
    const load = { slots: 0.5, eventLoopMs: 1.5, memoryBytes: 1_000, attempts: 3 };
    const asked = [0, 1, 2].map((partition) =>
      stranger.json('worker.pull', { ...me, partition, pullSeq, free: 2, expiresMs: 300, load }));
    const replies = await Promise.all(asked);
    const leases = replies.flatMap(({ body }) => (body['leases'] ?? []) as { jobId: string }[]);
    return leases.map(({ jobId }) => jobId).filter((jobId) => !seen.has(jobId) && seen.add(jobId));
  };
  const submit = () => stranger.json('job.submit', { jobs: queues.map((queue) => ({ type: 'x', queue })) });
  t.match((await stranger.json('worker.get', { workerId: 'w' })).body, { status: 'starting', capacity: 6, running: 0 });
  await submit();
  const leased = await pulled();
  t.equal(leased.length, 3);
  for (const form of ['json', 'proto'] as const) {
    const { body } = await stranger[form]('worker.get', { workerId: 'w' });
    t.match(body, { status: 'ready', running: 3, types: ['x'], load: { attempts: 3, slots: 0.5 } }, form);
    t.same((body['attempts'] as { jobId: string }[]).map(({ jobId }) => jobId).sort(), [...leased].sort());
    const listed = (await stranger[form]('worker.list', {})).body['workers'] as Body[];
    t.match(listed.find(({ workerId }) => workerId === 'w'), { running: 3 });
    const cordoned = await stranger[form]('worker.cordon', { workerId: `${form}-none`, reason: 'hot' });
    t.match(cordoned, { code: '', body: { status: 'gone', cordoned: { reason: 'hot' } } }, 'one that may come');
  }
  t.match((await stranger.json('worker.get', { workerId: 'w' })).body, { capabilities: { models: ['sdxl'] } });
  t.match((await stranger.json('worker.cordon', { workerId: 'w' })).body, { status: 'cordoned', running: 3 });
  await submit();
  t.same(await pulled(), []);

  await reprise.stopBroker(reprise.brokers[0]!);
  const view = async (): Promise<Body> => (await stranger.json('worker.get', { workerId: 'w' })).body;
  await eventually(async () => (await view().catch(() => ({ status: '' }) as Body))['status'] === 'cordoned');
  const again = { ...me, types: ['x'], capacity: 6 };
  await eventually(async () => (await stranger.json('worker.register', again)).code === '');
  t.same(await pulled(), [], 'the next leaders know it as well');
  await stranger.json('worker.uncordon', { workerId: 'w' });
  await eventually(async () => (await pulled()).length > 0);

  const table = [
    ['worker.get', { workerId: 'nobody' }, 'NOT_FOUND'], ['worker.get', { workerId: 'a b' }, 'INVALID_ARGUMENT'],
    ['worker.list', { limit: 1_001 }, 'INVALID_ARGUMENT'], ['worker.uncordon', { workerId: 'nobody' }, 'NOT_FOUND'],
    ['worker.retire', { workerId: 'nobody' }, 'NOT_FOUND'], ['worker.retire', {}, 'INVALID_ARGUMENT'],
    ['worker.cordon', { workerId: 'w', reason: 'x'.repeat(2_000) }, 'INVALID_ARGUMENT'],
    ['worker.heartbeat', { ...me, partition: 0, tokens: [], load: { slots: 2 } }, 'INVALID_ARGUMENT'],
  ] as const;
  for (const [subject, bad, code] of table) {
    t.equal((await stranger.json(subject, bad)).code, code, JSON.stringify(bad).slice(0, 60));
  }
  t.match(await stranger.json('worker.cordon', { workerId: 'w', commandId: 'c' }), { code: '' });
  t.equal((await stranger.json('worker.uncordon', { workerId: 'w', commandId: 'c' })).code, 'COMMAND_CONFLICT');
});

t.test('an operator drains a worker: it hands back what does not end in time, and leaves', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2 });
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => client.close());
  let isQuick = false;
  const nap = performer('nap', async (_: unknown, { signal }) => {
    if (!isQuick) await sleep(60_000, undefined, { signal });
    return 'done';
  });
  const begin = (workerId: string) => work(reprise.url, [nap], { namespace: reprise.ns, workerId, graceMs: 50 });
  const first = await begin('first');
  const [submitted] = await client.submit([{ type: 'nap', retry: { maxAttempts: 1 } }]);
  const { jobId } = submitted!;
  await eventually(async () => (await getWorker(client, 'first')).running === 1);
  t.match(await getWorker(client, 'first'), {
    status: 'ready', attempts: [{ jobId, type: 'nap', queue: 'default', attempt: 1 }], capacity: 10,
  });
  await eventually(async () => ((await getWorker(client, 'first')).load?.memoryBytes ?? 0) > 1_000_000);
  t.match(await drainWorker(client, 'first', { reason: 'new kernel' }), {
    status: 'draining', drained: { by: 'anna', reason: 'new kernel' },
  });
  await first.stopped;
  t.match(await getWorker(client, 'first'), { status: 'gone', gone: 'drained', running: 0 });
  t.match(await client.get({ jobId }), { status: 'ready', attempt: 1, maxAttempts: 2, returns: 1 });
  isQuick = true;
  const second = await begin('second');
  t.match(await client.await({ jobId }), { status: 'completed', attempt: 2 });
  const statuses = (await listWorkers(client)).map(({ workerId, status }) => [workerId, status]);
  t.same(statuses, [['first', 'gone'], ['second', 'ready']]);
  await second.stop();
});

t.test('the client and the command line', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => client.close());
  const cwd = t.testdir();
  const where = ['--nats', reprise.url, '--namespace', reprise.ns];
  const workers = (...words: string[]) => run(['workers', ...words, ...where], { cwd });
  t.match(await workers('ls'), { code: 0, stdout: 'No worker is registered or cordoned.\n' });
  const square = performer('square', ({ n }: { n: number }) => n * n);
  const started = await work(reprise.url, [square], { namespace: reprise.ns, workerId: 'w1', queues: ['a', 'b'] });
  await eventually(async () => (await listWorkers(client)).some(({ status }) => status === 'ready'));
  t.match((await workers('ls')).stdout, /^worker +status +runs .*\nw1 +ready +0 +10 .* a b +square\n$/);
  const { workers: listed } = JSON.parse((await workers('ls', '--json')).stdout) as { workers: object[] };
  t.match(listed, [{ workerId: 'w1', status: 'ready', running: 0 }]);
  const cordoned = await workers('cordon', 'w1', '--reason', 'the fan is loud');
  t.match(cordoned.stdout, /^w1 cordoned \(the fan is loud\): 0 attempts running\n$/);
  t.match((await workers('show', 'w1')).stdout, /status +cordoned\ncordoned +by .* since .*: the fan is loud\n/);
  t.match(await cordonWorker(client, 'w1', { reason: 'again' }), { cordoned: { reason: 'the fan is loud' } });
  t.match(await uncordonWorker(client, 'w1'), { status: 'ready', cordoned: undefined });
  t.match(await workers('cordon', 'later'), { code: 0, stderr: /No worker later is registered/ });
  t.match(await workers('show', 'nobody'), { code: 1, stderr: /NOT_FOUND/ });
  t.match((await workers('drain', 'w1', '--json')).stdout, /"status":"draining"/);
  await started.stopped;
  for (const help of ['ls', 'show', 'cordon', 'uncordon', 'drain']) {
    t.match((await run(['workers', help, '--help'], { cwd })).stdout, /Examples:/);
  }
  await t.rejects(getWorker(client, 5 as unknown as string), { code: 'INVALID_ARGUMENT' });
  const unknown = { code: 'INVALID_ARGUMENT', message: /no field "why"/ };
  await t.rejects(cordonWorker(client, 'w1', { why: 'x' } as object), unknown);
});
