import fc from 'fast-check';
import t from 'tap';
import { Improved } from './improved.js';
import type { Line } from './line.js';

const LINES = ['a', 'b', 'c'].map((type) => ({ type }) as unknown as Line);

const acts = fc.array(fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), nth: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), nth: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), nth: fc.constant(0) }) },
), { maxLength: 60 });

t.test('property: every reader is told of every improvement since it last asked, or to begin anew', (t) => {
  fc.assert(fc.property(acts, (all) => {
    const improved = new Improved();
    const readers = [0, 1, 2].map(() => ({ cursor: -1, missed: new Set<Line>(), anew: true }));
    for (const act of all) {
      const reader = readers[act.nth]!;
      if (act.do === 'reset') {
        improved.reset();
        for (const each of readers) each.anew = true;
      } else if (act.do === 'add') {
        improved.add(LINES[act.nth]!);
        for (const { missed } of readers) missed.add(LINES[act.nth]!);
      } else {
        const news = improved.since(reader.cursor);
        if (reader.anew !== (news === undefined)) return false;
        if (news !== undefined && [...reader.missed].some((line) => !news.includes(line))) return false;
        Object.assign(reader, { cursor: improved.end, missed: new Set(), anew: false });
      }
    }
    return true;
  }));
  t.end();
});
