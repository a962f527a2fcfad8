/** Queues from outside: paused, resumed, counted and listed, in JSON, in protobuf, by the client and by the command. */
import t from 'tap';
import { connectClient } from '../sdk/client.js';
import { listQueues, pauseQueue, queueStats, resumeQueue } from '../sdk/queues.js';
import { eventually, queuesOf, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger } from './stranger.js';

t.test('a paused queue, with 3 partitions, 2 brokers and a change of leader', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const [first, second, third] = queuesOf(3) as [string, string, string];
  const submit = (queue: string, form: 'json' | 'proto' = 'json') =>
    stranger[form]('job.submit', { jobs: [{ type: 'x', queue }] });
  for (const queue of [first, second, third]) await submit(queue);
  for (const form of ['json', 'proto'] as const) {
    const queue = form === 'json' ? first : second;
    const paused = await stranger[form]('queue.pause', { queue, reason: 'closed' });
    t.match(paused, { code: '', body: { queue, status: 'paused', paused: { reason: 'closed' } } }, form);
    t.equal(Number(paused.body['ready']), 1);
    const refused = (await submit(queue, form)).body['jobs'];
    t.match(refused, [{ error: { code: 'QUEUE_PAUSED', retryable: false, hint: /reprise queues resume <name>/ } }]);
  }
  await reprise.stopBroker(reprise.brokers[0]!);
  const stats = async (queue: string) => (await stranger.json('queue.stats', { queue })).body;
  await eventually(async () => (await stats(first).catch(() => ({ status: '' })))['status'] === 'paused');

  const me = await stranger.register('w', { types: ['x'], capacity: 10 });
  const pulled = async (pullSeq: number): Promise<string[]> => {
    const asked = [0, 1, 2].map((partition) =>
      stranger.json('worker.pull', { ...me, partition, pullSeq, free: 5, expiresMs: 300 }));
    const leases = (await Promise.all(asked)).flatMap(({ body }) => body['leases'] as { queue: string }[]);
    return leases.map(({ queue }) => queue);
  };
  t.strictSame(await pulled(1), [third], 'only the open queue hands out');
  t.match((await stranger.json('queue.resume', { queue: first })).body, { status: 'open', ready: 1 });
  t.strictSame((await pulled(2)).filter((queue) => queue !== third), [first]);

  const { body } = await stranger.json('queue.list', {});
  type Listed = { queue: string; status: string; running: number };
  const listed = (body['queues'] as Listed[]).map(({ queue, status, running }) => [queue, status, running]);
  const expected = [[first, 'open', 1], [second, 'paused', 0], [third, 'open', 1]];
  t.strictSame(listed, expected.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  t.equal(((await stranger.proto('queue.list', {})).body['queues'] as object[]).length, 3);

  const table = [
    [{}, 'INVALID_ARGUMENT'], [{ queue: 'no spaces' }, 'INVALID_ARGUMENT'],
    [{ queue: first, reason: 'x'.repeat(2_000) }, 'INVALID_ARGUMENT'],
    [{ queue: first, why: 'x' }, 'INVALID_ARGUMENT'],
  ] as const;
  for (const [bad, code] of table) {
    t.equal((await stranger.json('queue.pause', bad)).code, code, JSON.stringify(bad).slice(0, 60));
  }
  t.equal((await stats(first))['status'], 'open', 'and nothing was changed');
  t.match(await stranger.json('queue.pause', { queue: first, commandId: 'c' }), { code: '' });
  t.equal((await stranger.json('queue.resume', { queue: first, commandId: 'c' })).code, 'COMMAND_CONFLICT');
});

t.test('a paused queue among others, in 3 partitions at 2 brokers: only its own new jobs are refused', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const queues = queuesOf(3);
  const [paused] = queues as [string];
  type Entry = { jobId: string; duplicate?: boolean; error?: { code: string } | null };
  for (const form of ['json', 'proto'] as const) {
    const submit = async (jobs: object[]): Promise<Entry[]> =>
      (await stranger[form]('job.submit', { jobs })).body['jobs'] as Entry[];
    const before = queues.map((queue) =>
      ({ type: 'x', queue, commandId: `${form} ${queue}`, key: `${form} ${queue}` }));
    const accepted = await submit(before);
    t.match(await stranger[form]('queue.pause', { queue: paused }), { code: '' });
    const again = await submit([...before, ...queues.map((queue) => ({ type: 'x', queue }))]);
    const ids = again.slice(0, 3).map(({ jobId }) => jobId);
    t.strictSame(ids, accepted.map(({ jobId }) => jobId), `${form}: a submit that comes again gets its job`);
    t.strictSame(again.map(({ duplicate }) => duplicate ?? false), [true, true, true, false, false, false]);
    t.strictSame(again.map(({ error }) => error?.code ?? ''), ['', '', '', 'QUEUE_PAUSED', '', '']);
    const byKey = await submit([{ type: 'x', queue: paused, key: `${form} ${paused}` }]);
    t.match(byKey, [{ jobId: accepted[0]!.jobId, duplicate: true }], `${form}: so does one with the same key`);
    const resumed = await stranger[form]('queue.resume', { queue: paused });
    t.match(resumed.body, { status: 'open', ready: form === 'json' ? 1 : 2 });
  }
  const sorted = queues.toSorted();
  for (const form of ['json', 'proto'] as const) {
    const page = async (asked: object): Promise<unknown[]> => {
      const { body } = await stranger[form]('queue.list', { ...asked });
      return [(body['queues'] as { queue: string }[]).map(({ queue }) => queue), body['next'] ?? ''];
    };
    t.strictSame(await page({ limit: 2 }), [sorted.slice(0, 2), sorted[1]], `${form}: the first page`);
    t.strictSame(await page({ limit: 2, after: sorted[1] }), [sorted.slice(2), ''], `${form}: the last page`);
    t.strictSame(await page({ after: 'zzz' }), [[], '']);
    t.equal((await stranger[form]('queue.list', { limit: 1_001 })).code, 'INVALID_ARGUMENT');
    t.equal((await stranger[form]('queue.list', { after: 'no spaces' })).code, 'INVALID_ARGUMENT');
  }
});

t.test('arguments that cannot be sent are refused by the client, the field named, and nothing is paused', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => client.close());
  const table: [queue: unknown, change: unknown, RegExp][] = [
    [undefined, {}, /^queue must be a text, not undefined/], [null, {}, /^queue .* not null/], [5, {}, /^queue .* not 5/],
    ['\ud800', {}, /^queue .* not "\\ud800"/], ['zz', { reason: 5 }, /^reason must be a text, not 5/],
    ['zz', { reason: '\udc00' }, /^reason .* not "\\udc00"/], ['zz', { commandId: {} }, /^commandId .* not \{\}/],
    ['zz', { why: 'x' }, /^change has no field "why"/], ['zz', 'closed', /^change must be an object, not "closed"/],
  ];
  for (const [queue, change, message] of table) {
    for (const verb of [pauseQueue, resumeQueue]) {
      const refused = { code: 'INVALID_ARGUMENT', message };
      await t.rejects(verb(client, queue as string, change as object), refused, String(message));
    }
  }
  await t.rejects(
    queueStats(client, undefined as unknown as string),
    { code: 'INVALID_ARGUMENT', message: /^queue must be/ },
  );
  t.same(await listQueues(client), []);
  t.match(await pauseQueue(client, 'zz', { reason: 'closed', commandId: 'c' }), { paused: { reason: 'closed' } });
});

t.test('the client follows the pages of the list', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2 });
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => client.close());
  const jobs = Array.from({ length: 1_001 }, (_, nth) => ({ type: 'x', queue: `q${String(nth).padStart(4, '0')}` }));
  for (const part of [jobs.slice(0, 1_000), jobs.slice(1_000)]) await client.submit(part);
  t.strictSame((await listQueues(client)).map(({ queue }) => queue), jobs.map(({ queue }) => queue));
});

t.test('the client and the command line', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => client.close());
  const cwd = t.testdir();
  const where = ['--nats', reprise.url, '--namespace', reprise.ns];
  const queues = (...words: string[]) => run(['queues', ...words, ...where], { cwd });

  const none = /No queue has jobs that have not ended, and none is paused or has settings/;
  t.match(await queues('ls'), { code: 0, stdout: '', stderr: none });
  await client.submit([{ type: 'x', queue: 'orders' }, { type: 'x', queue: 'orders', delayMs: 60_000 }, { type: 'y' }]);
  t.match(await pauseQueue(client, 'orders', { reason: 'closed' }), {
    queue: 'orders', status: 'paused', ready: 1, scheduled: 1, running: 0,
    paused: { by: 'anna', reason: 'closed', sinceMs: Number },
  });
  const listed = (await listQueues(client)).map(({ queue, status }) => [queue, status]);
  t.match(listed, [['default', 'open'], ['orders', 'paused']]);
  t.match(await queues('show', 'orders'), {
    code: 0, stdout: /status +paused\n[^]*by +anna\n[^]*reason +closed\n[^]*ready +1\n/,
  });
  t.match(await queues('ls'), { code: 0, stdout: /queue +status +ready[^]*\ndefault +open +1[^]*\norders +paused +1/ });
  const inJson = await queues('ls', '--json');
  t.match(JSON.parse(inJson.stdout), { queues: [{ queue: 'default' }, { queue: 'orders', paused: { by: 'anna' } }] });
  const refused = await run(['submit', 'x', '--queue', 'orders', ...where], { cwd });
  t.match(refused, { code: 1, stderr: /queue orders takes no jobs: it was paused by anna: closed/ });
  const resumed = await queues('resume', 'orders', '--reason', 'open again');
  t.match(resumed, { code: 0, stdout: 'orders open: 1 jobs ready, 0 running\n' });
  t.match(await queueStats(client, 'orders'), { status: 'open', paused: undefined });
  t.match(await queues('pause', 'orders', '--json'), { code: 0, stdout: /"status":"paused"/ });
  t.match(await resumeQueue(client, 'orders'), { status: 'open' });
  t.match(await queues('pause', 'no spaces'), { code: 1, stderr: /queue must be 1 to 64 of A-Z a-z 0-9 _ -/ });
  t.match(await run(['queues', '--help'], { cwd }), { code: 0, stdout: /reprise queues pause orders --reason/ });
});
