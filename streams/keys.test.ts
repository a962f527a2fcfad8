import t from 'tap';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { Namespace } from '../protocols/ids.js';
import { SECRET_BYTES } from '../protocols/keyring.js';
import { streams } from '../protocols/subjects.js';
import { connectNats } from './connect.js';
import { loadKeyring } from './keys.js';
import { startServer } from './server/start.js';
import { ensureTopology } from './topology.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: true });
t.teardown(() => nc.close());

t.test('brokers that start at once draw one key, and every later one finds it', async (t) => {
  const ns = 'once' as Namespace;
  await ensureTopology(nc, ns, 1);
  const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => loadKeyring(nc, ns)));
  for (const other of [...others, await loadKeyring(nc, ns)]) t.equal(other.sign('text'), first!.sign('text'));
});

t.test('given another key, then the newest signs and the older ones are accepted', async (t) => {
  const ns = 'changed' as Namespace;
  await ensureTopology(nc, ns, 1);
  const before = (await loadKeyring(nc, ns)).sign('text');
  const kv = await new Kvm(nc).open(streams.keys(ns));
  await kv.put('2', JSON.stringify({ secret: Buffer.alloc(SECRET_BYTES, 5).toString('base64url') }));
  const after = await loadKeyring(nc, ns);
  t.match(after.sign('text'), /^2\./);
  t.ok(after.verifies('text', before));
  await kv.delete('1');
  t.notOk((await loadKeyring(nc, ns)).verifies('text', before));
});

t.test('what is no key is skipped and told of', async (t) => {
  const ns = 'foreign' as Namespace;
  await ensureTopology(nc, ns, 1);
  const kv = await new Kvm(nc).open(streams.keys(ns));
  for (const [id, value] of [['3', ''], ['4', '{"secret":"short"}'], ['5', '{"secret":7}'], ['NOT-AN-ID', '{}']] as const) await kv.put(id, value);
  const skipped: string[] = [];
  t.match((await loadKeyring(nc, ns, (id) => skipped.push(id))).sign('text'), /^1\./);
  t.same(new Set(skipped), new Set(['3', '4', '5', 'NOT-AN-ID']));
});

t.test('given an ordinary user, then the keys can neither be read nor listened for', async (t) => {
  const client = await connectNats({ url: server.url, name: 'client', reconnect: true });
  t.teardown(() => client.close());
  await t.rejects(loadKeyring(client, 'once' as Namespace), { code: 'PERMISSION_DENIED' });
  const jsm = await jetstreamManager(client, { checkAPI: false });
  await t.rejects(jsm.streams.getMessage(`KV_${streams.keys('once' as Namespace)}`, { seq: 1 }), /Permissions Violation/);
});
