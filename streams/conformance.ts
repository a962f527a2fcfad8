/** What every journal must do. One suite, run against each implementation. */
import type { Test } from 'tap';
import { Chain, hashOf, type Head, headOf } from './chain.js';
import { encodeCommit, headerAfter } from './commit.js';
import { RepriseError } from '../protocols/errors.js';
import { journal } from '../protocols/messages.js';
import type { Journal, Stored } from './journal.js';
import type { MakeRig, Mishap, Rig } from './rigs.js';
import { settle } from './settle.js';
import { takeOver, type TakenOver, type TakeOverOptions } from './takeover.js';

type Leading = Extract<TakenOver, { kind: 'leading' }>;
type Spec = (t: Test, rig: Rig) => Promise<void>;

let drawn = 0;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What a broker brings to a take-over; collects what it folded. */
export function candidate(more: Partial<TakeOverOptions> = {}): TakeOverOptions & { commits: journal.Commit[]; foreign: number[]; heads: Head[] } {
  const commits: journal.Commit[] = [];
  const foreign: number[] = [];
  const heads: Head[] = [];
  return {
    commits, foreign, heads,
    known: [],
    leaderId: () => `leader${++drawn}`,
    journalId: () => 'journal1',
    broker: 'broker',
    nowMs: () => 1_000,
    onCommit: (commit, _seq, _bytes, head) => void (commits.push(commit), heads.push(head)),
    onForeign: (seq) => void foreign.push(seq),
    ...more,
  };
}

export async function lead(t: Test, from: Journal, options: TakeOverOptions = candidate()): Promise<Leading> {
  const taken = await takeOver(from, options);
  if (taken.kind !== 'leading') throw new Error(`deposed: ${taken.why}`);
  t.teardown(() => taken.journal.close());
  return taken;
}

/** A commit that follows `head`, with one event of somebody's. */
export function next(head: Head, id = 'a'): { bytes: Uint8Array; at: (seq: number) => Head } {
  const header = headerAfter(head, { leaderId: 'leader', epoch: head.epoch }, 1_000);
  const event = journal.Event.encode({ kind: 'test', id, type: 'Happened', version: 1, body: text(id) }).finish();
  const bytes = encodeCommit(header, [event]);
  return { bytes, at: (seq) => headOf(header, head.partition, seq, bytes) };
}

async function appendNext(leading: { head: Head; journal: Journal }, id: string): Promise<Head> {
  const commit = next(leading.head, id);
  const appended = await leading.journal.append(commit.bytes, leading.head.seq);
  if (appended.kind !== 'committed') throw new Error(`${appended.kind}: ${appended.message}`);
  return commit.at(appended.seq);
}

async function collect(messages: AsyncIterable<Stored>): Promise<Stored[]> {
  const all: Stored[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

async function checkOneChain(t: Test, rig: Rig): Promise<journal.Commit[]> {
  const reader = await rig.open();
  const chain = new Chain(rig.partition);
  const commits: journal.Commit[] = [];
  for await (const stored of reader.replay(1)) {
    const accepted = chain.accept(stored);
    if (accepted.kind === 'commit') commits.push(accepted.commit);
  }
  await reader.close();
  t.same(commits.map((commit) => commit.epoch), commits.map((commit) => commit.epoch).sort((a, b) => a - b), 'epochs never fall');
  return commits;
}

const appending: Record<string, Spec> = {
  'given an empty journal, then its end is 0 and a replay gives nothing': async (t, rig) => {
    const one = await rig.open();
    t.equal(await one.lastSeq(), 0);
    t.same(await collect(one.replay(1)), []);
    t.equal(await one.read(1), undefined);
    await one.close();
  },
  'given two handles, when one is behind, then the fence refuses it and the other goes on': async (t, rig) => {
    const [one, two] = [await rig.open(), await rig.open()];
    t.same(await one.append(text('a'), 0), { kind: 'committed', seq: 1 });
    t.match(await two.append(text('b'), 0), { kind: 'refused', why: 'fenced' });
    t.same(await one.append(text('c'), 1), { kind: 'committed', seq: 2 });
    t.match(await two.append(text('d'), 7), { kind: 'refused', why: 'fenced' }, 'the future is refused as well');
    t.equal(await two.lastSeq(), 2);
    await one.close();
    await two.close();
  },
  'given an append in flight, when there is a second, then it is a mistake of the caller': async (t, rig) => {
    const one = await rig.open();
    const first = one.append(text('a'), 0);
    await t.rejects(async () => one.append(text('b'), 1), { code: 'ERR_ASSERTION' });
    t.match(await first, { kind: 'committed' });
    await one.close();
  },
  'given messages small and large, then a replay gives them in order from any position': async (t, rig) => {
    const one = await rig.open();
    const written = Array.from({ length: 40 }, (_, i) => new Uint8Array(i % 4 === 0 ? 300_000 : 20).fill(i));
    for (const [i, bytes] of written.entries()) await one.append(bytes, i);
    for (const from of [1, 2, 20, 40, 41, 99]) {
      const read = await collect(one.replay(from));
      t.same(read.map((message) => message.seq), written.map((_, i) => i + 1).slice(from - 1), `from ${from}`);
      t.ok(read.every((message) => Buffer.compare(message.bytes, written[message.seq - 1] ?? new Uint8Array()) === 0), 'bytes are equal');
    }
    t.same(Buffer.from((await one.read(5))?.bytes ?? []), Buffer.from(written[4] ?? []));
    t.equal(await one.read(41), undefined);
    await one.close();
  },
  'given a message that vanished, then a replay and a read go on without it': async (t, rig) => {
    const one = await rig.open();
    for (let i = 0; i < 4; i += 1) await one.append(text(`m${i}`), i);
    for (const seq of [2, 4]) await rig.vanish(seq);
    t.same((await collect(one.replay(1))).map((message) => message.seq), [1, 3]);
    t.equal(await one.read(2), undefined);
    t.equal(await one.lastSeq(), 4, 'the end stays where it was');
    await one.close();
  },
};

const AMBIGUOUS: readonly Mishap[] = ['ack lost', 'ack late', 'message lost', 'message late', 'cut before', 'cut after'];
const WRITTEN: readonly Mishap[] = ['ack lost', 'ack late', 'cut after'];

const failing: Record<string, Spec> = {
  'given an acknowledgement that comes twice, then the append is committed once and the next one is its own': async (t, rig) => {
    const one = await rig.open();
    rig.mishap('ack duplicated');
    t.same(await one.append(text('a'), 0), { kind: 'committed', seq: 1 });
    t.same(await one.append(text('b'), 1), { kind: 'committed', seq: 2 });
    await one.close();
  },
  'given a connection that is cut, then its handle says so, refuses everything, and can be opened anew': async (t, rig) => {
    const one = await rig.open();
    rig.disconnect();
    await one.closed;
    await t.rejects(one.append(text('a'), 0), { code: 'SERVER_UNREACHABLE' });
    await t.rejects(one.lastSeq(), { code: 'SERVER_UNREACHABLE' });
    await t.rejects(one.read(1), { code: 'SERVER_UNREACHABLE' });
    await t.rejects(collect(one.replay(1)), { code: 'SERVER_UNREACHABLE' });
    const two = await one.reopen();
    t.same(await two.append(text('a'), 0), { kind: 'committed', seq: 1 });
    await two.close();
  },
};
for (const mishap of AMBIGUOUS) {
  failing[`given ${mishap}, then the append is ambiguous and the handle takes no more`] = async (t, rig) => {
    const one = await rig.open();
    rig.mishap(mishap);
    t.match(await one.append(text('a'), 0), { kind: 'ambiguous' });
    await t.rejects(one.append(text('b'), 0), { code: 'SERVER_UNREACHABLE' });
    await rig.arrive();
    const two = await one.reopen();
    const written = WRITTEN.includes(mishap) || mishap === 'message late';
    t.equal(await two.lastSeq(), written ? 1 : 0);
    await two.close();
  };
}

const leading: Record<string, Spec> = {
  'given an empty journal, when a leader starts, then the journal gets its id and epoch 1': async (t, rig) => {
    const options = candidate();
    const { head, leaderId } = await lead(t, await rig.open(), options);
    t.match(head, { journalId: 'journal1', seq: 1, epoch: 1, nowMs: 1_000 });
    t.match(options.commits, [{ prevSeq: 0, epoch: 1, leaderId, events: [{ kind: 'partition', id: '0', type: 'LeaderStarted', cause: { type: 'TakeOver', by: 'broker' } }] }]);
    t.same(journal.LeaderStarted.decode(options.commits[0]?.events[0]?.body ?? text('')), { status: 'led', epoch: 1, leaderId, broker: 'broker' });
  },
  'given a journal with commits, when another leads, then it has read them all and the first is fenced off': async (t, rig) => {
    const first = await lead(t, await rig.open());
    const head = await appendNext(first, 'a');
    const options = candidate({ journalId: () => 'other', nowMs: () => 500, known: [first.head, head] });
    const second = await lead(t, await rig.open(), options);
    t.same(options.heads.map((each) => each.seq), [1, 2, 3]);
    t.match(second.head, { journalId: 'journal1', epoch: 2, nowMs: 1_000 }, 'id and time come from the journal');
    t.match(await first.journal.append(next(head).bytes, head.seq), { kind: 'refused', why: 'fenced' });
    t.equal((await checkOneChain(t, rig)).length, 3);
  },
  'given two candidates at once, then both lead one after the other on one chain': async (t, rig) => {
    const both = await Promise.all([lead(t, await rig.open()), lead(t, await rig.open())]);
    t.same(both.map((each) => each.head.epoch).sort(), [1, 2]);
    const commits = await checkOneChain(t, rig);
    t.same(commits.map((commit) => commit.epoch), [1, 2]);
    t.equal(new Set(commits.map((commit) => commit.leaderId)).size, 2);
    const results = await Promise.all(both.map((each) => each.journal.append(next(each.head).bytes, each.head.seq)));
    t.same(results.map((result) => result.kind).sort(), ['committed', 'refused'], 'only the last one still may write');
  },
  'given messages of strangers, when a leader starts, then they are skipped, told of, and harm nothing': async (t, rig) => {
    await rig.strange(text('hello'));
    const first = await lead(t, await rig.open());
    await rig.strange(text('{"not":"a commit"}'));
    await rig.strange(encodeCommit({ ...headerAfter(first.head, { leaderId: 'x', epoch: 9 }, 0), partition: 5 }, []));
    const options = candidate({ known: [first.head] });
    const second = await lead(t, await rig.open(), options);
    t.same(options.foreign, [1, 3, 4]);
    t.equal(second.head.seq, 5);
    t.same((await checkOneChain(t, rig)).map((commit) => commit.prevSeq), [0, 2]);
  },
  'given a known head that is missing at the end, then nobody leads': async (t, rig) => {
    const first = await lead(t, await rig.open());
    const lost = next(first.head).at(first.head.seq + 1);
    await t.rejects(takeOver(await rig.open(), candidate({ known: [lost] })), { code: 'JOURNAL_REGRESSED', message: /at 2\b/, cause: { position: 2 } });
    const other = { ...first.head, hash: hashOf(text('other')) };
    await t.rejects(takeOver(await rig.open(), candidate({ known: [other] })), { code: 'JOURNAL_REGRESSED', cause: { position: 1 } });
    await t.rejects(takeOver(await rig.open(), candidate({ known: [{ ...first.head, journalId: 'x' }] })), { code: 'JOURNAL_REGRESSED' });
    t.equal(await first.journal.lastSeq(), 1, 'nothing was written');
  },
  'given a commit that vanished, in the middle or at the end, then nobody leads and its position is named': async (t, rig) => {
    const first = await lead(t, await rig.open());
    let head = first.head;
    for (const id of ['a', 'b', 'c']) head = await appendNext({ ...first, head }, id);
    await rig.vanish(4);
    await t.rejects(takeOver(await rig.open(), candidate()), { code: 'JOURNAL_BROKEN', cause: { position: 4 } });
    await rig.vanish(2);
    await t.rejects(takeOver(await rig.open(), candidate()), { code: 'JOURNAL_BROKEN', cause: { position: 2 } });
  },
  'given a commit whose predecessor has other bytes, then nobody leads': async (t, rig) => {
    const first = await lead(t, await rig.open());
    const changed = { ...first.head, hash: hashOf(text('changed')) };
    await first.journal.append(next(changed).bytes, first.head.seq);
    await t.rejects(takeOver(await rig.open(), candidate()), { code: 'JOURNAL_BROKEN', cause: { position: 1 } });
  },
  'given an ambiguous LeaderStarted, then the candidate tries again under another id and leads': async (t, rig) => {
    for (const [i, mishap] of AMBIGUOUS.entries()) {
      const from = await rig.open();
      // Reading goes through the proxy as well, so the mishap is armed when the id is drawn, right before the append.
      let armed = false;
      const leaderId = (): string => {
        if (!armed) rig.mishap(mishap);
        armed = true;
        return `again${++drawn}`;
      };
      const taken = await lead(t, from, candidate({ leaderId }));
      await rig.arrive();
      t.equal(taken.leaderId, `again${drawn}`, `${mishap} (${i})`);
      t.equal(await taken.journal.lastSeq(), taken.head.seq, 'and what arrives late is fenced off');
    }
    await checkOneChain(t, rig);
  },
};

const settling: Record<string, Spec> = {};
for (const mishap of AMBIGUOUS) {
  const written = WRITTEN.includes(mishap);
  settling[`given ${mishap}, when it is settled, then the message was ${written ? '' : 'not '}written, for good`] = async (t, rig) => {
    const { journal: mine, head } = await lead(t, await rig.open());
    const { bytes, at } = next(head, 'pending');
    rig.mishap(mishap);
    t.match(await mine.append(bytes, head.seq), { kind: 'ambiguous' });
    const options = candidate({ known: [head] });
    const settled = await settle(mine, { bytes, expectedSeq: head.seq }, options);
    t.teardown(() => settled.takenOver.journal.close());
    t.match(settled, { written, takenOver: { kind: 'leading', head: { seq: written ? 3 : 2, epoch: 2 } } });
    if (written) t.same(options.heads[1], at(2));
    await rig.arrive();
    t.equal(await settled.takenOver.journal.lastSeq(), written ? 3 : 2, 'nothing comes in behind the barrier');
  };
}
settling['given a message that arrives before it is settled, then it was written'] = async (t, rig) => {
  const { journal: mine, head } = await lead(t, await rig.open());
  const { bytes } = next(head, 'pending');
  rig.mishap('message late');
  t.match(await mine.append(bytes, head.seq), { kind: 'ambiguous' });
  await rig.arrive();
  const settled = await settle(mine, { bytes, expectedSeq: head.seq }, candidate());
  t.teardown(() => settled.takenOver.journal.close());
  t.equal(settled.written, true);
};
settling['given that another leader wrote in its place, then it was not written'] = async (t, rig) => {
  const { journal: mine, head } = await lead(t, await rig.open());
  const { bytes } = next(head, 'pending');
  rig.mishap('message lost');
  t.match(await mine.append(bytes, head.seq), { kind: 'ambiguous' });
  await lead(t, await rig.open());
  const settled = await settle(mine, { bytes, expectedSeq: head.seq }, candidate());
  t.teardown(() => settled.takenOver.journal.close());
  t.match(settled, { written: false, takenOver: { kind: 'leading', head: { epoch: 3 } } });
};

/** A leader that goes on appending whatever happens to it, and remembers what it knows to be written. */
async function contend(t: Test, rig: Rig, name: string, draw: () => number): Promise<{ id: string; head: Head }[]> {
  const sure: { id: string; head: Head }[] = [];
  const options = (): TakeOverOptions => candidate({ known: sure.map((each) => each.head), tries: 20 });
  let now: Leading | undefined;
  for (let i = 0; i < 25; i += 1) {
    try {
      now ??= await lead(t, await rig.open(), options());
      const id = `${name}${i}`;
      const { bytes, at } = next(now.head, id);
      if (draw() < 0.4) rig.mishap(rig.contended[Math.floor(draw() * rig.contended.length)] ?? 'cut before');
      const { head } = now;
      const appended = await now.journal.append(bytes, head.seq);
      if (appended.kind === 'committed') now = { ...now, head: at(appended.seq) };
      const settled = appended.kind === 'ambiguous' ? await settle(now.journal, { bytes, expectedSeq: head.seq }, options()) : undefined;
      if (appended.kind === 'committed' || settled?.written) sure.push({ id, head: at(head.seq + 1) });
      if (settled) t.teardown(() => settled.takenOver.journal.close());
      if (appended.kind !== 'committed') now = settled?.takenOver.kind === 'leading' ? settled.takenOver : undefined;
      if (draw() < 0.3) await rig.arrive();
    } catch (error) {
      // A read that was cut off; everything else is a failure of the test.
      if (!(error instanceof RepriseError) || error.code !== 'SERVER_UNREACHABLE') throw error;
      now = undefined;
    }
  }
  return sure;
}

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

leading['given two leaders that contend while connections break, then there is one chain with everything acknowledged, once'] = async (t, rig) => {
  const both = await Promise.all(['a', 'b'].map((name, i) => contend(t, rig, name, seeded(i + 1))));
  await rig.arrive();
  const commits = await checkOneChain(t, rig);
  const ids = commits.flatMap((commit) => commit.events.map((event) => event.id ?? '')).filter((id) => /^[ab]/.test(id));
  t.equal(new Set(ids).size, ids.length, 'nothing is there twice');
  const known = both.flatMap((sure) => sure.map((each) => each.id));
  t.ok(known.length > 5, `${known.length} are known to be written`);
  t.same(known.filter((id) => !ids.includes(id)), [], 'everything acknowledged is there');
  await lead(t, await rig.open(), candidate({ known: both.flatMap((sure) => sure.map((each) => each.head)) }));
};

leading['given that others are always faster, then the candidate gives up after a bounded number of tries'] = async (t, rig) => {
  const one = await rig.open();
  t.teardown(() => one.close());
  let appends = 0;
  const busy: Journal = {
    partition: one.partition,
    closed: one.closed,
    append: async () => (appends += 1, { kind: 'refused', why: 'fenced', message: 'wrong last sequence' }),
    replay: (fromSeq) => one.replay(fromSeq),
    read: (seq) => one.read(seq),
    lastSeq: () => one.lastSeq(),
    reopen: () => one.reopen(),
    close: () => one.close(),
  };
  t.match(await takeOver(busy, candidate({ tries: 3 })), { kind: 'deposed', why: /wrong last sequence/ });
  t.equal(appends, 3);
};

const bounds = async (t: Test, makeRig: MakeRig): Promise<void> => {
  const rig = await makeRig({ maxBytes: 20_000 });
  t.teardown(() => rig.close());
  const one = await rig.open();
  t.match(await one.append(new Uint8Array(15_000), 0), { kind: 'committed' });
  t.match(await one.append(new Uint8Array(15_000), 1), { kind: 'refused', why: 'full' });
  t.match(await one.append(new Uint8Array(100), 1), { kind: 'committed', seq: 2 }, 'a refusal leaves no trace');
  await one.close();
};

export function conformance(t: Test, name: string, makeRig: MakeRig): void {
  for (const [says, spec] of Object.entries({ ...appending, ...failing, ...leading, ...settling })) {
    void t.test(`${name}: ${says}`, async (t) => {
      const rig = await makeRig();
      t.teardown(() => rig.close());
      await spec(t, rig);
    });
  }
  void t.test(`${name}: given a journal that is full, then it refuses and drops nothing`, (t) => bounds(t, makeRig));
}
