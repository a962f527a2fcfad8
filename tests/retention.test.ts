/** For how long the archive keeps contents: set from outside, at every partition that it concerns, and listed. */
import t from 'tap';
import { queueStats } from '../sdk/queues.js';
import { connectClient } from '../sdk/client.js';
import { listRetention, setRetention } from '../sdk/retention.js';
import { partitionOfQueue } from '../protocols/ids.js';
import { queuesOf, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger } from './stranger.js';

const DAY_MS = 24 * 3_600_000;

t.test('set from outside: JSON, protobuf, client; the default in all partitions, a queue in its own', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const queue = queuesOf(3)[1]!;
  t.equal(partitionOfQueue(queue, 3), 1);
  const all = await stranger.json('retention.set', { contentMs: 90 * DAY_MS, commandId: 'c-1' });
  t.match(all, { code: '', body: { changed: [0, 1, 2].map((partition) => ({ partition, duplicate: false })) } });
  const again = await stranger.json('retention.set', { contentMs: 90 * DAY_MS, commandId: 'c-1', partitions: [2, 0] });
  t.match(again.body, { changed: [2, 0].map((partition) => ({ partition, duplicate: true })) });
  const one = await stranger.proto('retention.set', { queue, contentMs: DAY_MS });
  t.match(one.body, { changed: [{ partition: 1, error: null }] });
  const { body } = await stranger.json('retention.list', {});
  t.match(body, { total: 4, settings: [0, 1, 1, 2].map((partition) => ({ partition })) });
  t.match(await stranger.json('queue.stats', { queue }), { body: { contentMs: DAY_MS } });

  const client = await connectClient({ url: reprise.brokerUrl, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => client.close());
  await setRetention(client, { queue, contentMs: 'default' });
  t.equal((await queueStats(client, queue)).contentMs, 90 * DAY_MS);
  await setRetention(client, { queue, contentMs: 0 });
  const { settings } = await listRetention(client);
  t.match(settings.find((each) => each.queue === queue), { contentMs: 0, by: 'anna' });
  await t.rejects(setRetention(client, { contentMs: 1.5 }), { code: 'INVALID_ARGUMENT' });

  const table = [
    [{ queue: 'a b', contentMs: 1 }, 'INVALID_ARGUMENT'], [{ contentMs: 4e12 }, 'INVALID_ARGUMENT'],
    [{ contentMs: 1, unset: true }, 'INVALID_ARGUMENT'], [{ queue, partitions: [0] }, 'WRONG_PARTITION'],
    [{ partitions: [1, 1] }, 'INVALID_ARGUMENT'], [{ contentMs: -1 }, 'INVALID_ARGUMENT'],
  ] as const;
  for (const [bad, expected] of table) {
    t.equal((await stranger.json('retention.set', bad)).code, expected, JSON.stringify(bad));
  }
});

t.test('an ordinary user may look, but not set it', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, giveUpMs: 100 });
  t.teardown(() => client.close());
  await t.rejects(setRetention(client, { contentMs: DAY_MS }), { code: 'PERMISSION_DENIED' });
  t.strictSame(await listRetention(client), { settings: [], total: 0 });
});

t.test('the command', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2 });
  const cwd = t.testdir();
  const retention = (...args: string[]) =>
    run(['retention', ...args, '--nats', reprise.brokerUrl, '--namespace', reprise.ns], { cwd });
  t.match(await retention('ls'), { code: 0, stderr: /for ever/ });
  t.match(await retention('set', '90d'), { code: 0, stdout: /all queues without a setting of their own.*for 90d/ });
  t.match(await retention('set', '30d', '--queue', 'orders', '--json'), {
    stdout: '{"queue":"orders","contentMs":2592000000}\n',
  });
  t.match(await retention('ls'), { stdout: /\(default\) +for 90d.*\norders +for 30d/ });
  const listed = JSON.parse((await retention('ls', '--json')).stdout) as unknown;
  t.match(listed, { total: 3, settings: [{ queue: '', contentMs: 90 * DAY_MS }, {}, {}] });
  t.match(await retention('set', 'default', '--queue', 'orders'), { stdout: /queue orders: .* as by default/ });
  t.match(await retention('set', '30'), { code: 2, stderr: /time with its unit.*30d/ });
  t.match(await run(['retention', '--help'], { cwd }), { code: 0, stdout: /Examples:\n {2}reprise retention ls/ });
});
