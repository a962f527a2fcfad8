import t, { type Test } from 'tap';
import type { Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { Chain, hashOf, type Head } from './chain.js';
import { encodeCommit, encodeEvents, headerAfter, type CommitHeader } from './commit.js';

const PARTITION = 3 as Partition;
const leader = { leaderId: 'leader', epoch: 1 };
const first: CommitHeader = {
  version: 1, journalId: 'j', partition: 3, epoch: 1, leaderId: 'leader', prevSeq: 0, prevHash: new Uint8Array(0),
  nowMs: 1_700_000_000_000, minReader: 1,
};
const event = (id: string): Uint8Array => {
  const cause = { commandId: 'c', type: 'SubmitJob', by: 'me', verified: false };
  const body = new Uint8Array(300);
  return journal.Event.encode({ kind: 'job', id, type: 'JobSubmitted', version: 1, cause, body }).finish();
};

/** A chain with `count` commits at 1, 2, … */
function built(count: number): { chain: Chain; heads: Head[]; bytes: Uint8Array[] } {
  const chain = new Chain(PARTITION);
  const heads: Head[] = [];
  const bytes: Uint8Array[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const header = chain.head ? headerAfter(chain.head, leader, 0) : first;
    const commit = encodeCommit(header, encodeEvents([event(`e${seq}`)]));
    chain.accept({ seq, bytes: commit });
    bytes.push(commit);
    if (chain.head) heads.push(chain.head);
  }
  return { chain, heads, bytes };
}

const after = (head: Head | undefined, change: Partial<CommitHeader> = {}): Uint8Array => {
  const header = head ? headerAfter(head, leader, 0) : first;
  return encodeCommit({ ...header, ...change }, encodeEvents([event('x')]));
};

t.test('commits of encoded events are byte for byte what the generated code makes', async (t) => {
  for (const header of [first, { ...first, prevSeq: 2 ** 40, prevHash: hashOf(new Uint8Array(1)), partition: 0 }]) {
    for (const ids of [[], ['a'], ['a', 'b', 'c']]) {
      const encoded = encodeCommit(header, encodeEvents(ids.map(event)));
      const events = ids.map((id) => journal.Event.decode(event(id)));
      t.ok(Buffer.compare(encoded, journal.Commit.encode({ ...header, events }).finish()) === 0);
    }
  }
});

t.test('given commits in order, then the head moves along', async (t) => {
  const { chain, bytes, heads } = built(3);
  t.equal(chain.head?.seq, 3);
  t.same(chain.head?.hash, hashOf(bytes[2] ?? new Uint8Array()));
  t.same(heads.map((head) => head.nowMs), [first.nowMs, first.nowMs, first.nowMs], 'time never goes back');
  const third = new Chain(PARTITION, heads[1]).accept({ seq: 3, bytes: bytes[2] ?? new Uint8Array() });
  t.match(third, { kind: 'commit', seq: 3, commit: { prevSeq: 2 } }, 'also when begun from a head');
});

t.test('given a foreign message, then it is recognized and the head stays', async (t) => {
  const { chain, heads } = built(2);
  const head = chain.head;
  const foreign: Record<string, Uint8Array> = {
    'no protobuf': new TextEncoder().encode('{"hello":1}'),
    'empty': new Uint8Array(0),
    'no version': after(head, { version: 0 }),
    'a newer version of another journal': after(head, { version: 3, journalId: 'k' }),
    'a newer version that follows an older commit': after(heads[0], { version: 3 }),
    'another partition': after(head, { partition: 4 }),
    'another journal': after(head, { journalId: 'k' }),
    'no journal': after(head, { journalId: '' }),
    'a successor of an older commit': after(heads[0]),
    'a first commit': after(undefined),
  };
  let seq = 3;
  for (const [what, bytes] of Object.entries(foreign)) {
    t.match(chain.accept({ seq, bytes }), { kind: 'foreign', seq, why: /\w/ }, what);
    seq += 1;
  }
  t.equal(chain.head, head);
  t.match(chain.accept({ seq, bytes: after(head) }), { kind: 'commit' }, 'and the next commit follows');
});

const broken = (t: Test, position: number, act: () => unknown): void => {
  t.throws(act, { code: 'JOURNAL_BROKEN', message: new RegExp(`\\b${position} of partition 3`), cause: { position } });
};

t.test('given a gap or changed bytes, then the first bad or missing position is named', async (t) => {
  const { bytes } = built(5);
  const at = (seq: number): Uint8Array => bytes[seq - 1] ?? new Uint8Array();
  const feed = (chain: Chain, ...seqs: number[]): void =>
    seqs.forEach((seq) => void chain.accept({ seq, bytes: at(seq) }));
  broken(t, 1, () => feed(new Chain(PARTITION), 2));
  broken(t, 3, () => feed(new Chain(PARTITION), 1, 2, 4));
  broken(t, 2, () => feed(new Chain(PARTITION), 1, 4, 5));
  const changed = at(2).slice();
  changed[changed.length - 1] = 1;
  const chain = new Chain(PARTITION);
  feed(chain, 1);
  chain.accept({ seq: 2, bytes: changed });
  broken(t, 2, () => feed(chain, 3));
  const unreadable = new Chain(PARTITION);
  feed(unreadable, 1);
  t.match(unreadable.accept({ seq: 2, bytes: at(2).subarray(0, 20) }), { kind: 'foreign' });
  broken(t, 2, () => feed(unreadable, 3));
});

t.test('given a commit that follows itself or a later one, then it is the bad one', async (t) => {
  const { chain } = built(1);
  broken(t, 2, () => chain.accept({ seq: 2, bytes: after(chain.head, { prevSeq: 9 }) }));
});

t.test('given a first commit that names a hash, then it is broken', async (t) => {
  const named = (): Uint8Array => after(undefined, { prevHash: new Uint8Array(32) });
  broken(t, 1, () => new Chain(PARTITION).accept({ seq: 1, bytes: named() }));
});

t.test('given a commit for newer readers that follows ours, then reading halts', async (t) => {
  const forNewer = [
    { minReader: 4 }, { version: 1, minReader: 4 }, { version: 3 }, { version: 3, minReader: 1 }, { version: 4 },
    { version: 4, minReader: 5 },
  ];
  for (const newer of forNewer) {
    const { chain } = built(1);
    const needed = Math.max(4, newer.minReader ?? 0);
    t.throws(
      () => chain.accept({ seq: 2, bytes: after(chain.head, newer) }),
      { code: 'JOURNAL_TOO_NEW', message: new RegExp(`needs a reader of version ${needed}; this one is 3`), cause: { position: 2 } },
      JSON.stringify(newer),
    );
    const asFirst = () => new Chain(PARTITION).accept({ seq: 1, bytes: after(undefined, newer) });
    t.throws(asFirst, { code: 'JOURNAL_TOO_NEW' }, 'also as the first');
  }
});

t.test('what a commit needs, every later one needs', async (t) => {
  const { chain } = built(2);
  t.equal(headerAfter(chain.head!, leader, 0).minReader, 2, 'as before the first barrier');
  chain.accept({ seq: 3, bytes: encodeCommit(headerAfter(chain.head!, leader, 0, 3), encodeEvents([event('x')])) });
  t.equal(headerAfter(chain.head!, leader, 0).minReader, 3);
  t.equal(headerAfter(chain.head!, leader, 0, 2).minReader, 3, 'and never less');
  chain.accept({ seq: 4, bytes: after(chain.head, { minReader: 1 }) });
  t.equal(headerAfter(chain.head!, leader, 0).minReader, 3, 'whatever a commit in between says');
});

t.test('given a journal that an older version began, then it goes on in version 2, and each hash is that of its version', async (t) => {
  const chain = new Chain(PARTITION);
  const old = encodeCommit(first, encodeEvents([event('old')]));
  chain.accept({ seq: 1, bytes: old });
  t.same(chain.head?.hash, hashOf(old), 'of version 1: all bytes');
  const header = { ...headerAfter(chain.head!, leader, 0), version: 1 };
  const leaderStarted = encodeCommit(header, encodeEvents([event('led')]));
  chain.accept({ seq: 2, bytes: leaderStarted });
  t.same(chain.head?.hash, hashOf(leaderStarted));
  const hashed = encodeCommit(headerAfter(chain.head!, leader, 0), encodeEvents([event('new')]));
  const beside = journal.Commit.encode({ contents: [{ event: 0, salted: new Uint8Array(20) }] }).finish();
  chain.accept({ seq: 3, bytes: Buffer.concat([hashed, beside]) });
  t.same(chain.head?.hash, hashOf(hashed), 'of version 2: the bytes before the contents');
  t.match(chain.accept({ seq: 4, bytes: after(chain.head) }), { kind: 'commit' });
});

t.test('given anything but contents behind contents, then it is not a commit', async (t) => {
  const { chain } = built(1);
  const beside = journal.Commit.encode({ contents: [{ event: 0, salted: new Uint8Array(20) }] }).finish();
  const header = headerAfter(chain.head!, leader, 0);
  const smuggled = {
    event: encodeEvents([event('x')]), 'lower version': Uint8Array.of(8, 1), 'unknown field': Uint8Array.of(98, 0),
    'fixed field': Uint8Array.of(97, 0, 0, 0, 0, 0, 0, 0, 0),
  };
  for (const [what, more] of Object.entries(smuggled)) {
    const bytes = Buffer.concat([encodeCommit(header, encodeEvents([event('y')]), beside), more]);
    t.match(chain.accept({ seq: 2, bytes }), { kind: 'foreign' }, what);
    const between = Buffer.concat([bytes, beside]);
    t.match(chain.accept({ seq: 2, bytes: between }), { kind: 'foreign' }, `${what} between contents`);
  }
});
