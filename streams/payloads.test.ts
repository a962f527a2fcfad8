import t from 'tap';
import fc from 'fast-check';
import { RepriseError } from '../protocols/errors.js';
import { job, journal } from '../protocols/messages.js';
import { ContentWriter } from './content.js';
import { removeContents } from './contents.js';
import { Fields } from './fields.js';
import type { Stored } from './journal.js';
import { Payloads, REMOVED, type ContentFields } from './payloads.js';

const bytes = (length: number, fill = 1): Buffer => Buffer.alloc(length, fill);

/** As commits of version 1 have it: within the body. */
const fields: ContentFields = (kind, type) => (kind === 'job' && /Submitted|Completed/.test(type) ? 4 : undefined);

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

t.test('given a commit that was put, then its payloads and results are there without a read', async (t) => {
  const { read, reads } = counting();
  const payloads = new Payloads(read, fields);
  payloads.put(5, commitAt(5).bytes);
  t.same(payloads.get(5, 0), bytes(100, 5));
  t.same(payloads.get(5, 2), bytes(50, 5));
  t.equal(payloads.get(5, 3)?.length, 0, 'an empty payload is one');
  t.same(await payloads.load(5, 0), bytes(100, 5));
  t.equal(payloads.get(6, 0), undefined);
  t.same(reads, []);
});

t.test('given a miss, then the commit is read once and all its payloads and results are kept', async (t) => {
  const { read, reads } = counting();
  const payloads = new Payloads(read, fields);
  const [payload, result, empty] = await Promise.all([payloads.load(7, 0), payloads.load(7, 2), payloads.load(7, 3)]);
  t.same(payload, bytes(100, 7));
  t.same(result, bytes(50, 7));
  t.equal(empty?.length, 0, 'an empty payload is one');
  t.same(payloads.get(7, 2), bytes(50, 7));
  t.same(reads, [7]);
});

t.test('given a carried copy that is broken, then the commit is read; an unreachable server is said', async (t) => {
  const failing = (error: Error) => ({ find: () => Promise.reject(error) });
  for (const error of [new RangeError('not whole'), new RepriseError('SNAPSHOT_BROKEN', 'it is not there any more')]) {
    t.same(await new Payloads(counting().read, fields, failing(error)).load(7, 0), bytes(100, 7), error.message);
  }
  const unreachable = failing(new RepriseError('SERVER_UNREACHABLE', 'no connection'));
  const { read, reads } = counting();
  await t.rejects(new Payloads(read, fields, unreachable).load(7, 0), { code: 'SERVER_UNREACHABLE' });
  t.same(reads, []);
});

/** Of version 2: a content, none, an empty one, and one that will be removed. */
function commitWithContents(seq: number): Stored {
  const writer = new ContentWriter();
  const events = [bytes(100, seq), undefined, bytes(50, seq)].map((content, index) => {
    const body = job.JobCompleted.encode({ status: 'completed' }).finish();
    const event = { kind: 'job', id: 'x', type: 'JobCompleted', version: 1, body };
    if (content === undefined) return event;
    const hash = Buffer.from(writer.add(index, content, (into, at) => void into.fill(9, at, at + 16)), 'latin1');
    return { ...event, content: { hash, size: content.length, field: 4 } };
  });
  return { seq, bytes: Buffer.concat([journal.Commit.encode({ version: 2, events }).finish(), writer.take()]) };
}

t.test('given a commit of version 2, then its contents are found beside the events, and a removed one is told from an empty one', async (t) => {
  const { bytes: written } = commitWithContents(5);
  const payloads = new Payloads(async (seq) => ({ seq, bytes: removeContents(written, [2]) }), fields);
  payloads.put(5, written);
  t.same([payloads.get(5, 0), payloads.get(5, 1)?.length, payloads.get(5, 2)], [bytes(100, 5), 0, bytes(50, 5)]);
  t.same(await payloads.load(6, 0), bytes(100, 5));
  t.equal(await payloads.load(6, 2), REMOVED);
  t.equal(payloads.get(6, 2), REMOVED);
  t.not(await payloads.load(6, 1), REMOVED);
});

t.test('given a content that was changed, then it is not handed out once it is read back', async (t) => {
  const changed = Buffer.from(commitWithContents(5).bytes);
  changed[changed.length - 1]! ^= 1;
  const payloads = new Payloads(async (seq) => ({ seq, bytes: changed }), fields);
  await t.rejects(payloads.load(5, 2), { code: 'JOURNAL_BROKEN', message: /5\.2/, cause: { position: 5 } });
  t.equal(payloads.get(5, 2), undefined);
  t.same(payloads.get(5, 0), bytes(100, 5), 'the others are');
});

t.test('given bytes that are not a commit, then every load says so, nothing is kept, and asking the cache throws nothing', async (t) => {
  const { bytes: written } = commitWithContents(5);
  const broken: [string, Uint8Array][] = [
    ['cut', written.subarray(0, -1)], ['other bytes', Buffer.from([0xff, 0xff])],
    ['more behind the contents', Buffer.concat([written, Buffer.from([8, 1])])],
  ];
  for (const [what, bytes] of broken) {
    const payloads = new Payloads(async (seq) => ({ seq, bytes }), fields);
    for (const time of ['first', 'second']) {
      const expected = { code: 'JOURNAL_BROKEN', message: /commit at 5/, cause: { position: 5 } };
      await t.rejects(payloads.load(5, 0), expected, `${what}, ${time} time`);
      t.equal(payloads.get(5, 0), undefined);
    }
    t.equal(payloads.bytes, 0);
  }
});

t.test('given an event that cannot be decoded in a commit that can, then only that event is refused', async (t) => {
  const body = job.JobCompleted.encode({ status: 'completed', result: bytes(50, 5) }).finish();
  const events = [{ kind: 'job', id: 'x', type: 'JobCompleted', version: 1, body }];
  const hostile = Buffer.from([0x52, 3, 0x3a, 1, 0xff]); // an event whose content hash is one byte, which is no field
  const read = Buffer.concat([journal.Commit.encode({ version: 1, events }).finish(), hostile]);
  const payloads = new Payloads(async (seq) => ({ seq, bytes: read }), fields);
  await t.rejects(payloads.load(5, 1), { code: 'JOURNAL_BROKEN', message: /commit at 5/, cause: { position: 5 } });
  t.equal(payloads.get(5, 1), undefined);
  t.equal(payloads.get(5, 7), undefined, 'nor does an event that does not exist throw');
  t.same(payloads.get(5, 0), bytes(50, 5));
});

t.test('given a position that is missing, then loading says so', async (t) => {
  const payloads = new Payloads(counting().read, fields);
  await t.rejects(payloads.load(7, 9), { code: 'JOURNAL_BROKEN', message: /no event 9/, cause: { position: 7 } });
  await t.rejects(payloads.load(2_000, 0), { code: 'JOURNAL_BROKEN', cause: { position: 2_000 } });
});

t.test('given a read that fails, then the next one tries again', async (t) => {
  let fails = true;
  const payloads = new Payloads(async (seq) => {
    if (fails) throw new Error('away');
    return commitAt(seq);
  }, fields);
  await t.rejects(payloads.load(1, 0), { message: 'away' });
  fails = false;
  t.same(await payloads.load(1, 0), bytes(100, 1));
});

t.test('given more than fits, then the commits that came first leave, and are read back when they are asked for', async (t) => {
  const { read, reads } = counting();
  const one = commitAt(1).bytes.length + 400;
  const payloads = new Payloads(read, fields, undefined, 3 * one);
  for (let seq = 1; seq <= 4; seq += 1) payloads.put(seq, commitAt(seq).bytes);
  t.ok(payloads.bytes <= 3 * one);
  t.equal(payloads.get(1, 0), undefined);
  t.ok(payloads.get(2, 0) && payloads.get(3, 0) && payloads.get(4, 0));
  t.same(await payloads.load(1, 0), bytes(100, 1));
  t.same(reads, [1]);
});

t.test('given a commit that is larger than the cache, then it is loaded but not kept', async (t) => {
  const payloads = new Payloads(counting().read, fields, undefined, 100);
  t.same(await payloads.load(1, 0), bytes(100, 1));
  t.equal(payloads.bytes, 0);
});

t.test('property: fields are found where the decoder finds them, and broken bytes end in an error', async () => {
  const message = fc.record({
    status: fc.string(), payload: fc.uint8Array({ maxLength: 300 }), priority: fc.integer({ min: -5, max: 5 }),
    totalDueMs: fc.nat(2 ** 40), key: fc.string(),
  });
  fc.assert(
    fc.property(message, (given) => {
      const encoded = job.JobSubmitted.encode(given).finish();
      const fields = new Fields(encoded, 0, encoded.length);
      const found = fields.seek(4) ? encoded.subarray(fields.start, fields.end) : Buffer.alloc(0);
      return Buffer.compare(found, given.payload) === 0;
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (random) => {
      try {
        new Fields(random, 0, random.length).seek(4);
      } catch (error) {
        return error instanceof RangeError;
      }
      return true;
    }),
  );
});
