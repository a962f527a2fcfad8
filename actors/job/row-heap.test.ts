import fc from 'fast-check';
import t from 'tap';
import { Positions, RowHeap } from './row-heap.js';

t.test('whatever is pushed and removed, the first is the first of what is there', (t) => {
  const act = fc.record({ priority: fc.nat(5), removes: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(fc.property(fc.array(act, { maxLength: 3_000, size: 'max' }), (acts) => {
    const priorities: number[] = [];
    const before = (a: number, b: number): boolean =>
      (priorities[a] === priorities[b] ? a < b : priorities[a]! > priorities[b]!);
    const heap = new RowHeap(before, new Positions());
    const there = new Set<number>();
    for (const { priority, removes } of acts) {
      const row = priorities.push(priority) - 1;
      heap.push(row);
      there.add(row);
      if (removes === undefined) continue;
      const removed = [...there][removes % there.size]!;
      heap.remove(removed);
      there.delete(removed);
    }
    t.equal(heap.size, there.size);
    for (const row of [...there].sort((a, b) => (before(a, b) ? -1 : 1))) {
      if (heap.peek() !== row) return false;
      heap.remove(row);
    }
    return heap.peek() === undefined;
  }), { numRuns: 30 });
  t.end();
});

t.test('a row that is not there cannot be removed', (t) => {
  const heap = new RowHeap((a, b) => a < b, new Positions());
  heap.push(1);
  t.throws(() => heap.remove(2), /row 2 is not in the heap/);
  t.end();
});
