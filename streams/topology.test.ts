import { jetstreamManager, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import t, { type Test } from 'tap';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { connectNats } from './connect.js';
import { durabilityOf, fitness } from './durability.js';
import { openJournal } from './jetstream.js';
import { LeaderLease } from './leader-lease.js';
import { startServer } from './server/start.js';
import { ensureTopology } from './topology.js';
import { openWitness } from './witness.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const zero = 0 as Partition;

async function broker(t: Test, namespace: string) {
  const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: true });
  t.teardown(() => nc.close());
  return { nc, jsm: await jetstreamManager(nc), ns: namespace as Namespace };
}

t.test('given an empty server, when brokers start at once, then the streams are made once and fit', async (t) => {
  const { nc, jsm, ns } = await broker(t, 'fresh');
  await Promise.all([1, 2, 3, 4].map(() => ensureTopology(nc, ns, 3)));
  await ensureTopology(nc, ns, 3);
  const names = (await jsm.streams.names().next()).filter((name) => name.includes('_fresh_')).sort();
  t.same(names, ['KV_REPRISE_fresh_CHECKPOINTS', 'KV_REPRISE_fresh_KEYS', 'KV_REPRISE_fresh_LEASES', 'REPRISE_fresh_JOURNAL_0', 'REPRISE_fresh_JOURNAL_1', 'REPRISE_fresh_JOURNAL_2', 'REPRISE_fresh_WITNESS']);
  const { config } = await jsm.streams.info(streams.journal(ns, zero));
  t.match(config, { storage: 'file', retention: 'limits', discard: 'new', max_age: 0, deny_delete: true, allow_direct: false });
  t.not(config.persist_mode, 'async');
});

t.test('given another number of partitions, then it is refused', async (t) => {
  const { nc, ns } = await broker(t, 'count');
  await ensureTopology(nc, ns, 2);
  await t.rejects(ensureTopology(nc, ns, 3), { code: 'STREAM_MISMATCH', message: /metadata\.reprise\.partitions is 2, needs 3/ });
  await t.rejects(ensureTopology(nc, ns, 1), { code: 'STREAM_MISMATCH' });
});

t.test('given sizes that the operator changed, then they are his', async (t) => {
  const { nc, jsm, ns } = await broker(t, 'sizes');
  await ensureTopology(nc, ns, 1, { maxBytes: 1_000_000 });
  await jsm.streams.update(streams.journal(ns, zero), { max_bytes: 2_000_000 });
  await ensureTopology(nc, ns, 1, { maxBytes: 1_000_000 });
  t.equal((await jsm.streams.info(streams.journal(ns, zero))).config.max_bytes, 2_000_000);
});

const WRONG: Record<string, Partial<StreamConfig>> = {
  'storage is memory, needs file': { storage: StorageType.Memory },
  'retention is workqueue, needs limits': { retention: RetentionPolicy.Workqueue },
  'max_age is 3600000000000, needs off': { max_age: 3_600_000_000_000 },
  'deny_delete is off, needs true': { deny_delete: false },
  'allow_rollup_hdrs is true, needs off': { allow_rollup_hdrs: true },
  'allow_direct is true, needs off': { allow_direct: true },
  'allow_msg_ttl is true, needs off': { allow_msg_ttl: true },
  'persist_mode is async, needs off': { persist_mode: 'async' } as Partial<StreamConfig>,
  'max_msgs is 10, needs -1': { max_msgs: 10 },
};

for (const [says, config] of Object.entries(WRONG)) {
  t.test(`given a journal whose ${says}, then it is refused with that difference`, async (t) => {
    const { nc, jsm, ns } = await broker(t, `wrong_${Object.keys(config)[0]}`);
    await jsm.streams.add({ name: streams.journal(ns, zero), subjects: [subjects.journal(ns, zero)], ...config });
    await t.rejects(ensureTopology(nc, ns, 1), { code: 'STREAM_MISMATCH', message: new RegExp(says) });
  });
}

t.test('given an ordinary user, then making streams, appending and reading are refused by name', async (t) => {
  const { nc, ns } = await broker(t, 'ordinary');
  const client = await connectNats({ url: server.url, name: 'client', reconnect: true });
  t.teardown(() => client.close());
  await t.rejects(ensureTopology(client, ns, 1), { code: 'PERMISSION_DENIED' });
  await ensureTopology(nc, ns, 1);
  const journal = await openJournal({ url: server.url, ns, partition: zero });
  t.teardown(() => journal.close());
  t.match(await journal.append(new Uint8Array(3), 0), { kind: 'refused', why: 'other', message: /[Pp]ermission/ });
  await t.rejects(journal.lastSeq(), { code: 'PERMISSION_DENIED' });
});

t.test('given no stream, then an append is ambiguous at once and reading says what is missing', async (t) => {
  const journal = await openJournal({ url: server.brokerUrl, ns: 'nostream' as Namespace, partition: zero, ackTimeoutMs: 60_000 });
  t.teardown(() => journal.close());
  t.match(await journal.append(new Uint8Array(3), 0), { kind: 'ambiguous', message: /no stream/ });
  await t.rejects(journal.lastSeq(), { code: 'STREAM_MISMATCH', message: /not found/ });
});

t.test('given no server, a wrong password or a bad address, then connecting says which', async (t) => {
  const at = (url: string) => connectNats({ url, name: 'test', reconnect: true });
  await t.rejects(at('nats://127.0.0.1:1'), { code: 'SERVER_UNREACHABLE', hint: /reprise dev/ });
  await t.rejects(at(server.brokerUrl.replace(/:[^:@]*@/, ':wrong@')), { code: 'PERMISSION_DENIED' });
  await t.rejects(at('nats://'), { code: 'SERVER_UNREACHABLE' });
});

t.test('given heads that are noted in a burst, then the newest of each partition is kept, at most 64', async (t) => {
  const { nc, ns } = await broker(t, 'witness');
  await ensureTopology(nc, ns, 2);
  const witness = openWitness(nc, ns, { onError: (error) => t.fail(error.message) });
  const head = (seq: number, partition = zero) => ({ journalId: 'j', partition, seq, hash: new Uint8Array(32).fill(seq), epoch: 2 });
  t.same(await witness.heads(zero), []);
  for (let seq = 1; seq <= 5; seq += 1) witness.note(head(seq));
  witness.note(head(9, 1 as Partition));
  await witness.flush();
  await witness.flush();
  t.same((await witness.heads(zero)).map((each) => each.seq), [5]);
  t.match(await witness.heads(1 as Partition), [{ journalId: 'j', partition: 1, seq: 9, epoch: 2 }]);
  for (let seq = 6; seq <= 80; seq += 1) {
    witness.note(head(seq));
    await witness.flush();
  }
  const kept = await witness.heads(zero);
  t.equal(kept.length, 64);
  t.same(kept.at(-1), head(80));
  t.same(await witness.heads(1 as Partition), [head(9, 1 as Partition)], 'a busy partition does not push out another');
});

t.test('given a head that nobody flushes, then it is written by itself', async (t) => {
  const { nc, ns } = await broker(t, 'timer');
  await ensureTopology(nc, ns, 1);
  const written = nc.subscribe(subjects.witness(ns, zero), { max: 1 });
  const witness = openWitness(nc, ns);
  witness.note({ journalId: 'j', partition: zero, seq: 3, hash: new Uint8Array(32), epoch: 1 });
  for await (const message of written) t.ok(message.data.length > 0);
  await witness.close();
});

t.test('given a witness that cannot write, then it tells, and the leader goes on', async (t) => {
  const { nc, ns } = await broker(t, 'nowhere');
  const told: string[] = [];
  const witness = openWitness(nc, ns, { onError: (error) => told.push(error.code) });
  witness.note({ journalId: 'j', partition: zero, seq: 1, hash: new Uint8Array(32), epoch: 1 });
  await witness.flush();
  t.same(told, ['SERVER_UNREACHABLE']);
});

t.test('given two brokers, then one has the lease until it gives it up or falls silent for a TTL', async (t) => {
  const { nc, jsm, ns } = await broker(t, 'lease');
  await ensureTopology(nc, ns, 1);
  let now = 0;
  const open = (holder: string) => LeaderLease.open(nc, { ns, partition: zero, holder, remake: async () => undefined, monotonicMs: () => now });
  const [a, b] = [await open('a'), await open('b')];
  t.same(await Promise.all([a.tryAcquire(), b.tryAcquire()]).then((won) => won.filter(Boolean).length), 1, 'one of two at once');
  const [holder, other] = a.validForMs() > 0 ? [a, b] : [b, a];
  t.notOk(await other.tryAcquire());
  now = 1_400;
  t.ok(await holder.renew());
  t.notOk(await other.tryAcquire(), 'it was renewed');
  now = 2_901;
  t.equal(holder.validForMs(), 0, 'the holder stops before the other may begin');
  t.ok(await other.tryAcquire(), 'stolen');
  t.notOk(await holder.renew());
  await other.release();
  t.equal(other.validForMs(), 0);
  t.ok(await holder.tryAcquire(), 'given up is free at once');
  await jsm.streams.purge(`KV_${streams.leases(ns)}`);
  t.ok(await other.tryAcquire(), 'lost with the memory of the server is free at once');
  t.notOk(await holder.renew());
});

t.test('the durability is what the server says of itself', async (t) => {
  t.equal(await durabilityOf(server.monitoringUrl), 'fsync');
  t.equal(await durabilityOf(undefined), 'unverified');
  t.equal(await durabilityOf('http://127.0.0.1:1'), 'unverified');
});

t.test('servers that are too old are refused, and replicas want a newer one', async (t) => {
  t.same(fitness('2.14.0'), { ok: true });
  t.match(fitness('2.13.9'), { ok: false, advice: /2\.14\.0/ });
  t.match(fitness('2.14.0', 3), { ok: true, advice: /2\.14\.4/ });
  t.same(fitness('3.0.0', 3), { ok: true });
});
