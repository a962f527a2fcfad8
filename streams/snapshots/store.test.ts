/** On a real server: what is written counts when it was read back, and whatever is broken is said. */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import t, { type Test } from 'tap';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { connectNats } from '../connect.js';
import { startServer } from '../server/start.js';
import { ensureTopology } from '../topology.js';
import type { StatePart } from './blocks.js';
import { metadataOf, type Manifest } from './manifest.js';
import { Objects } from './objects.js';
import { SnapshotStore } from './store.js';

const P0 = 0 as Partition;
const NS = 'test' as Namespace;
async function stage(t: Test) {
  const dataDir = await mkdtemp(join(tmpdir(), 'reprise-snapshots-'));
  const server = await startServer({ dataDir });
  const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: false });
  t.teardown(async () => {
    await nc.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await ensureTopology(nc, NS, 1);
  const objects = new Objects(nc, NS);
  return { objects, store: new SnapshotStore(objects), nc };
}

const partOf = (name: string, text: string): StatePart =>
  ({ name, bytes: () => Buffer.from(text), hash: () => hash('sha256', text, 'buffer') });
const PARTS = [partOf('a', 'a'.repeat(400_000)), partOf('b', '')];
const hashOf = (parts: readonly StatePart[]): string =>
  hash('sha256', Buffer.concat(parts.flatMap(({ name, hash: of }) => [Buffer.from(`${name}\n`), of()])), 'hex');

const manifest = (seq: number, over: Partial<Manifest> = {}): Omit<Manifest, 'isVerified'> => ({
  version: 1, journalId: 'aaaaaaaaaaaaaaaa', partition: 0, seq, hash: '0'.repeat(64), epoch: 1, nowMs: 1, minReader: 2,
  stateHash: hashOf(PARTS), parts: PARTS.length, events: {}, release: '0.0.0', takenMs: 1, ...over,
});

async function subjectsOf(nc: NatsConnection): Promise<string[]> {
  const jsm = await jetstreamManager(nc);
  const { state } = await jsm.streams.info(`OBJ_${streams.snapshots(NS)}`, { subjects_filter: '>' });
  return Object.keys(state.subjects ?? {});
}

t.test('what is written is verified, listed newest first, read, copied and removed', async (t) => {
  const { objects, store, nc } = await stage(t);
  const first = await store.write(manifest(5), PARTS);
  t.match(first, { seq: 5, isVerified: true });
  await store.write(manifest(7), PARTS);
  const higher = await store.write(manifest(7, { epoch: 2 }), PARTS);
  await store.write(manifest(9, { partition: 1 }), PARTS);
  await objects.put('carried/0/x', { 'reprise.carried': '{}' }, Buffer.from('no snapshot'));
  const listed = await store.list(P0);
  t.strictSame(listed.map(({ seq, epoch }) => [seq, epoch]), [[7, 2], [7, 1], [5, 1]]);
  t.strictSame(listed.at(-1), first, 'as it was returned');
  const parts = await store.read(first.name, first);
  t.strictSame([...parts].map(([name, bytes]) => [name, bytes.length]), [['a', 400_000], ['b', 0]]);
  await store.remove(first.name);
  t.equal((await store.list(P0)).length, 2);
  const subjects = await subjectsOf(nc);
  t.equal(subjects.filter((subject) => subject.includes('.M.')).length, 4, 'nothing is left of what was removed');
  const copied = await store.writeBytes(manifest(5), await store.bytesOf(higher.name));
  t.same(await store.read(copied.name, copied), parts);
  await t.rejects(store.read('0/gone', first), { code: 'SNAPSHOT_BROKEN', message: /not there any more/ });
});

t.test('given parts that are not those of the manifest, then it stays unverified', async (t) => {
  const { store } = await stage(t);
  const table: [string, Partial<Manifest>, readonly StatePart[], RegExp][] = [
    ['other bytes', { seq: 20 }, [PARTS[0]!, partOf('b', 'x')], /another hash/],
    ['another name', { seq: 21 }, [PARTS[0]!, partOf('c', '')], /another hash/],
    ['another order', { seq: 22 }, [...PARTS].reverse(), /another hash/],
    ['a part less', { seq: 23 }, PARTS.slice(1), /1 parts of 2/],
    ['none at all', { seq: 24 }, [], /0 parts of 2/],
  ];
  for (const [what, over, parts, message] of table) {
    await t.rejects(store.write(manifest(1, over), parts), { code: 'SNAPSHOT_BROKEN', message }, what);
    const left = (await store.list(P0)).find(({ seq }) => seq === over.seq);
    t.match(left, { isVerified: false }, `${what}: it is there and does not count`);
    await store.remove(left!.name);
  }
  await t.rejects(store.writeBytes(manifest(25), Buffer.from('garbage')), { code: 'SNAPSHOT_BROKEN' });
});

t.test('given an object that somebody replaced, then it is broken; metadata that is not ours is skipped', async (t) => {
  const { objects, store } = await stage(t);
  const snapshot = await store.write(manifest(30), PARTS);
  for (const body of [Buffer.from('garbage'), Buffer.alloc(0), (await objects.get(snapshot.name)).subarray(0, -1)]) {
    await objects.put(snapshot.name, metadataOf(snapshot), body);
    await t.rejects(store.verify(snapshot.name, snapshot), { code: 'SNAPSHOT_BROKEN' });
  }
  const before = (await store.list(P0)).length;
  for (const reprise of ['', '{', '[]', '{"version":1}', JSON.stringify({ ...snapshot, seq: -1 })]) {
    await objects.put('other', { reprise }, Buffer.from('x'));
    t.equal((await store.list(P0)).length, before, reprise);
  }
});

t.test('given a snapshot whose chunks are lost, then it is broken, and nobody waits for them', async (t) => {
  const { store, nc } = await stage(t);
  const written = await store.write(manifest(5), PARTS);
  const jsm = await jetstreamManager(nc);
  await jsm.streams.purge(`OBJ_${streams.snapshots(NS)}`, { filter: `$O.${streams.snapshots(NS)}.C.>` });
  await t.rejects(store.read(written.name, written), { code: 'SNAPSHOT_BROKEN', message: /nothing more of it came/ });
});

t.test('given a reader that stops, then the server keeps nothing for it', async (t) => {
  const { objects, nc } = await stage(t);
  await objects.put('large', {}, Buffer.alloc(3 << 20));
  for await (const chunk of await objects.chunks('large')) if (chunk.length > 0) break;
  const { state } = await (await jetstreamManager(nc)).streams.info(`OBJ_${streams.snapshots(NS)}`);
  t.equal(state.consumer_count, 0);
});
