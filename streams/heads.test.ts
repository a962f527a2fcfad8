import t, { type Test } from 'tap';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Namespace, Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { streams, subjects } from '../protocols/subjects.js';
import { connectNats } from './connect.js';
import { checkpointHeads, plainHeads, type StoredHead } from './head.js';
import { checkpointOf, HEADS_KEPT, openCheckpoints, openWitness } from './heads.js';
import { startServer } from './server/start.js';
import { ensureTopology } from './topology.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const [zero, one] = [0 as Partition, 1 as Partition];

async function stage(t: Test, namespace: string) {
  const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: true });
  t.teardown(() => nc.close());
  const ns = namespace as Namespace;
  await ensureTopology(nc, ns, 2);
  const jsm = await jetstreamManager(nc);
  const writeForeign = async (subject: string, count: number, bytes = ''): Promise<void> => {
    for (let n = 0; n < count; n += 1) await nc.request(subject, bytes);
  };
  return { nc, jsm, ns, writeForeign };
}

const head = (seq: number, more: Partial<StoredHead> = {}): StoredHead => ({
  journalId: '0123456789abcdef', partition: zero, seq, hash: Buffer.alloc(32, seq), epoch: 2, projection: '', ...more,
});
const positions = (heads: readonly StoredHead[]): number[] => heads.map(({ seq }) => seq);

const FOREIGN: Record<string, Uint8Array> = {
  'nothing': new Uint8Array(0),
  'text': Buffer.from('hello'),
  'a reply of the server': Buffer.from('{"type":"io.nats.jetstream.api.v1.account_info_response","memory":0}'),
  'an acknowledgement': Buffer.from('{"stream":"S","seq":9}'),
  'half a head': plainHeads.encode(head(1)).subarray(0, 20),
  'a commit': journal.Commit.encode({
    version: 1, journalId: '0123456789abcdef', epoch: 1, prevSeq: 1, prevHash: new Uint8Array(32), nowMs: 1,
  }).finish(),
  'a head of another partition': plainHeads.encode(head(1, { partition: one })),
  'a head without a journal': plainHeads.encode(head(1, { journalId: '' })),
  'a head of an impossible journal': plainHeads.encode(head(1, { journalId: 'x'.repeat(16) + '!' })),
  'a head at no position': plainHeads.encode(head(0)),
  'a head beyond every position': plainHeads.encode(head(2 ** 53)),
  'a head of no leader': plainHeads.encode(head(1, { epoch: 0 })),
  'a hash that is too short': plainHeads.encode(head(1, { hash: new Uint8Array(31) })),
  'a head with a tail': Buffer.concat([plainHeads.encode(head(1)), Buffer.alloc(600)]),
};

t.test('a message that is not a head of the partition is not decoded', async (t) => {
  for (const [what, bytes] of Object.entries(FOREIGN)) {
    t.equal(plainHeads.decode(bytes, zero), undefined, what);
    t.equal(checkpointHeads.decode(bytes, zero), undefined, `${what}, as a checkpoint`);
  }
  t.same(plainHeads.decode(plainHeads.encode(head(7)), zero), head(7));
});

t.test('a checkpoint of version 0.1.0 is decoded, but only as a checkpoint', async (t) => {
  const old = Buffer.from(JSON.stringify({ seq: 7, hash: 'ab'.repeat(32) }));
  t.match(checkpointHeads.decode(old, zero), { seq: 7, hash: Buffer.alloc(32, 0xab), projection: 'events' });
  t.equal(plainHeads.decode(old, zero), undefined);
  const wrongs = ['null', '7', '[]', '{}', '{"seq":0,"hash":""}', '{"seq":"7","hash":7}', '{"seq":7,"hash":"ab"}'];
  for (const wrong of wrongs) {
    t.equal(checkpointHeads.decode(Buffer.from(wrong), zero), undefined, wrong);
  }
});

t.test('given heads that are noted in a burst, then the newest of each partition is written', async (t) => {
  const { nc, ns } = await stage(t, 'burst');
  const witness = openWitness(nc, ns, { onError: (error) => t.fail(error.message) });
  t.same(await witness.read(zero), { heads: [], foreign: 0 });
  for (let seq = 1; seq <= 5; seq += 1) witness.note(head(seq));
  witness.note(head(9, { partition: one }));
  await witness.flush();
  await witness.flush();
  t.same(positions((await witness.read(zero)).heads), [5]);
  t.same((await witness.read(one)).heads, [head(9, { partition: one })]);
});

t.test('given more heads than are kept, then the oldest are purged, and those of other partitions stay', async (t) => {
  const { nc, ns } = await stage(t, 'many');
  const witness = openWitness(nc, ns, { onError: (error) => t.fail(error.message) });
  witness.note(head(9, { partition: one }));
  for (let seq = 1; seq <= 3 * HEADS_KEPT; seq += 1) {
    witness.note(head(seq));
    await witness.flush();
  }
  const { heads } = await witness.read(zero);
  t.ok(heads.length >= HEADS_KEPT && heads.length < 2 * HEADS_KEPT, `${heads.length} are stored`);
  t.equal(heads.at(-1)!.seq, 3 * HEADS_KEPT);
  t.same(positions((await witness.read(one)).heads), [9], 'a busy partition does not push out another');
});

t.test('given messages that are not heads, then they are counted, and purged with old heads', async (t) => {
  const { nc, jsm, ns, writeForeign } = await stage(t, 'foreign');
  const witness = openWitness(nc, ns, { onError: (error) => t.fail(error.message) });
  witness.note(head(3));
  await witness.flush();
  await writeForeign(subjects.witness(ns, zero), 200);
  t.match(await openWitness(nc, ns).read(zero), { heads: [{ seq: 3 }], foreign: 200 });
  for (let seq = 4; seq < 4 + 2 * HEADS_KEPT; seq += 1) {
    witness.note(head(seq));
    await witness.flush();
  }
  t.match(await openWitness(nc, ns).read(zero), { foreign: 0 });
  t.ok((await jsm.streams.info(streams.witness(ns))).state.messages < 2 * HEADS_KEPT);
});

t.test('given a stream that was made again, then no new head is purged', async (t) => {
  const { nc, jsm, ns, writeForeign } = await stage(t, 'anew');
  const witness = openWitness(nc, ns, { onError: (error) => t.fail(error.message) });
  await writeForeign(subjects.witness(ns, zero), 300);
  for (let seq = 1; seq < 2 * HEADS_KEPT; seq += 1) {
    witness.note(head(seq));
    await witness.flush();
  }
  await jsm.streams.delete(streams.witness(ns));
  await ensureTopology(nc, ns, 2);
  for (let seq = 200; seq < 210; seq += 1) {
    witness.note(head(seq));
    await witness.flush();
  }
  t.equal((await witness.read(zero)).heads.length, 10);
});

t.test('the checkpoint is the farthest head: a late write of an older leader does not move it back', async (t) => {
  const { nc, ns, writeForeign } = await stage(t, 'checkpoints');
  const [older, newer] = [openCheckpoints(nc, ns), openCheckpoints(nc, ns)];
  await nc.request(subjects.checkpoint(ns, zero, 'events'), JSON.stringify({ seq: 4, hash: 'ab'.repeat(32) }));
  newer.note(head(20, { projection: 'events', epoch: 3 }));
  await newer.flush();
  older.note(head(11, { projection: 'events' }));
  await older.flush();
  await writeForeign(subjects.checkpoint(ns, zero, 'events'), 70, 'null');
  const { heads, foreign } = await newer.read(zero);
  t.same([positions(heads), foreign], [[4, 20, 11], 70]);
  t.match(checkpointOf(heads, 'events'), { seq: 20, epoch: 3 });
  t.equal(checkpointOf(heads, 'other'), undefined);
});

t.test('given a head that is not flushed, then it is written after the delay', async (t) => {
  const { nc, ns } = await stage(t, 'timer');
  const written = nc.subscribe(subjects.witness(ns, zero), { max: 1 });
  const witness = openWitness(nc, ns);
  witness.note(head(3));
  for await (const message of written) t.ok(message.data.length > 0);
  await witness.close();
});

t.test('given a missing stream, then one error is reported, and the head is written later', async (t) => {
  const { nc, jsm, ns } = await stage(t, 'nowhere');
  await jsm.streams.delete(streams.witness(ns));
  const reported: string[] = [];
  const witness = openWitness(nc, ns, { onError: (error) => reported.push(error.code) });
  for (const seq of [1, 2]) {
    witness.note(head(seq));
    await witness.flush();
  }
  t.same(reported, ['SERVER_UNREACHABLE']);
  await ensureTopology(nc, ns, 2);
  await witness.flush();
  t.same(positions((await witness.read(zero)).heads), [2]);
});
