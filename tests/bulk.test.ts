/** Bulks from outside, over 3 partitions, with a change of leader in the middle. */
import t from 'tap';
import { connectClient } from '../sdk/client.js';
import { goBulk, showBulk, startBulk, stopBulk } from '../sdk/bulk.js';
import { listJobs } from '../sdk/jobs.js';
import { eventually, queuesOf, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger } from './stranger.js';

t.test('jobs of 3 partitions are counted, then exactly those are changed, whoever leads', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => Promise.all([stranger.close(), client.close()]));
  const queues = queuesOf(3);
  const jobs = Array.from({ length: 300 }, (_, nth) => ({ type: nth % 2 ? 'old' : 'x', queue: queues[nth % 3]! }));
  await client.submit(jobs);
  const { bulkId } = await startBulk(client, 'reprioritize', 'type:old', {
    priority: 9, hold: true, perSecond: 100, reason: 'urgent',
  });
  const held = await eventually(async () => {
    const bulk = await showBulk(client, bulkId);
    return bulk.parts.every(({ status }) => status === 'held') && bulk;
  });
  t.match(held, { action: 'reprioritize', filter: 'type:old', by: 'anna', reason: 'urgent' });
  t.strictSame(held.parts.map(({ members, acted }) => [members, acted]), [[50, 0], [50, 0], [50, 0]]);
  await client.submit([{ type: 'old', queue: queues[0]! }]);
  await goBulk(client, bulkId);
  await reprise.stopBroker(reprise.brokers[0]!);
  const done = await eventually(async () => {
    const bulk = await showBulk(client, bulkId).catch(() => undefined);
    return bulk?.parts.every(({ status }) => status === 'done') && bulk;
  });
  t.strictSame(done.parts.map(({ acted, skipped }) => [acted, skipped]), [[50, 0], [50, 0], [50, 0]]);
  t.equal((await listJobs(client, 'priority:9', { limit: 1_000 })).jobs.length, 150, 'and the younger one is not');

  for (const form of ['json', 'proto'] as const) {
    const started = { bulkId: `b-${form}`, action: 'cancel', filter: 'type:x', perSecond: 1, reason: 'r' };
    t.match((await stranger[form]('bulk.start', started)).body, { bulkId: `b-${form}` });
    t.match(await stopBulk(client, `b-${form}`), { parts: [{ status: 'stopped' }, {}, {}] });
    t.equal((await stranger[form]('bulk.show', { bulkId: 'none' })).code, 'NOT_FOUND');
    t.equal((await stranger[form]('bulk.go', { bulkId: 'none' })).code, 'NOT_FOUND');
  }
  for (const bad of [{ bulkId: '' }, { action: 'explode' }, { filter: 'typ:a' }, { perSecond: 1_001 }, { priority: 3e9 }]) {
    const asked = { bulkId: 'bad', action: 'cancel', ...bad };
    t.equal((await stranger.json('bulk.start', asked)).code, 'INVALID_ARGUMENT', JSON.stringify(bad));
  }
  const where = ['--nats', reprise.url, '--namespace', reprise.ns];
  const bulk = (...words: string[]) => run(['jobs', 'bulk', ...words, ...where], { cwd: t.testdir() });
  t.match(await bulk('cancel', 'type:old', 'priority:9'), {
    code: 0, stderr: /150 jobs match[^]*Nothing was changed/, stdout: /150 jobs, 0 changed/,
  });
  t.match(await bulk('cancel', 'type:old', '--yes', '--rate', '1000', '--reason', 'enough', '--json'), {
    code: 0, stdout: /"acted":5[01]/,
  });
  t.equal((await listJobs(client, 'type:old')).jobs.length, 0);
});
