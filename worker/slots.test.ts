import fc from 'fast-check';
import t from 'tap';
import { allot, type Offered } from './slots.js';

const idle: Offered = { open: undefined, hungry: false, ready: true, sending: false };

t.test('examples', async (t) => {
  t.same(allot(10, 0, [idle], 0).extra, [10], 'one partition gets all');
  t.same(allot(10, 0, [idle, idle, idle], 0).extra, [4, 3, 3], 'even shares');
  const hungry = { ...idle, hungry: true };
  t.same(allot(10, 0, [hungry, idle, idle], 0).extra, [8, 1, 1], 'the hungry one gets what the others do not need');
  t.same(allot(10, 3, [{ ...hungry, open: 2 }, { ...idle, open: 1 }], 0).extra, [4, 0], 'also on top of an open pull');
  t.same(allot(10, 9, [{ ...idle, open: 1 }], 0).extra, [0], 'nothing is left');
  t.same(allot(10, 5, [{ ...idle, open: 3 }], 0).extra, [0], 'a waiting pull is left alone');
  t.same(allot(10, 5, [{ ...idle, open: 3, sending: true }], 0).extra, [2], 'unless a request is sent anyway');
  t.same(allot(10, 0, [{ ...idle, ready: false }, idle], 0).extra, [0, 10], 'not while backing off');
  t.same(allot(2, 0, [idle, idle, idle, idle], 3), { extra: [1, 0, 0, 1], turn: 1 }, 'too few slots: they take turns');
  t.same(allot(0, 0, [], 0), { extra: [], turn: 0 });
});

const partition = fc.record({
  open: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
  hungry: fc.boolean(),
  ready: fc.boolean(),
  sending: fc.boolean(),
});

t.test('never more slots are offered than there are', async () => {
  const capacities = fc.integer({ min: 1, max: 60 });
  const several = fc.array(partition, { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(capacities, fc.nat(60), several, fc.nat(8), (capacity, busy, partitions, turn) => {
      const { extra } = allot(capacity, busy, partitions, turn % partitions.length);
      const open = partitions.reduce((sum, one) => sum + (one.open ?? 0), 0);
      const given = extra.reduce((sum, one) => sum + one, 0);
      const isReady = extra.every((one, index) => one >= 0 && (one === 0 || partitions[index]!.ready));
      return isReady && (given === 0 || busy + open + given <= capacity);
    }),
  );
});

t.test('every partition is pulled from, however hungry the others are', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(11), { minLength: 200, maxLength: 200 }),
      (capacity, hungry, ends) => pulledFrom(capacity, hungry, ends).every((count) => count > 0),
    ),
  );
});

/** Pulls end in a drawn order, every one at some time; hungry partitions fill every slot they get, for a round. */
function pulledFrom(capacity: number, hungry: readonly boolean[], ends: readonly number[]): number[] {
  const open = hungry.map((): number | undefined => undefined);
  const counts = hungry.map(() => 0);
  let busy: number[] = [];
  let turn = 0;
  for (const [round, drawn] of ends.entries()) {
    const partitions = hungry.map((wants, index): Offered => {
      return { ...idle, open: open[index], hungry: wants && counts[index]! > 0 };
    });
    const allotted = allot(capacity, busy.length, partitions, turn);
    turn = allotted.turn;
    for (const [index, extra] of allotted.extra.entries()) {
      if (extra === 0) continue;
      open[index] = (open[index] ?? 0) + extra;
      counts[index]! += 1;
    }
    const pulled = [...open.keys()].filter((index) => open[index] !== undefined);
    busy = busy.filter((until) => until > round);
    const ended = pulled[drawn % Math.max(1, pulled.length)];
    if (ended === undefined) continue;
    if (hungry[ended]) busy.push(...new Array<number>(open[ended]!).fill(round + 1));
    open[ended] = undefined;
  }
  return counts;
}
