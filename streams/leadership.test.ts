import t, { type Test } from 'tap';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/nats-core';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { connectNats } from './connect.js';
import { openLeadership } from './leadership.js';
import { startServer } from './server/start.js';
import { ensureTopology } from './topology.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const zero = 0 as Partition;

async function stage(t: Test, namespace: string) {
  const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: true });
  t.teardown(() => nc.close());
  const ns = namespace as Namespace;
  await ensureTopology(nc, ns, 1);
  const clock = { now: 0 };
  let foreign = 0;
  const open = (holder: string) => openLeadership(nc, {
    ns,
    partition: zero,
    holder,
    remake: () => ensureTopology(nc, ns, 1),
    monotonicMs: () => clock.now,
    onForeign: (messages) => (foreign += messages),
  });
  const writeForeign = (bytes = '', operation?: string) => {
    const more = headers();
    if (operation) more.set('KV-Operation', operation);
    return nc.request(subjects.leadership(ns, zero), bytes, { headers: more, timeout: 1_000 });
  };
  return { jsm: await jetstreamManager(nc), ns, clock, open, writeForeign, foreign: () => foreign };
}

t.test('given two brokers, then one leads until it releases its leadership or lets it run out', async (t) => {
  const { jsm, ns, clock, open } = await stage(t, 'two');
  const [a, b] = [await open('a'), await open('b')];
  const won = await Promise.all([a.tryAcquire(), b.tryAcquire()]);
  t.equal(won.filter(Boolean).length, 1, 'one of two at once');
  const [holder, other] = a.validForMs() > 0 ? [a, b] : [b, a];
  t.notOk(await other.tryAcquire());
  clock.now = 1_400;
  t.ok(await holder.renew());
  t.notOk(await other.tryAcquire(), 'it was renewed');
  clock.now = 2_901;
  t.equal(holder.validForMs(), 0, 'the holder stops before the other may begin');
  t.ok(await other.tryAcquire(), 'taken over after a TTL');
  t.notOk(await holder.renew());
  await other.release();
  t.equal(other.validForMs(), 0);
  t.ok(await holder.tryAcquire(), 'free at once after a release');
  await jsm.streams.purge(`KV_${streams.leadership(ns)}`);
  t.ok(await other.tryAcquire(), 'free at once when the server lost its memory');
  t.notOk(await holder.renew());
});

const FOREIGN: [string, string, string?][] = [
  ['an empty message', ''],
  ['a reply of the server', '{"type":"io.nats.jetstream.api.v1.account_info_response"}'],
  ['a delete marker', '', 'DEL'],
  ['a purge marker', '', 'PURGE'],
  ['a name that is too long', 'x'.repeat(300)],
];

for (const [nth, [what, bytes, operation]] of FOREIGN.entries()) {
  t.test(`given ${what} among the claims, then it neither ends, renews nor prevents a leadership`, async (t) => {
    const { clock, open, writeForeign, foreign } = await stage(t, `foreign${nth}`);
    const [a, b] = [await open('a'), await open('b')];
    await writeForeign(bytes, operation);
    t.ok(await a.tryAcquire(), 'the first leadership can be taken');
    clock.now = 1_000;
    await writeForeign(bytes, operation);
    t.notOk(await b.tryAcquire());
    t.ok(await a.renew(), 'the renewal goes behind it');
    clock.now = 2_000;
    await writeForeign(bytes, operation);
    t.notOk(await b.tryAcquire(), 'the renewal before it counts');
    clock.now = 2_800;
    await writeForeign(bytes, operation);
    t.equal(a.validForMs(), 0);
    clock.now = 3_500;
    t.ok(await b.tryAcquire(), 'messages that are not claims are no renewals');
    t.ok(foreign() >= 4);
  });
}

t.test('given hundreds of other messages between two reads, then the newest claim is found', async (t) => {
  const { clock, open, writeForeign } = await stage(t, 'flood');
  const [a, b] = [await open('a'), await open('b')];
  t.ok(await a.tryAcquire());
  t.notOk(await b.tryAcquire());
  for (let n = 0; n < 200; n += 1) await writeForeign();
  clock.now = 1_400;
  t.ok(await a.renew());
  for (let n = 0; n < 200; n += 1) await writeForeign();
  clock.now = 2_000;
  t.notOk(await b.tryAcquire());
  t.notOk(await (await open('c')).tryAcquire(), 'nor may a new broker take it');
  await a.release();
  await writeForeign();
  t.ok(await b.tryAcquire());
});

t.test('given many renewals, then the holder purges older messages', async (t) => {
  const { jsm, ns, clock, open, writeForeign } = await stage(t, 'renewals');
  const a = await open('a');
  t.ok(await a.tryAcquire());
  for (let n = 0; n < 200; n += 1) {
    clock.now += 100;
    if (n % 10 === 0) await writeForeign();
    t.ok(await a.renew());
  }
  t.ok((await jsm.streams.info(`KV_${streams.leadership(ns)}`)).state.messages <= 80);
  t.ok(await a.renew());
});

t.test('given the stream is gone from the server, then it is made again', async (t) => {
  const { jsm, ns, open } = await stage(t, 'forgotten');
  const a = await open('a');
  t.ok(await a.tryAcquire());
  await jsm.streams.delete(`KV_${streams.leadership(ns)}`);
  t.ok(await a.tryAcquire());
});
