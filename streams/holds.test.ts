import fc from 'fast-check';
import t from 'tap';
import { holdOfArchive, holdOfProjection, holdOfSnapshots, lowestHold, type Hold } from './holds.js';

t.test('the lowest hold, and how much it alone holds back', (t) => {
  const events = holdOfProjection('events', 90);
  const table: readonly (readonly [what: string, holds: readonly Hold[], lowest: object | undefined])[] = [
    ['nobody', [], undefined],
    ['one', [events], { seq: 90, names: ['the projection events'], by: 10 }],
    ['two', [events, holdOfArchive(70)], { seq: 70, names: ['the archive'], by: 20 }],
    ['equal ones', [holdOfArchive(90), events], { seq: 90, names: ['the archive', 'the projection events'], by: 10 }],
    ['one that has nothing yet', [events, holdOfArchive(0)], { seq: 0, names: ['the archive'], by: 90 }],
    ['one beyond the end', [holdOfArchive(150)], { seq: 100, names: ['the archive'], by: 0 }],
    ['all beyond it', [holdOfArchive(150), holdOfProjection('a', 101)], { seq: 100, names: ['the archive', 'the projection a'], by: 0 }],
  ];
  for (const [what, holds, lowest] of table) t.strictSame(lowestHold(holds, 100), lowest, what);
  t.end();
});

t.test('the second newest verified snapshot counts', (t) => {
  t.equal(holdOfSnapshots([]).seq, 0);
  t.equal(holdOfSnapshots([50]).seq, 0, 'one is not enough');
  t.equal(holdOfSnapshots([50, 70]).seq, 50);
  t.equal(holdOfSnapshots([50, 900, 70]).seq, 70);
  t.end();
});

const anyHold = fc.record({ name: fc.string(), seq: fc.nat(120) });

t.test('property: nobody needs what is at or below it, and without its holders exactly so much more is free', (t) => {
  fc.assert(fc.property(fc.array(anyHold, { minLength: 1, maxLength: 6 }), fc.nat(100), (holds, lastSeq) => {
    const { seq, names, by } = lowestHold(holds, lastSeq)!;
    t.ok(seq <= lastSeq && names.length > 0 && by >= 0);
    for (const hold of holds) t.ok(hold.seq >= seq, 'it holds for everybody');
    const others = holds.filter((hold) => Math.min(hold.seq, lastSeq) > seq);
    t.equal(seq + by, lowestHold(others, lastSeq)?.seq ?? lastSeq);
  }));
  t.end();
});
