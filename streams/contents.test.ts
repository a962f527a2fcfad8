/** Content can be removed and the chain holds; what was removed is told from what was changed. */
import { createHash } from 'node:crypto';
import t from 'tap';
import fc from 'fast-check';
import type { Partition } from '../protocols/ids.js';
import { job, journal } from '../protocols/messages.js';
import { Chain, type Head } from './chain.js';
import { encodeCommit, headerAfter } from './commit.js';
import { ContentWriter, SALT_BYTES, varintBytes } from './content.js';
import { checkContents, commitHash, contentRefOf, decodeCommit, readCommit, removeContents } from './contents.js';
import { EncodedCommit } from './encoded-commit.js';
import { randomSalts } from './salts.js';

const HEAD: Head = {
  journalId: 'j', partition: 0 as Partition, seq: 6, hash: new Uint8Array(32).fill(6), epoch: 3,
  nowMs: 1_700_000_000_000, minReader: 2,
};
const LEADER = { leaderId: 'leader', epoch: 3 };
const FIELD = 4;
const salts = randomSalts();

/** undefined: an event without content. */
type Content = Uint8Array | undefined;

/** As generated code makes it, apart from the contents. */
function commitOf(contents: readonly Content[], head = HEAD): Uint8Array {
  const writer = new ContentWriter();
  const events = contents.map((content, index) => {
    const event = { kind: 'job', id: `job-${index}`, type: 'JobCompleted', version: 1, body: job.JobCompleted.encode({ status: 'completed', attempt: 1 }).finish() };
    if (content === undefined) return event;
    const hash = Buffer.from(writer.add(index, content, salts), 'latin1');
    return { ...event, content: { hash, size: content.length, field: FIELD } };
  });
  const encoded = Buffer.concat(events.map((event) => journal.Commit.encode({ events: [event] }).finish()));
  return encodeCommit(headerAfter(head, LEADER, 0), encoded, writer.take());
}

const anyContents = fc.array(fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined }), { minLength: 1, maxLength: 150 });
const withContent = (contents: readonly Content[]): number[] => contents.flatMap((content, index) => (content ? [index] : []));
const check = (bytes: Uint8Array) => checkContents(new EncodedCommit(bytes));
const resultOf = ({ body }: journal.Event.$Properties): Uint8Array => job.JobCompleted.decode(body!).result;

/** Whether the chain goes on from the changed commit as it went on from the one that was written. */
function isFound(changed: Uint8Array, successor: Uint8Array): boolean {
  const chain = new Chain(HEAD.partition, HEAD);
  try {
    const accepted = chain.accept({ seq: 7, bytes: changed });
    if (accepted.kind === 'commit' && checkContents(accepted.encoded).changed !== undefined) return true;
    return chain.accept({ seq: 8, bytes: successor }).kind === 'foreign';
  } catch {
    return true;
  }
}

function successorOf(bytes: Uint8Array): Uint8Array {
  const chain = new Chain(HEAD.partition, HEAD);
  chain.accept({ seq: 7, bytes });
  return encodeCommit(headerAfter(chain.head!, LEADER, 0), new Uint8Array(0));
}

t.test('property: any contents are read back whole, and their bytes are those that generated code writes', async () => {
  fc.assert(fc.property(anyContents, (contents) => {
    const bytes = commitOf(contents);
    const generated = journal.Commit.encode(journal.Commit.decode(bytes)).finish();
    const whole = decodeCommit(bytes).events;
    return Buffer.compare(bytes, generated) === 0 && contents.every((content, index) => Buffer.compare(resultOf(whole[index]!), content ?? Buffer.alloc(0)) === 0);
  }));
});

t.test('property: whichever contents are removed, the chain holds and exactly those are named', async () => {
  fc.assert(fc.property(anyContents, fc.infiniteStream(fc.boolean()), (contents, draw) => {
    const bytes = commitOf(contents);
    const removed = withContent(contents).filter(() => draw.next().value);
    const rest = removeContents(bytes, removed);
    const { removed: named, changed } = check(rest);
    const events = decodeCommit(rest).events;
    return changed === undefined && !isFound(rest, successorOf(bytes)) &&
      JSON.stringify(named) === JSON.stringify(removed.map((index) => ({ index, size: contents[index]!.length }))) &&
      contents.every((content, index) => Buffer.compare(resultOf(events[index]!), removed.includes(index) ? Buffer.alloc(0) : (content ?? Buffer.alloc(0))) === 0) &&
      removed.every((index) => contents[index]!.length < 4 || !Buffer.from(rest).includes(Buffer.from(contents[index]!)) || isElsewhere(contents, index));
  }));
});

/** Whether the same bytes may lie in the commit for another reason. */
const isElsewhere = (contents: readonly Content[], index: number): boolean =>
  contents.some((other, nth) => nth !== index && other !== undefined && Buffer.from(other).includes(Buffer.from(contents[index]!)));

t.test('property: a change of any byte is found, be it in the hashed part or in a content', async () => {
  fc.assert(fc.property(anyContents, fc.nat(), fc.integer({ min: 1, max: 255 }), (contents, where, flipped) => {
    const bytes = commitOf(contents);
    const changed = Buffer.from(bytes);
    changed[where % bytes.length]! ^= flipped;
    return isFound(changed, successorOf(bytes));
  }), { numRuns: 2_000 });
});

t.test('every single byte of a commit counts', async (t) => {
  const bytes = commitOf([Buffer.from('first'), undefined, Buffer.from('a'.repeat(130))]);
  const successor = successorOf(bytes);
  const missed: string[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    for (const flipped of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= flipped;
      if (!isFound(changed, successor)) missed.push(`${at} ^ ${flipped}`);
    }
  }
  t.strictSame(missed, []);
});

t.test('given a content that was changed, moved, doubled or added, then it is not what was written', async (t) => {
  const bytes = commitOf([Buffer.from('one'), Buffer.from('two'), undefined]);
  const { hashedBytes } = new EncodedCommit(bytes);
  const hashed = bytes.subarray(0, hashedBytes);
  const [one, two] = journal.Commit.decode(bytes).contents as [journal.Content, journal.Content];
  const beside = (...contents: journal.Content.$Properties[]): Uint8Array => Buffer.concat([hashed, journal.Commit.encode({ contents }).finish()]);
  t.same(check(beside(one, two)), { removed: [], changed: undefined });
  t.same(check(beside(two)), { removed: [{ index: 0, size: 3 }], changed: undefined });
  const changed = {
    'changed': [one, { event: 1, salted: Buffer.concat([two.salted.subarray(0, SALT_BYTES), Buffer.from('owt')]) }],
    'shorter': [one, { event: 1, salted: two.salted.subarray(0, -1) }],
    'without content': [one, { event: 1, salted: two.salted.subarray(0, SALT_BYTES) }],
    'without salt': [one, { event: 1, salted: new Uint8Array(0) }],
    'of the other': [{ ...one, event: 1 }],
    'in another order': [two, one],
    'twice': [one, one, two],
    'of an event without content': [one, two, { event: 2, salted: two.salted }],
    'of no event': [one, two, { event: 3, salted: two.salted }],
  };
  for (const [what, contents] of Object.entries(changed)) t.match(check(beside(...contents)), { changed: /\w/ }, what);
});

t.test('the same content has another hash in every event, and what is left says its size', async (t) => {
  const { commit } = readCommit(commitOf([Buffer.from('secret'), Buffer.from('secret')]));
  const [one, two] = commit.events.map((event) => contentRefOf(event)!);
  t.not(one!.hash, two!.hash);
  t.equal(one!.size, 6);
  const salted = (commit.contents[0] as journal.Content).salted;
  t.equal(one!.hash, createHash('sha256').update(salted).digest('binary'), 'SHA-256 of salt and content');
});

t.test('given an event without content, or a commit of version 1, then nothing can be removed', async (t) => {
  t.throws(() => removeContents(commitOf([undefined]), [0]), { code: 'INVALID_ARGUMENT', message: /event 0/ });
  const old = journal.Commit.encode({ ...journal.Commit.decode(commitOf([undefined])), version: 1 }).finish();
  t.throws(() => removeContents(old, [0]), { code: 'INVALID_ARGUMENT' });
  t.same(commitHash(old), createHash('sha256').update(old).digest());
});

t.test('an event with its content put back is what it would have been in version 1', async (t) => {
  const bytes = commitOf([Buffer.from('x'.repeat(200)), undefined, Buffer.from('gone')]);
  const encoded = new EncodedCommit(removeContents(bytes, [2]));
  const whole = journal.Event.decode(encoded.wholeEvent(0));
  t.equal(Buffer.from(resultOf(whole)).toString(), 'x'.repeat(200));
  t.equal(whole.content, null, 'and does not say that a part of it lies elsewhere');
  t.same(encoded.wholeEvent(1), encoded.event(1));
  t.match(journal.Event.decode(encoded.wholeEvent(2)), { content: { size: 4 } }, 'unless it was removed');
});

/** More bytes than the number needs, which protobuf decoders accept. */
const overlong = (value: number, bytes: number): number[] => [value | 128, ...Array.from({ length: bytes - 2 }, () => 128), 0];

t.test('given an index or a size that takes more bytes than we write, then the content is not what was written', async (t) => {
  const bytes = commitOf([Buffer.from('one'), Buffer.from('two')]);
  const hashed = bytes.subarray(0, new EncodedCommit(bytes).hashedBytes);
  const { salted } = journal.Commit.decode(bytes).contents[1] as journal.Content;
  for (let length = 2; length <= 10; length += 1) {
    for (const content of [[8, ...overlong(1, length), 18, salted.length, ...salted], [8, 1, 18, ...overlong(salted.length, length), ...salted]]) {
      const crafted = Buffer.concat([hashed, Buffer.from([90, content.length, ...content])]);
      // It takes five bytes at most for a size, and any number for an index.
      if (length <= 5 || content[1] !== 1) t.same(journal.Commit.decode(crafted).contents, [{ event: 1, salted }], 'protobufjs takes it');
      t.match(check(crafted), { removed: [{ index: 0 }, { index: 1 }], changed: /content at byte/ }, `${length} bytes`);
      t.equal(isFound(crafted, successorOf(bytes)), true);
      t.same(commitHash(removeContents(crafted, [0])), commitHash(bytes));
    }
  }
  for (const value of [Infinity, NaN, -1, 0.5, 2 ** 53]) t.throws(() => varintBytes(value), RangeError);
});

/** Every reader of a commit's bytes. @returns whether each ends with a value or an error that says something */
function endsClearly(bytes: Uint8Array): boolean {
  const readers: (() => unknown)[] = [
    () => readCommit(bytes), () => commitHash(bytes), () => check(bytes), () => removeContents(bytes, [0, 1]),
    () => [0, 1, 2, 3].map((index) => new EncodedCommit(bytes).wholeEvent(index)),
    () => new Chain(HEAD.partition, HEAD).accept({ seq: 7, bytes }),
  ];
  return readers.every((read) => {
    try {
      read();
      return true;
    } catch (error) {
      return error instanceof Error && error.message !== '';
    }
  });
}

t.test('property: whatever the bytes of a commit are replaced by, every reader ends', async () => {
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(3), put: fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.tuple(fc.nat(127), fc.integer({ min: 2, max: 11 })).map(([value, length]) => overlong(value, length))) });
  const hostile = fc.tuple(fc.array(fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }), { minLength: 1, maxLength: 4 }), fc.array(edit, { minLength: 1, maxLength: 3 }));
  fc.assert(fc.property(hostile, ([contents, edits]) => {
    let bytes = Buffer.from(commitOf(contents));
    for (const { at, cut, put } of edits) {
      const from = Math.floor(at * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, from), Buffer.from(put), bytes.subarray(from + cut)]);
    }
    return endsClearly(bytes);
  }), { numRuns: 5_000 });
});
