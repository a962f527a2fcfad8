/** Taking over. */
import { hashOf } from '../chain.js';
import { encodeCommit, encodeEvents, headerAfter } from '../commit.js';
import { journal } from '../../protocols/messages.js';
import type { Journal } from '../journal.js';
import { takeOver } from '../takeover.js';
import { AMBIGUOUS } from './failing.js';
import { appendNext, candidate, checkOneChain, known, lead, next, text, type Spec } from './stage.js';

let drawn = 0;

export const leading: Record<string, Spec> = {
  'given an empty journal, when a leader starts, then the journal gets its id and epoch 1': async (t, rig) => {
    const options = candidate();
    const { head, leaderId } = await lead(t, await rig.open(), options);
    t.match(head, { journalId: 'journal1', seq: 1, epoch: 1, nowMs: 1_000 });
    const cause = { type: 'TakeOver', by: 'broker' };
    const started = { kind: 'partition', id: '0', type: 'LeaderStarted', cause };
    // A reader of version 1 skips a commit of another version, but halts at this one.
    const commit = { version: 1, minReader: 2, prevSeq: 0, epoch: 1, leaderId, events: [started] };
    t.match(options.commits, [commit]);
    const body = journal.LeaderStarted.decode(options.commits[0]?.events[0]?.body ?? text(''));
    t.same(body, { status: 'led', epoch: 1, leaderId, broker: 'broker' });
  },
  'given commits, when another leader starts, then it has read all, and the first one is fenced': async (t, rig) => {
    const first = await lead(t, await rig.open());
    const head = await appendNext(first, 'a');
    const options = candidate({ journalId: () => 'other', nowMs: () => 500, known: known(first.head, head) });
    const second = await lead(t, await rig.open(), options);
    t.same(options.heads.map((each) => each.seq), [1, 2, 3]);
    t.match(second.head, { journalId: 'journal1', epoch: 2, nowMs: 1_000 }, 'id and time come from the journal');
    t.match(await first.journal.append(next(head).bytes, head.seq), { kind: 'refused', why: 'fenced' });
    t.equal((await checkOneChain(t, rig)).length, 3);
  },
  'given commits for newer readers, when another leader starts, then its first commit is too': async (t, rig) => {
    const first = await lead(t, await rig.open());
    await appendNext({ ...first, head: { ...first.head, minReader: 3 } }, 'a');
    const options = candidate();
    const second = await lead(t, await rig.open(), options);
    const needs = options.commits.map(({ version, minReader }) => [version, minReader]);
    t.strictSame(needs, [[1, 2], [2, 3], [1, 3]], 'in the version that older readers halt at');
    t.equal(second.head.minReader, 3);
    await checkOneChain(t, rig);
  },
  'given two candidates at once, then both lead one after the other on one chain': async (t, rig) => {
    const both = await Promise.all([lead(t, await rig.open()), lead(t, await rig.open())]);
    t.same(both.map((each) => each.head.epoch).sort(), [1, 2]);
    const commits = await checkOneChain(t, rig);
    t.same(commits.map((commit) => commit.epoch), [1, 2]);
    t.equal(new Set(commits.map((commit) => commit.leaderId)).size, 2);
    const results = await Promise.all(both.map((each) => each.journal.append(next(each.head).bytes, each.head.seq)));
    t.same(results.map((result) => result.kind).sort(), ['committed', 'refused'], 'only the last one may still write');
  },
  'given messages that are not ours, when a leader starts, then they are skipped and reported': async (t, rig) => {
    await rig.writeForeign(text('hello'));
    const first = await lead(t, await rig.open());
    await rig.writeForeign(text('{"not":"a commit"}'));
    const header = headerAfter(first.head, { leaderId: 'x', epoch: 9 }, 0);
    await rig.writeForeign(encodeCommit({ ...header, partition: 5 }, encodeEvents([])));
    const options = candidate({ known: known(first.head) });
    const second = await lead(t, await rig.open(), options);
    t.same(options.foreign, [1, 3, 4]);
    t.equal(second.head.seq, 5);
    t.same((await checkOneChain(t, rig)).map((commit) => commit.prevSeq), [0, 2]);
  },
  'given a known head that is not in the journal, then a take-over fails': async (t, rig) => {
    const first = await lead(t, await rig.open());
    const lost = next(first.head).at(first.head.seq + 1);
    const missing = { code: 'JOURNAL_REGRESSED', message: /at 2\b/, cause: { position: 2 } };
    await t.rejects(takeOver(await rig.open(), candidate({ known: known(lost) })), missing);
    const other = { ...first.head, hash: hashOf(text('other')) };
    const changed = { code: 'JOURNAL_REGRESSED', cause: { position: 1 } };
    await t.rejects(takeOver(await rig.open(), candidate({ known: known(other) })), changed);
    t.equal(await first.journal.lastSeq(), 1, 'nothing was written');
  },
  'given a missing commit, in the middle or at the end, then a take-over names its position': async (t, rig) => {
    const first = await lead(t, await rig.open());
    let head = first.head;
    for (const id of ['a', 'b', 'c']) head = await appendNext({ ...first, head }, id);
    await rig.vanish(4);
    await t.rejects(takeOver(await rig.open(), candidate()), { code: 'JOURNAL_BROKEN', cause: { position: 4 } });
    await rig.vanish(2);
    await t.rejects(takeOver(await rig.open(), candidate()), { code: 'JOURNAL_BROKEN', cause: { position: 2 } });
  },
  'given a commit whose predecessor was changed, then a take-over fails': async (t, rig) => {
    const first = await lead(t, await rig.open());
    const changed = { ...first.head, hash: hashOf(text('changed')) };
    await first.journal.append(next(changed).bytes, first.head.seq);
    await t.rejects(takeOver(await rig.open(), candidate()), { code: 'JOURNAL_BROKEN', cause: { position: 1 } });
  },
  'given an ambiguous LeaderStarted, then the candidate tries again with another id and leads': async (t, rig) => {
    for (const [i, mishap] of AMBIGUOUS.entries()) {
      const from = await rig.open();
      // Reads go through the proxy as well, so the mishap is armed when the id is drawn, right before the append.
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

leading['given that others always write first, then the candidate gives up after its tries'] = async (t, rig) => {
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
    end: () => one.end(),
    truncate: (firstSeq) => one.truncate(firstSeq),
    reopen: () => one.reopen(),
    close: () => one.close(),
  };
  t.match(await takeOver(busy, candidate({ tries: 3 })), { kind: 'deposed', why: /wrong last sequence/ });
  t.equal(appends, 3);
};
