import t from 'tap';
import { FactOrder } from './watch.js';

t.test('a fact is later by epoch, then position, then index; the same one and older ones are not', async (t) => {
  const order = new FactOrder();
  const told: [epoch: number, seq: number, index: number, isLater: boolean][] = [
    [0, 5, 0, true],
    [1, 2, 0, true],
    [1, 2, 0, false],
    [1, 2, 1, true],
    [1, 2, 0, false],
    [1, 9, 0, true],
    [1, 3, 7, false],
    [2, 4, 0, true],
    [1, 10, 0, false],
    [2, 4, 1, true],
  ];
  for (const [epoch, seq, index, isLater] of told) t.equal(order.isLater({ epoch, seq, index }), isLater, `${epoch} ${seq} ${index}`);
});
