import t from 'tap';
import type { JournalId, Partition } from '../../protocols/ids.js';
import { Carried, type Place } from './carried.js';
import { MemoryObjects } from './conformance/objects.js';

const P0 = 0 as Partition;
const [OURS, OTHERS] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'] as JournalId[];
const at = (seq: number, index = 0): Place => ({ seq, index });
const contentOf = ({ seq, index }: Place, bytes = 10): Buffer => Buffer.alloc(bytes, `${seq}.${index} `);
const MB = 1 << 20;

async function opened(objects: MemoryObjects, partition = P0, journalId = OURS!): Promise<Carried> {
  const carried = new Carried(objects, partition);
  await carried.open(journalId);
  return carried;
}

/** Removes what has none of these. */
async function keep(carried: Carried, needed: readonly Place[]): Promise<void> {
  const kept = carried.all;
  for (const of of needed) kept.need(of);
  await carried.keep(kept);
}

t.test('contents are found by whoever opens the journal, and by nobody else', async (t) => {
  const objects = new MemoryObjects();
  const places = [at(7, 2), at(3), at(7), at(400_000_000_000, 499)];
  await (await opened(objects)).carry(OURS!, places, async (of) => contentOf(of));
  const carried = await opened(objects);
  for (const of of places) t.same(await carried.find(of), contentOf(of), `${of.seq}.${of.index}`);
  for (const of of [at(2), at(7, 1), at(8)]) t.equal(await carried.find(of), undefined);
  t.equal(await (await opened(objects, P0, OTHERS)).find(at(3)), undefined, 'another journal');
  t.equal(await (await opened(objects, 1 as Partition)).find(at(3)), undefined, 'another partition');
});

t.test('given objects of others, then they are skipped', async (t) => {
  const objects = new MemoryObjects();
  await (await opened(objects)).carry(OURS!, [at(3)], async (of) => contentOf(of));
  for (const metadata of ['', '{', '[]', '{"partition":0}']) {
    await objects.put(`other/${metadata}`, { 'reprise.carried': metadata }, Buffer.from('x'));
  }
  t.same(await (await opened(objects)).find(at(3)), contentOf(at(3)));
});

t.test('what was removed is not carried; empty content is', async (t) => {
  const objects = new MemoryObjects();
  const carried = await opened(objects);
  await carried.carry(OURS!, [at(1), at(2)], async ({ seq }) => (seq === 1 ? undefined : Buffer.alloc(0)));
  t.equal(await carried.find(at(1)), undefined);
  t.same(await carried.find(at(2)), Buffer.alloc(0));
  await (await opened(new MemoryObjects())).carry(OURS!, [at(1)], async () => undefined);
});

t.test('several objects: each stays until none of its contents is needed', async (t) => {
  const objects = new MemoryObjects();
  const carried = await opened(objects);
  const places = [1, 2, 3, 4, 5].map((seq) => at(seq));
  await carried.carry(OURS!, places, async (of) => contentOf(of, MB * 0.6));
  t.equal(objects.held.size, 3);
  await keep(carried, [at(2), at(5)]);
  t.equal(objects.held.size, 2);
  t.same(await carried.find(at(1)), contentOf(at(1), MB * 0.6), 'beside one that is needed');
  t.equal(await carried.find(at(3)), undefined);
  await keep(carried, []);
  t.equal(objects.held.size, 0);
});

t.test('given objects that a crash left, when it is carried again, then what is needed stays', async (t) => {
  const objects = new MemoryObjects();
  const read = async (of: Place): Promise<Buffer> => contentOf(of);
  await (await opened(objects)).carry(OURS!, [at(1), at(60)], read);
  await (await opened(objects)).carry(OURS!, [at(20), at(30)], read);
  const next = await opened(objects);
  const kept = next.all;
  // As a truncation does: what it carries itself is not marked.
  await next.carry(OURS!, [at(1), at(60)], read);
  await next.keep(kept);
  t.equal(objects.held.size, 1, 'the others are removed');
  t.same(await (await opened(objects)).find(at(60)), contentOf(at(60)), 'the same object, written again');

  await next.carry(OURS!, [at(20), at(30)], read);
  await keep(await opened(objects), [at(50), at(60)]);
  t.same(await (await opened(objects)).find(at(60)), contentOf(at(60)), 'one that another lies within');
});

t.test('given a deposed leader that carries less and later, then what its successor carried stays', async (t) => {
  const objects = new MemoryObjects();
  const [deposed, successor] = [await opened(objects), await opened(objects)];
  const read = async (of: Place): Promise<Buffer> => contentOf(of);
  await successor.carry(OURS!, [at(1), at(2), at(9)], read);
  await deposed.carry(OURS!, [at(1), at(2)], read);
  t.same(await (await opened(objects)).find(at(9)), contentOf(at(9)));
});

t.test('given an object that is cut, then it is said, and read again the next time', async (t) => {
  const objects = new MemoryObjects();
  const carried = await opened(objects);
  await carried.carry(OURS!, [at(1), at(2)], async (of) => contentOf(of));
  const [[name, whole]] = [...objects.held] as [[string, { metadata: never; body: Buffer }]];
  objects.held.set(name, { ...whole, body: whole.body.subarray(0, -1) });
  await t.rejects(carried.find(at(1)), RangeError);
  objects.held.set(name, whole);
  t.same(await carried.find(at(1)), contentOf(at(1)));
});
