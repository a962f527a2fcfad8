/** Whatever calls are made in whatever turns, each gets its own answer, and they are sent in order, within bounds. */
import fc from 'fast-check';
import t from 'tap';
import { Gathering, type Call } from './gathering.js';

/** A turn is a list of calls. `refused`: the call is answered with an error. */
const call = fc.record({
  subject: fc.constantFrom('submit', 'get', 'cancel'), size: fc.nat(12), refused: fc.boolean(),
});
const turns = fc.array(fc.array(call, { maxLength: 12 }), { maxLength: 6 });

/** The number of a call is its first byte, and the answer to it. */
const numbered = (nth: number, size: number): Uint8Array => new Uint8Array([nth, ...new Uint8Array(size)]);

t.test('any calls in any turns', async (t) => {
  await fc.assert(fc.asyncProperty(turns, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 }),
    fc.infiniteStream(fc.nat()), async (all, count, bytes, draws) => {
      const sent: (readonly Call[])[] = [];
      const scheduled: (() => void)[] = [];
      const gathering = new Gathering({ count, bytes }, (calls) => sent.push(calls), (flush) => scheduled.push(flush));
      const made: { subject: string; refused: boolean; answer: Promise<unknown> }[] = [];
      const perTurn: number[] = [];
      for (const turn of all) {
        for (const { subject, size, refused } of turn) {
          const answer = gathering.ask(subject, numbered(made.length, size), 1).catch((error: unknown) => error);
          made.push({ subject, refused, answer });
        }
        if (scheduled.length > 1) throw new Error('more than one flush in a turn');
        scheduled.shift()?.();
        perTurn.push(sent.flat().length);
      }
      // The answers come in any order.
      const open = sent.flat();
      while (open.length > 0) {
        const [settled] = open.splice(draws.next().value! % open.length, 1);
        const nth = settled!.data[0]!;
        if (made[nth]!.refused) settled!.reject(`refused ${nth}`);
        else settled!.resolve(new Uint8Array([nth]));
      }
      const numbers = sent.flat().map(({ data }) => data[0]);
      const answers = await Promise.all(made.map(({ answer }) => answer));
      const expected = made.map(({ refused }, nth) => (refused ? `refused ${nth}` : new Uint8Array([nth])));
      const sums = all.map((_, nth) => all.slice(0, nth + 1).flat().length);
      const isWhole = sent.every((calls) => calls.length >= 1 && new Set(calls.map((each) => each.subject)).size === 1);
      const isBounded = sent.every((calls) => calls.length === 1
        || (calls.length <= count && calls.reduce((sum, { data }) => sum + data.length, 0) <= bytes));
      return isWhole && isBounded && same(numbers, made.map((_, nth) => nth)) && same(perTurn, sums)
        && same(answers, expected);
    }));
  t.end();
});

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

t.test('neighbours on one subject are sent together, and no others', (t) => {
  const sent: string[] = [];
  let flush = (): void => undefined;
  const send = (calls: readonly Call[]): void => void sent.push(`${calls.length} ${calls[0]!.subject}`);
  const gathering = new Gathering({ count: 3, bytes: 10 }, send, (atEnd) => (flush = atEnd));
  for (const subject of ['a', 'a', 'b', 'a', 'a', 'a', 'a']) void gathering.ask(subject, new Uint8Array(1), 1);
  t.same(sent, [], 'nothing before the turn ends');
  flush();
  t.same(sent, ['2 a', '1 b', '3 a', '1 a']);
  void gathering.ask('a', new Uint8Array(11), 1);
  void gathering.ask('a', new Uint8Array(1), 1);
  flush();
  t.same(sent.slice(4), ['1 a', '1 a'], 'one that is too large goes alone');
  t.end();
});
