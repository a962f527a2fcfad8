/** Settings of queues and groups from outside: in JSON, in protobuf, by the client and by the command. */
import t from 'tap';
import { connectClient } from '../sdk/client.js';
import { listQueues, pauseQueue, queueStats, resumeQueue, setQueue } from '../sdk/queues.js';
import { Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger } from './stranger.js';

t.test('a stranger sets a queue and a group, in 3 partitions at 2 brokers, and jobs are filled in from them', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const priority = { rules: [{ label: 'tier', values: { gold: 100 } }] };
  for (const form of ['json', 'proto'] as const) {
    const [queue, group] = [`${form}/high`, `${form}/`];
    const settings = { concurrency: 3, rate: { count: 5, perMs: 60_000 }, priority };
    const done = await stranger[form]('queue.set', { queue, settings, reason: 'launch', commandId: `c-${form}` });
    const after = { concurrency: 3, rate: { count: 5, perMs: 60_000, burst: 5 }, priority };
    t.match(done, { code: '', body: { queue, status: 'open', settings: after, position: { seq: Number } } }, form);
    if (form === 'json') t.strictSame(done.body['settings'], after, 'and nothing that is not set');
    const defaults = { retry: { maxAttempts: 9 } };
    t.match(await stranger[form]('queue.set', { queue: group, settings: { defaults } }), { code: '' });
    const changed = await stranger[form]('queue.set', { queue, settings: { concurrency: 4 }, unset: ['rate'] });
    t.match(changed.body, { settings: { concurrency: 4, priority } });
    t.notOk((changed.body['settings'] as { rate?: object | null }).rate, 'unset');
    const jobs = [{ type: 'x', queue, labels: { tier: 'gold' } }, { type: 'x', queue, priority: 7, labels: { tier: 'gold' } }];
    const replies = (await stranger[form]('job.submit', { jobs })).body['jobs'] as { jobId: string }[];
    const views = await Promise.all(replies.map(async ({ jobId }) => (await stranger[form]('job.get', { jobId })).body));
    t.match(views, [{ priority: 100, maxAttempts: 9 }, { priority: 7, maxAttempts: 9 }], form);
    t.match(await stranger[form]('queue.stats', { queue: group }), { body: { ready: 2, settings: { defaults } } });
    t.match(await stranger[form]('queue.pause', { queue: group, reason: 'closed' }), { body: { status: 'paused' } });
    const refused = (await stranger[form]('job.submit', { jobs: [{ type: 'x', queue }] })).body['jobs'];
    t.match(refused, [{ error: { code: 'QUEUE_PAUSED', message: /its group (json|proto) was paused/ } }]);
  }
  const { body } = await stranger.json('queue.list', {});
  t.strictSame((body['queues'] as { queue: string }[]).map(({ queue }) => queue), ['json/', 'json/high', 'proto/', 'proto/high']);
  const table: [object, RegExp][] = [
    [{ queue: 'images/*', settings: { concurrency: 1 } }, /^queue must be/],
    [{ queue: 'a/b/c', settings: { concurrency: 1 } }, /^queue must be/],
    [{ queue: 'q', settings: { concurrency: 1e300 } }, /^settings.concurrency cannot be kept to the last digit: 1e\+300/],
    [{ queue: 'q', settings: { concurency: 1 } }, /did you mean "concurrency"\?$/],
    [{ queue: 'q', settings: { fair: { label: 'a', weights: { b: 0 } } } }, /weights\.b must be a whole number from 1/],
    [{ queue: 'q' }, /nothing is set/], [{ queue: 'q/', settings: { failedKept: 1 } }, /is a setting of queues/],
  ];
  for (const [bad, says] of table) {
    const answer = await stranger.json('queue.set', bad);
    t.match([answer.code, answer.body['message']], ['INVALID_ARGUMENT', says], JSON.stringify(bad));
  }
  t.match((await stranger.json('job.submit', { type: 'x', queue: 'images/' })).code, 'INVALID_ARGUMENT');
  t.notOk((await stranger.json('queue.stats', { queue: 'q' })).body['settings'], 'what was refused changed nothing');
});

t.test('the client and the command', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => client.close());
  const stats = await setQueue(client, 'images/high', { settings: { fair: { label: 'tenant', weights: { acme: 3 } } } });
  t.strictSame(stats.settings, { fair: { label: 'tenant', weights: { acme: 3 } } });
  await t.rejects(setQueue(client, 'q', { settings: { concurrency: 1.5 } }), { code: 'INVALID_ARGUMENT', message: /^concurrency/ });
  await t.rejects(setQueue(client, 'q', { settings: { wait: 1 } as never }), { message: /^settings has no field "wait"/ });
  t.match(await pauseQueue(client, 'images/'), { queue: 'images/', status: 'paused' });
  t.match(await queueStats(client, 'images/high'), { status: 'paused', paused: { group: 'images', by: 'anna' } });
  await resumeQueue(client, 'images/');
  t.match(await listQueues(client), [{ queue: 'images/high', settings: { fair: { label: 'tenant' } } }]);

  const queues = (...args: string[]) =>
    run(['queues', ...args, '--nats', reprise.url, '--namespace', reprise.ns], { cwd: t.testdirName });
  t.testdir();
  const set = await queues(
    'set', 'images/high', '--concurrency', '10', '--rate', '100/1m', '--burst', '20', '--per-key', 'tenant',
    '--per-key-concurrency', '2', '--per-key-rate', '5/1s', '--ageing', '0.5', '--unworkable-after', '10m',
    '--attempts', '5', '--priority-label', 'tier', '--priority-value', 'gold=100', '--deadline', '1m=30',
    '--reason', 'launch', '--json',
  );
  t.strictSame((JSON.parse(set.stdout || '{}') as { settings?: object }).settings, {
    concurrency: 10, rate: { count: 100, perMs: 60_000, burst: 20 },
    perKey: { label: 'tenant', concurrency: 2, rate: { count: 5, perMs: 1_000, burst: 5 } },
    fair: { label: 'tenant', weights: { acme: 3 } }, ageingPerMinute: 0.5,
    priority: { rules: [{ label: 'tier', values: { gold: 100 } }], deadlines: [{ withinMs: 60_000, priority: 30 }] },
    unworkableAfterMs: 600_000, defaults: { retry: { maxAttempts: 5 } },
  }, set.stderr);
  t.match(await queues('set', 'images/high', '--unset', 'rate,priority', '--weight', 'acme=2', '--fair', 'tenant'), {
    code: 0, stdout: /concurrency +10\nper key +tenant: concurrency 2[^]*fair +tenant: acme=2, others 1\n/,
  });
  t.match(await queues('ls'), { code: 0, stdout: /images\/high +open .*concurrency perKey fair/ });
  t.match(await queues('set', 'q', '--concurrency', '0'), { code: 2, stderr: /whole number between 1 and 1000000/ });
  t.match(await queues('set', 'q', '--rate', '100'), { code: 2, stderr: /like 100\/1m/ });
});
