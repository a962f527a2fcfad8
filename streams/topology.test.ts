import {
  jetstreamManager,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import t, { type Test } from 'tap';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import {
  BUCKET_OF_0_1,
  checkpointsConfig,
  journalConfig,
  keysConfig,
  leadershipConfig,
  WITNESS_OF_0_1,
  witnessConfig,
} from './configs.js';
import { connectNats } from './connect.js';
import { durabilityOf, fitness } from './durability.js';
import { openJournal } from './jetstream.js';
import { startServer } from './server/start.js';
import { ensureTopology } from './topology.js';

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
  t.same(names, [
    'KV_REPRISE_fresh_CHECKPOINTS',
    'KV_REPRISE_fresh_KEYS',
    'KV_REPRISE_fresh_LEASES',
    'OBJ_REPRISE_fresh_SNAPSHOTS',
    'REPRISE_fresh_JOURNAL_0',
    'REPRISE_fresh_JOURNAL_1',
    'REPRISE_fresh_JOURNAL_2',
    'REPRISE_fresh_WITNESS',
  ]);
  const { config } = await jsm.streams.info(streams.journal(ns, zero));
  const needed = { retention: 'limits', discard: 'new', max_age: 0, deny_delete: true, allow_direct: false };
  t.match(config, { storage: 'file', ...needed });
  t.not(config.persist_mode, 'async');
});

t.test('given another number of partitions, then it is refused', async (t) => {
  const { nc, ns } = await broker(t, 'count');
  await ensureTopology(nc, ns, 2);
  const message = /metadata\.reprise\.partitions is 2, needs 3/;
  await t.rejects(ensureTopology(nc, ns, 3), { code: 'STREAM_MISMATCH', message });
  await t.rejects(ensureTopology(nc, ns, 1), { code: 'STREAM_MISMATCH' });
});

t.test('given sizes that the operator changed, then they stay as they are', async (t) => {
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

/** As they were made by version 0.1.0. */
async function made01(jsm: JetStreamManager, ns: Namespace): Promise<void> {
  await jsm.streams.add({ ...witnessConfig(ns, 1, 1), ...WITNESS_OF_0_1 });
  await jsm.streams.add({ ...leadershipConfig(ns, 1), ...BUCKET_OF_0_1 });
  await jsm.streams.add({ ...checkpointsConfig(ns, 1), ...BUCKET_OF_0_1 });
}

t.test('given streams of version 0.1.0, then a broker updates them, and loses nothing', async (t) => {
  const { nc, jsm, ns } = await broker(t, 'older');
  await made01(jsm, ns);
  await jsm.streams.add(journalConfig(ns, 0, 1, 1));
  await jsm.streams.add(keysConfig(ns, 1));
  await nc.request(subjects.witness(ns, zero), 'kept');
  await ensureTopology(nc, ns, 1, { look: true });
  const { config } = await jsm.streams.info(streams.witness(ns));
  t.equal(config.max_msgs_per_subject, 64, 'a check alone accepts them, and changes nothing');
  await Promise.all([ensureTopology(nc, ns, 1), ensureTopology(nc, ns, 1)]);
  for (const name of [streams.witness(ns), `KV_${streams.leadership(ns)}`, `KV_${streams.checkpoints(ns)}`]) {
    const updated = { max_msgs_per_subject: -1, discard: 'new', allow_rollup_hdrs: false };
    t.match((await jsm.streams.info(name)).config, updated, name);
  }
  t.equal((await jsm.streams.info(streams.witness(ns))).state.messages, 1);
});

t.test('given a witness that no version of Reprise made, then it is refused, and not changed', async (t) => {
  const { nc, jsm, ns } = await broker(t, 'otherwise');
  await jsm.streams.add({ ...witnessConfig(ns, 1, 1), ...WITNESS_OF_0_1, max_msgs_per_subject: 65 });
  const message = /max_msgs_per_subject is 65, needs -1/;
  await t.rejects(ensureTopology(nc, ns, 1), { code: 'STREAM_MISMATCH', message });
  t.equal((await jsm.streams.info(streams.witness(ns))).config.max_msgs_per_subject, 65);
});

t.test('given no streams, then a check alone makes none', async (t) => {
  const { nc, jsm, ns } = await broker(t, 'looking');
  const missing = { code: 'STREAM_MISMATCH', message: /JOURNAL_0 is missing/ };
  await t.rejects(ensureTopology(nc, ns, 1, { look: true }), missing);
  await t.rejects(jsm.streams.info(streams.journal(ns, zero)));
});

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

t.test('given no stream, then an append is ambiguous at once, and a read names the missing stream', async (t) => {
  const ns = 'nostream' as Namespace;
  const journal = await openJournal({ url: server.brokerUrl, ns, partition: zero, ackTimeoutMs: 60_000 });
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

t.test('the durability is what the monitoring address reports', async (t) => {
  t.equal(await durabilityOf(server.monitoringUrl), 'fsync');
  t.equal(await durabilityOf(undefined), 'unverified');
  t.equal(await durabilityOf('http://127.0.0.1:1'), 'unverified');
});

t.test('servers that are too old are refused, and a newer one is recommended for replicas', async (t) => {
  t.same(fitness('2.14.0'), { ok: true });
  t.match(fitness('2.13.9'), { ok: false, advice: /2\.14\.0/ });
  t.match(fitness('2.14.0', 3), { ok: true, advice: /2\.14\.4/ });
  t.same(fitness('3.0.0', 3), { ok: true });
});
