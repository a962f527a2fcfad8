import t from 'tap';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Namespace } from '../protocols/ids.js';
import { SECRET_BYTES } from '../protocols/keyring.js';
import { streams, subjects } from '../protocols/subjects.js';
import { connectNats } from './connect.js';
import { loadKeyring } from './keys.js';
import { startServer } from './server/start.js';
import { ensureTopology } from './topology.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: true });
t.teardown(() => nc.close());
const manager = await jetstreamManager(nc);

t.test('brokers that start at once draw one key, and every later one finds it', async (t) => {
  const ns = 'once' as Namespace;
  await ensureTopology(nc, ns, 1);
  const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => loadKeyring(nc, ns)));
  for (const other of [...others, await loadKeyring(nc, ns)]) t.equal(other.sign('text'), first!.sign('text'));
  t.equal((await manager.streams.info(`KV_${streams.keys(ns)}`)).state.messages, 1);
});

t.test('given another key, then the newest signs and the older ones are accepted until they are deleted', async (t) => {
  const ns = 'changed' as Namespace;
  await ensureTopology(nc, ns, 1);
  const before = (await loadKeyring(nc, ns)).sign('text');
  const secret = Buffer.alloc(SECRET_BYTES, 5).toString('base64url');
  await nc.request(subjects.keys(ns), JSON.stringify({ id: '2', secret }));
  const after = await loadKeyring(nc, ns);
  t.match(after.sign('text'), /^2\./);
  t.ok(after.verifies('text', before));
  await manager.streams.purge(`KV_${streams.keys(ns)}`, { seq: 2 });
  t.notOk((await loadKeyring(nc, ns)).verifies('text', before));
});

t.test('messages that are not keys are skipped, counted, and displace no key', async (t) => {
  const ns = 'foreign' as Namespace;
  await ensureTopology(nc, ns, 1);
  const values = [
    '',
    '{',
    'null',
    '{"id":"3"}',
    '{"id":"4","secret":"short"}',
    '{"id":5,"secret":7}',
    `{"id":"TOO-LONG-AN-ID","secret":"${'A'.repeat(43)}"}`,
    'x'.repeat(10_000),
  ];
  for (const value of values) await nc.request(subjects.keys(ns), value);
  const counted: number[] = [];
  const drawn = (await loadKeyring(nc, ns, (messages) => counted.push(messages))).sign('text');
  t.match(drawn, /^1\./);
  for (const value of values) await nc.request(subjects.keys(ns), value);
  t.equal((await loadKeyring(nc, ns, (messages) => counted.push(messages))).sign('text'), drawn);
  t.same(counted, [values.length, 2 * values.length]);
});

t.test('given an ordinary user, then the keys can neither be read nor written', async (t) => {
  const client = await connectNats({ url: server.url, name: 'client', reconnect: true });
  t.teardown(() => client.close());
  const ns = 'once' as Namespace;
  await t.rejects(loadKeyring(client, ns), { code: 'PERMISSION_DENIED' });
  await t.rejects(client.request(subjects.keys(ns), '{}'), /Permissions Violation/);
});
