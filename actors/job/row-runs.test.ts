/** Rows in runs by priority, compared with a sorted list. */
import fc from 'fast-check';
import t from 'tap';
import { Positions } from './row-heap.js';
import { RowRuns } from './row-runs.js';

class Rows {
  private readonly priorities: number[] = [];
  private readonly places: number[] = [];
  readonly before = (a: number, b: number): boolean =>
    (this.priorities[a] === this.priorities[b]
      ? this.places[a]! < this.places[b]! : this.priorities[a]! > this.priorities[b]!);
  readonly runs = new RowRuns(this.before, (row) => this.priorities[row]!, new Positions());
  readonly there = new Set<number>();

  push(priority: number, place = this.places.length): void {
    const row = this.priorities.push(priority) - 1;
    this.places.push(place);
    this.runs.push(row);
    this.there.add(row);
  }

  remove(nth: number): void {
    const row = [...this.there][nth % this.there.size]!;
    this.runs.remove(row);
    this.there.delete(row);
  }

  /** As a job that comes back: at its own place, in front of others. */
  again(nth: number): void {
    const row = [...this.there][nth % this.there.size]!;
    this.runs.remove(row);
    this.runs.push(row);
  }

  get sorted(): number[] {
    return [...this.there].sort((a, b) => (this.before(a, b) ? -1 : 1));
  }

  isRight(): boolean {
    const { sorted, runs } = this;
    return runs.size === sorted.length && runs.peek() === sorted[0]
      && sorted.every((row, nth) => nth % 7 !== 0 || runs.countBefore((other) => this.before(other, row)) === nth);
  }
}

const maybe = fc.option(fc.nat());
const act = fc.record({ priority: fc.nat(5), backwards: fc.nat(9), removes: maybe, again: maybe });
const script = fc.array(act, { maxLength: 400, size: 'max' });

t.test('whatever is pushed and removed, the first is the first of what is there, and all are counted', (t) => {
  fc.assert(fc.property(script, fc.integer({ min: 1, max: 40 }), (acts, spread) => {
    const rows = new Rows();
    for (const [nth, { priority, backwards, removes, again }] of acts.entries()) {
      rows.push(priority * spread, backwards === 0 ? -nth : undefined);
      if (removes !== null && rows.there.size > 0) rows.remove(removes);
      if (again !== null && rows.there.size > 0) rows.again(again);
      if (nth % 50 === 0 && !rows.isRight()) return false;
    }
    if (!rows.isRight()) return false;
    for (const row of rows.sorted) {
      if (rows.runs.peek() !== row) return false;
      rows.runs.remove(row);
    }
    return rows.runs.peek() === undefined && rows.runs.size === 0;
  }), { numRuns: 60 });
  t.end();
});

t.test('what is not there any more takes no memory for long, and does not change the order', (t) => {
  const rows = new Rows();
  for (let nth = 0; nth < 10_000; nth += 1) rows.push(0);
  for (let nth = 0; nth < 9_000; nth += 1) rows.remove(1 + (nth * 7_919) % (rows.there.size - 1));
  t.ok(rows.isRight());
  for (let nth = 0; nth < 900; nth += 1) rows.remove(0);
  for (let nth = 0; nth < 3_000; nth += 1) rows.push(nth % 100);
  t.ok(rows.isRight(), 'with more priorities than have a run');
  t.end();
});

t.test('a row that is not there cannot be removed', (t) => {
  const rows = new Rows();
  rows.push(1);
  rows.runs.remove(0);
  t.throws(() => rows.runs.remove(0), /row 0 is not in the heap/);
  t.end();
});
