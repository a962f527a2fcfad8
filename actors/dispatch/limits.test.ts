/** Limits of groups, queues and keys: how many jobs run at once, and how many begin in a time. */
import t from 'tap';
import type { Play } from '../../tests/play.js';
import { Limited } from '../../tests/limited.js';

const fleet = (...names: string[]): Limited => {
  const of = new Limited();
  for (const name of names) of.join(name);
  return of;
};

/** Submits so many jobs to a queue. */
const fill = (of: Limited, queue: string, count: number, over: Parameters<Play['submit']>[0] = {}): string[] =>
  Array.from({ length: count }, () => of.submit({ queue, ...over }));

t.test('the concurrency of a queue is that of all workers together', (t) => {
  const of = fleet('w', 'x');
  of.configure('images/high', { concurrency: 3 });
  const ids = fill(of, 'images/high', 5);
  t.strictSame([of.take('w', 2), of.take('x', 5)], [ids.slice(0, 2), ids.slice(2, 3)]);
  t.strictSame(of.take('w', 5), []);
  of.finish('w');
  t.strictSame(of.take('x', 5), ids.slice(3, 4), 'the next one, when one has ended');
  t.end();
});

t.test('limits of a group and of its queues are nested', (t) => {
  const of = fleet('w');
  of.configure('images/', { concurrency: 4 });
  of.configure('images/low', { concurrency: 2 });
  const low = fill(of, 'images/low', 4, { priority: 9 });
  const high = fill(of, 'images/high', 4);
  t.strictSame(of.take('w', 10), [...low.slice(0, 2), ...high.slice(0, 2)]);
  of.finish('w', low[0]);
  t.strictSame(of.take('w', 10), [low[2]]);
  of.finish('w', high[0]);
  t.strictSame(of.take('w', 10), [high[2]]);
  of.submit({ queue: 'others' });
  t.equal(of.take('w', 10).length, 1, 'another group has no limit in common');
  t.end();
});

t.test('a limit per key holds each value of the label by itself, in the whole group', (t) => {
  const of = fleet('w');
  of.configure('images/', { perKey: { label: 'tenant', concurrency: 1 } });
  const [a, b] = [of.of({ tenant: 'a' }, { queue: 'images/x' }), of.of({ tenant: 'a' }, { queue: 'images/y' })];
  const c = of.of({ tenant: 'c' }, { queue: 'images/x' });
  const none = [of.of({}, { queue: 'images/x' }), of.of({ other: 'a' }, { queue: 'images/x' })];
  t.strictSame(of.take('w', 10), [a, c, ...none], 'jobs without the label are not limited');
  of.finish('w', c);
  t.strictSame(of.take('w', 10), []);
  of.finish('w', a);
  t.strictSame(of.take('w', 10), [b]);
  t.end();
});

t.test('by type, each type of job counts apart', (t) => {
  const of = fleet('w');
  of.configure('q', { perKey: { label: 'tenant', concurrency: 1, byType: true } });
  const square = of.of({ tenant: 'a' }, { queue: 'q' });
  const cube = of.of({ tenant: 'a' }, { queue: 'q', type: 'cube' });
  const again = of.of({ tenant: 'a' }, { queue: 'q' });
  t.strictSame(of.take('w', 10), [square, cube]);
  of.finish('w', cube);
  t.strictSame(of.take('w', 10), []);
  of.finish('w', square);
  t.strictSame(of.take('w', 10), [again]);
  t.end();
});

t.test('limits per key of queue and group are nested', (t) => {
  const of = fleet('w');
  of.configure('g/', { perKey: { label: 'tenant', concurrency: 3 } });
  of.configure('g/a', { perKey: { label: 'tenant', concurrency: 1 } });
  const [first] = fill(of, 'g/a', 2, { labels: { tenant: 'x' } });
  const others = fill(of, 'g/b', 4, { labels: { tenant: 'x' } });
  t.strictSame(of.take('w', 10), [first, others[0], others[1]]);
  t.end();
});

t.test('a rate lets its burst begin at once, then one each part of its time, by the time of the commits', (t) => {
  const of = fleet('w');
  of.configure('q', { rate: { count: 10, perMs: 10_000, burst: 3 } });
  fill(of, 'q', 10);
  t.equal(of.work('w', 10).length, 3);
  of.tick(999);
  t.equal(of.work('w', 10).length, 0);
  of.tick(1);
  t.equal(of.work('w', 10).length, 1);
  of.tick(2_500);
  t.equal(of.work('w', 10).length, 2, 'what was not used is left over');
  of.tick(500);
  t.equal(of.work('w', 10).length, 1);
  of.tick(8_000);
  t.equal(of.work('w', 10).length, 3, 'the burst again, and no more');
  t.end();
});

t.test('a rate per key holds back its key alone, and a waiting pull is answered when its time has come', (t) => {
  const of = fleet('w');
  of.configure('q', { perKey: { label: 'tenant', rate: { count: 1, perMs: 300 } } });
  const a = fill(of, 'q', 3, { labels: { tenant: 'a' } });
  const b = fill(of, 'q', 2, { labels: { tenant: 'b' } });
  t.strictSame(of.take('w', 10), [a[0], b[0]]);
  t.strictSame(of.take('w', 10), []);
  const decided = of.tick(300).flatMap((each) => (each.kind === 'pulled' ? each.leases : []));
  t.strictSame(decided.map(({ job }) => job.id), [a[1], b[1]]);
  t.end();
});

t.test('limits that are changed while jobs run hold from then on', (t) => {
  const of = fleet('w');
  const ids = fill(of, 'q', 12);
  t.equal(of.take('w', 4).length, 4);
  of.configure('q', { concurrency: 2 });
  t.strictSame(of.take('w', 10), [], 'more run than may');
  of.finish('w');
  of.finish('w');
  t.strictSame(of.take('w', 10), []);
  of.finish('w');
  t.strictSame(of.take('w', 10), [ids[4]]);
  of.configure('q', { concurrency: 5 });
  t.strictSame(of.take('w', 10), ids.slice(5, 8));
  of.configure('q', {}, ['concurrency']);
  t.strictSame(of.take('w', 10), ids.slice(8));
  t.end();
});

t.test('a limit per key that begins while jobs run counts them', (t) => {
  const of = fleet('w');
  const a = fill(of, 'q', 3, { labels: { tenant: 'a' } });
  const b = fill(of, 'q', 2, { labels: { tenant: 'b' } });
  t.strictSame(of.take('w', 1), [a[0]]);
  of.configure('q', { perKey: { label: 'tenant', concurrency: 1 } });
  t.strictSame(of.take('w', 10), [b[0]]);
  of.finish('w', a[0]);
  t.strictSame(of.take('w', 10), [a[1]]);
  of.configure('q', { perKey: { label: 'other', concurrency: 1 } });
  t.strictSame(of.take('w', 10), [a[2], b[1]], 'another label');
  t.end();
});

for (const from of ['journal', 'snapshot'] as const) {
  t.test(`a new leader from the ${from} goes on with the same counts and the same buckets`, (t) => {
    const of = fleet('w');
    of.configure('g/', { concurrency: 3, rate: { count: 5, perMs: 5_000 } });
    of.configure('g/q', { perKey: { label: 'tenant', concurrency: 1, rate: { count: 1, perMs: 10_000 } } });
    for (const tenant of ['a', 'b', 'c', 'a', 'd', 'e']) of.of({ tenant }, { queue: 'g/q' });
    of.take('w', 2);
    of.finish('w');
    const next = of.successor(from);
    const steps = (each: Limited): unknown[] => [
      each.take('w', 10), each.finish('w'), each.tick(900).length, each.take('w', 10), each.finish('w'),
      each.tick(4_100).length, each.take('w', 10), each.tick(10_000).length, each.take('w', 10),
    ];
    const went = steps(of);
    t.strictSame(steps(next), went);
    t.strictSame((went[0] as string[]).length, 2, 'one of three slots of the group was held');
    t.end();
  });
}
