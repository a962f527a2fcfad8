import t from 'tap';
import { job, journal } from '../protocols/messages.js';
import type { Stored } from './journal.js';
import { Payloads } from './payloads.js';

const bytes = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill);

function commitAt(seq: number): Stored {
  const event = (type: string, body: Uint8Array, kind = 'job') => ({ kind, id: 'x', type, version: 1, body });
  const events = [
    event('JobSubmitted', job.JobSubmitted.encode({ status: 'ready', payload: bytes(100, seq) }).finish()),
    event('JobLeased', job.JobLeased.encode({ status: 'running' }).finish()),
    event('JobCompleted', job.JobCompleted.encode({ status: 'completed', result: bytes(50, seq) }).finish()),
    event('JobSubmitted', job.JobSubmitted.encode({ status: 'ready' }).finish()),
    event('JobSubmitted', bytes(3), 'other'),
  ];
  return { seq, bytes: journal.Commit.encode({ version: 1, events }).finish() };
}

function counting(): { read: (seq: number) => Promise<Stored | undefined>; reads: number[] } {
  const reads: number[] = [];
  return { reads, read: async (seq) => (reads.push(seq), seq < 1_000 ? commitAt(seq) : undefined) };
}

t.test('given a payload that was put, then it is there without a read', async (t) => {
  const { read, reads } = counting();
  const payloads = new Payloads(read);
  payloads.put(5, 0, bytes(10));
  t.same(payloads.get(5, 0), bytes(10));
  t.equal(payloads.get(5, 1), undefined);
  t.same(await payloads.load(5, 0), bytes(10));
  t.same(reads, []);
});

t.test('given a miss, then the commit is read once and all its payloads and results are kept', async (t) => {
  const { read, reads } = counting();
  const payloads = new Payloads(read);
  const [payload, result, empty] = await Promise.all([payloads.load(7, 0), payloads.load(7, 2), payloads.load(7, 3)]);
  t.same(payload, bytes(100, 7));
  t.same(result, bytes(50, 7));
  t.equal(empty?.length, 0, 'an empty payload is one');
  t.same(payloads.get(7, 2), bytes(50, 7));
  t.same(reads, [7]);
});

t.test('given an event without a payload, or a position that is missing, then loading says so', async (t) => {
  const payloads = new Payloads(counting().read);
  await t.rejects(payloads.load(7, 1), { code: 'NOT_FOUND' });
  await t.rejects(payloads.load(7, 4), { code: 'NOT_FOUND' }, 'events of other kinds are opaque');
  await t.rejects(payloads.load(2_000, 0), { code: 'JOURNAL_BROKEN', cause: { position: 2_000 } });
});

t.test('given a read that fails, then the next one tries again', async (t) => {
  let fails = true;
  const payloads = new Payloads(async (seq) => {
    if (fails) throw new Error('away');
    return commitAt(seq);
  });
  await t.rejects(payloads.load(1, 0), { message: 'away' });
  fails = false;
  t.same(await payloads.load(1, 0), bytes(100, 1));
});

t.test('given more than fits, then the commits that were not used for longest leave', async (t) => {
  const { read, reads } = counting();
  const payloads = new Payloads(read, 5_000);
  for (let seq = 1; seq <= 3; seq += 1) payloads.put(seq, 0, bytes(1_000));
  payloads.get(1, 0);
  payloads.put(4, 0, bytes(1_500));
  t.equal(payloads.get(2, 0), undefined);
  t.ok(payloads.get(1, 0) && payloads.get(3, 0) && payloads.get(4, 0));
  for (let seq = 10; seq < 500; seq += 1) payloads.put(seq, 0, bytes(0));
  t.ok(payloads.bytes <= 5_000, 'empty ones cost something too');
  t.same(await payloads.load(4, 0), bytes(100, 4), 'and what left is read back');
  t.same(reads, [4]);
});

t.test('given one that is larger than the cache, then it is loaded but not kept', async (t) => {
  const payloads = new Payloads(counting().read, 100);
  t.same(await payloads.load(1, 0), bytes(100, 1));
  t.equal(payloads.bytes, 0);
});

t.test('given a view on a large buffer, then only the view is kept', async (t) => {
  const payloads = new Payloads(counting().read);
  payloads.put(1, 0, new Uint8Array(1_000_000).subarray(5, 10));
  t.equal(payloads.get(1, 0)?.buffer.byteLength, 5);
});
