import fc from 'fast-check';
import t from 'tap';
import { stateHash, type Part } from './parts.js';
import { RowQueue } from './row-queue.js';
import { PAGE_ROWS, wordAt } from './rows.js';

const ROW_BYTES = 8;
const WORDS = ROW_BYTES / 4;
const bytesOf = (parts: readonly Part[]): Map<string, Buffer> =>
  new Map(parts.map((part) => [part.name, Buffer.from(part.bytes())]));

type Content = [number, number | undefined];

function contentOf(queue: RowQueue<number>): Content[] {
  return Array.from({ length: queue.size }, (_, nth): Content => {
    const row = queue.nth(nth);
    return [queue.read(row).u32[wordAt(row, WORDS)]!, queue.object(row)];
  });
}

const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('push' as const, 'shift' as const), times: fc.nat(900) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('freeze' as const, 'thaw' as const), times: fc.nat() }) },
);

t.test('rows leave as they came, frozen ones stay, and a thawed queue goes on with the same parts', (t) => {
  // From just below where numbers begin again, too.
  const first = fc.constantFrom(0, 2 ** 30 - 1_500);
  fc.assert(fc.property(first, fc.array(act, { maxLength: 60, size: 'max' }), (from, acts) => {
    const queue = new RowQueue<number>(ROW_BYTES, from);
    const model: Content[] = [];
    const frozen: [Part[], Content[]][] = [];
    let thawed = queue;
    let next = 1;
    for (const { do: what, times } of acts) {
      if (what === 'freeze') frozen.push([queue.freeze('q'), model.slice()]);
      else if (what === 'thaw') (thawed = new RowQueue(ROW_BYTES)).thaw('q', bytesOf(queue.freeze('q')));
      else if (what === 'shift') {
        for (let nth = 0; nth < times && model.length > 0; nth += 1) {
          model.shift();
          for (const of of new Set([queue, thawed])) of.shift();
        }
      } else {
        for (let nth = 0; nth < times; nth += 1, next += 1) {
          const object = next % 50 === 0 ? next : undefined;
          for (const of of new Set([queue, thawed])) {
            const row = of.push();
            of.write(row).u32[wordAt(row, WORDS)] = next;
            if (object !== undefined) of.setObject(row, object);
          }
          model.push([next, object]);
        }
      }
    }
    t.strictSame(contentOf(queue), model);
    t.ok(stateHash(thawed.freeze('q')).equals(stateHash(queue.freeze('q'))));
    for (const [parts, then] of frozen) {
      const read = new RowQueue<number>(ROW_BYTES);
      read.thaw('q', bytesOf(parts));
      t.strictSame(contentOf(read), then);
    }
  }), { numRuns: 40 });
  t.end();
});

t.test('a page that is not written since keeps its name and its hash, and one whose rows have left is gone', (t) => {
  const queue = new RowQueue(ROW_BYTES);
  for (let nth = 0; nth < 3 * PAGE_ROWS; nth += 1) queue.push();
  const before = queue.freeze('q');
  for (let nth = 0; nth <= PAGE_ROWS; nth += 1) queue.shift();
  const after = queue.freeze('q');
  t.strictSame(before.map(({ name }) => name), ['q', 'q/0', 'q/1', 'q/2']);
  t.strictSame(after.map(({ name }) => name), ['q', 'q/1', 'q/2']);
  t.equal(after[2]!.hash(), before[3]!.hash());
  t.throws(() => new RowQueue(16).thaw('q', bytesOf(after)), RangeError);
  t.end();
});
