import t from 'tap';
import fc from 'fast-check';
import { jobId, type Partition } from '../../protocols/ids.js';
import { combined, type Entry } from './entry.js';
import { IndexTable } from './table.js';

const P0 = 0 as Partition;

t.test('property: the table answers as a Map does', (t) => {
  const write = fc.tuple(
    fc.nat(400), fc.integer({ min: 1, max: 2 ** 48 - 1 }), fc.integer({ min: 1, max: 8 }), fc.boolean(),
  );
  fc.assert(
    fc.property(fc.array(write, { maxLength: 1_000 }), (writes) => {
      const table = new IndexTable(4);
      const map = new Map<string, Entry>();
      const begun = new Set<number>();
      for (const [n, seq, status, begins] of writes) {
        const isFirst = begins && !begun.has(n);
        if (isFirst) begun.add(n);
        const id = jobId(P0, new Uint8Array(10).fill(n & 255).fill(n >> 4, 3)).slice(2);
        table.set(id, seq, status, isFirst);
        map.set(id, combined(map.get(id), { firstSeq: isFirst ? seq : 0, lastSeq: seq, status })!);
      }
      for (const [id, entry] of map) if (JSON.stringify(table.get(id)) !== JSON.stringify(entry)) return false;
      return table.size === map.size && table.get('zzzzzzzzzzzzzzzz') === undefined;
    }),
  );
  t.end();
});
