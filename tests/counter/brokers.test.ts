/** Commands between partitions, end to end: brokers in several processes that stop and are killed on the way. */
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import type { ReplyReceiver } from '../../actors/reply.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { verifyServer } from '../../audit/server.js';
import type { Broker } from '../../gateways/nats/broker.js';
import type { Partition } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import { eventually, Reprise } from '../broker.js';
import { CAST_PARTITIONS, QUEUES } from './cast.js';
import { counterKind, startCounter } from './counter.js';

const TIMES = 60;
const P0 = 0 as Partition;
/** Counters of partition 0. The last one sends to a partition that does not exist. */
const TO = [0, 1, 2, 7] as Partition[];

function start({ hosts }: Broker): Promise<unknown> {
  return new Promise((resolve) => {
    const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: resolve };
    hosts[P0]!.leader!.decide(replyTo, (step) => {
      for (const to of TO.slice(1)) startCounter(step, `to-${to}`, { to, everyMs: 50, times: TIMES });
      startCounter(step, 'to-0', { to: P0, everyMs: 50, times: TIMES }, replyTo);
    });
  });
}

t.test('given brokers that end on the way, then each command is done once and in order, and answered', async (t) => {
  const cast = new URL('cast.ts', import.meta.url);
  const reprise = await Reprise.start(t, { partitions: CAST_PARTITIONS, brokers: 1, cast });
  const [first] = reprise.brokers as [Broker];
  t.match(await start(first), { message: {} });

  const child = await reprise.startChild();
  const second = await reprise.startBroker();
  await reprise.stopBroker(first);
  await eventually(() => second.hosts.some(({ leader }) => leader) || wait(1_000, true));
  await wait(700);
  await child.kill();
  const leaders = await eventually(() => {
    const leading = second.hosts.flatMap(({ leader }) => leader ?? []);
    return leading.length === CAST_PARTITIONS && leading;
  });
  t.ok(leaders.every(({ epoch }) => epoch > 1), 'every partition has changed its leader');
  t.ok(leaders[P0]!.read(counterKind).get('to-0')!.rung > 0, 'the state of the counters was folded');
  await eventually(() => TO.every((to) => leaders[P0]!.read(counterKind).get(`to-${to}`)?.status === 'ended'), 30_000);

  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => client.close());
  for (const to of [0, 1, 2] as Partition[]) {
    const expected = Array.from({ length: TIMES - 1 }, (_, nth) => `to-${to}-${nth + 2}`);
    const keys = [...leaders[to]!.read(jobKind).all()].map(({ key }) => key);
    t.strictSame(keys, expected, `partition ${to} has each job once and in order`);
    for (const key of expected) t.match(await client.get({ queue: QUEUES[to]!, key }), { key, status: 'ready' });
    const counter = leaders[P0]!.read(counterKind).get(`to-${to}`);
    t.match(counter, { rung: TIMES, accepted: TIMES - 1, refused: ['WRONG_PARTITION'] });
  }
  const nowhere = leaders[P0]!.read(counterKind).get('to-7');
  t.match(nowhere, { accepted: 0, refused: Array.from({ length: TIMES }, () => 'WRONG_PARTITION') });
  const findings = await verifyServer(reprise.brokerUrl, reprise.ns);
  t.strictSame(findings.map(({ ok, problem }) => [ok, problem]), [0, 1, 2].map(() => [true, undefined]));
});
