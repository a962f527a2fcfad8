/** The list of queues, and what is known of a queue without a look at its jobs. */
import fc from 'fast-check';
import t from 'tap';
import type { RowRuns } from '../job/row-runs.js';
import { leasesIn, ok, Play } from '../../tests/play.js';
import { jobKind } from '../job/job.kind.js';
import { mergedPage, pageOf, type Page } from './page.js';
import { queueKind } from './queue.kind.js';
import { statsJson, statsOf, type QueueStats } from './stats.js';

const changedQueue = (play: Play, kind: 'pause' | 'resume', queue: string): unknown =>
  play.ask<'pause' | 'resume'>({ kind, queue, reason: 'closed', commandId: '', by: 'anna' });
const namesIn = ({ queues }: Page): unknown[] => queues.map(({ queue }) => queue);
const listed = (play: Play): unknown[] => namesIn(pageOf(play.core, { after: '', limit: 1_000 }));

t.test('given ready jobs of several priorities, when they are counted, then one of each priority is looked at', async (t) => {
  const play = new Play();
  play.submit({ queue: 'orders' });
  play.nowMs += 500;
  for (const priority of [0, 5, 9]) play.submit({ queue: 'orders', priority });
  for (const line of play.jobs.lines.ofQueue('orders')) {
    const { jobs } = line as unknown as { jobs: RowRuns };
    t.equal([...jobs.candidates()].length, 3, 'one of each priority is');
  }
  t.match(statsOf(play.core, 'orders'), { ready: 4, oldestWaitingMs: 500 });
});

t.test('given a low job that stays while high ones pass, then the oldest is right and those that left are let go', async (t) => {
  const play = new Play();
  play.register('w1');
  const low = play.submit({ queue: 'orders' });
  for (let nth = 1; nth <= 300; nth += 1) {
    play.submit({ queue: 'orders', priority: 1 });
    play.pull('w1', 2 * nth + 1, 0, [], leasesIn(play.pull('w1', 2 * nth, 1)).map(ok));
  }
  const [line] = [...play.jobs.lines.ofQueue('orders')] as unknown as [{ oldest: { id: string }; jobs: RowRuns }];
  t.equal(line.oldest.id, low);
  t.strictSame([line.jobs.size, [...line.jobs.candidates()].length], [1, 1], 'bounded');
  t.match(statsOf(play.core, 'orders'), { ready: 1, running: 0 });
});

t.test('given queues whose jobs have ended, then they are not listed, and forgotten by the time of the commits', async (t) => {
  const play = new Play();
  play.register('w1');
  for (const queue of ['a', 'b', 'c']) play.submit({ queue });
  const tokens = leasesIn(play.pull('w1', 1, 3));
  play.pull('w1', 2, 0, [], tokens.map(ok));
  changedQueue(play, 'pause', 'z');
  t.strictSame(listed(play), ['z']);
  play.nowMs += 60_001;
  play.submit({ queue: 'b' });
  t.strictSame([...play.jobs.lines.queues], ['b']);
  t.strictSame([...play.replayed().read(jobKind).lines.queues], ['b']);
  t.strictSame(listed(play), ['b', 'z']);
  play.submit({ queue: 'a' });
  play.register('w1');
  t.equal(leasesIn(play.pull('w1', 3, 5)).length, 2, 'a worker gets jobs of a queue that comes back');
});

t.test('given a queue that was resumed, when the next commit begins, then it is forgotten, in a replay as well', async (t) => {
  const play = new Play();
  for (const change of ['pause', 'resume'] as const) changedQueue(play, change, 'orders');
  changedQueue(play, 'pause', 'other');
  for (const core of [play.core, play.replayed()]) {
    t.strictSame([...core.read(queueKind).all()].map(({ id }) => id), ['other']);
  }
  changedQueue(play, 'pause', 'orders');
  for (const core of [play.core, play.replayed()]) {
    t.match(core.read(queueKind).get('orders'), { status: 'paused', by: 'anna' });
  }
});

const ofQueue = (queue: string, reason?: string): QueueStats => ({
  queue, status: 'open', ready: 0, scheduled: 0, running: 0, retrying: 0, oldestWaitingMs: 0,
  ...(reason !== undefined && { paused: { by: '', sinceMs: 1, reason } }),
});

t.test('property: pages of several partitions have every queue once, in order', async (t) => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,4}$/), { maxLength: 30 });
  const limits = fc.integer({ min: 1, max: 7 });
  fc.assert(fc.property(names, limits, fc.integer({ min: 1, max: 4 }), (all, limit, partitions) => {
    const plays = Array.from({ length: partitions }, () => new Play());
    for (const [nth, queue] of all.entries()) {
      const play = plays[nth % partitions]!;
      if (nth % 3 === 0) changedQueue(play, 'pause', queue);
      else play.submit({ queue });
    }
    const got: unknown[] = [];
    let after = '';
    do {
      const page = mergedPage(plays.map(({ core }) => pageOf(core, { after, limit })), limit);
      t.ok(page.queues.length <= limit);
      got.push(...namesIn(page));
      after = page.next;
    } while (after !== '');
    t.strictSame(got, all.sort());
  }), { numRuns: 100 });
});

t.test('given long reasons in two partitions, then a page fits into a reply, and none is left out', async (t) => {
  const name = (nth: number): string => String(nth).padStart(64, '0');
  const all = Array.from({ length: 1_000 }, (_, nth) => ofQueue(name(nth), '"'.repeat(1_024)));
  const halves = [all.filter((_, nth) => nth % 2 === 0), all.filter((_, nth) => nth % 2 === 1)];
  const got: unknown[] = [];
  let after = '';
  do {
    const rest = halves.map((half): Page => ({ queues: half.filter(({ queue }) => queue! > after), next: '' }));
    const page = mergedPage(rest, 1_000);
    const position = { partition: 99, seq: Number.MAX_SAFE_INTEGER, hash: new Uint8Array(32), epoch: 2 ** 31 };
    t.ok(page.queues.reduce((sum, each) => sum + statsJson({ ...each, position } as QueueStats).length, 0) < 600_000);
    got.push(...namesIn(page));
    after = page.next;
  } while (after !== '');
  t.strictSame(got, all.map(({ queue }) => queue));
});

t.test('given a partition whose page was cut by its size, then the merged page ends where it does', async (t) => {
  const pages: Page[] = [
    { queues: [ofQueue('a'), ofQueue('c')], next: 'c' },
    { queues: [ofQueue('b'), ofQueue('d')], next: '' },
  ];
  const page = mergedPage(pages, 1_000);
  t.strictSame([namesIn(page), page.next], [['a', 'b', 'c'], 'c']);
});
