import fc from 'fast-check';
import t from 'tap';
import { watermarkOfArchive, watermarkOfProjection, watermarkOfSnapshots, lowWatermark, type Watermark } from './watermarks.js';

t.test('the lowest watermark, and how much it alone watermarks back', (t) => {
  const events = watermarkOfProjection('events', 90);
  const table: readonly (readonly [what: string, watermarks: readonly Watermark[], lowest: object | undefined])[] = [
    ['nobody', [], undefined],
    ['one', [events], { seq: 90, names: ['the projection events'], by: 10 }],
    ['two', [events, watermarkOfArchive(70)], { seq: 70, names: ['the archive'], by: 20 }],
    ['equal ones', [watermarkOfArchive(90), events], { seq: 90, names: ['the archive', 'the projection events'], by: 10 }],
    ['one that has nothing yet', [events, watermarkOfArchive(0)], { seq: 0, names: ['the archive'], by: 90 }],
    ['one beyond the end', [watermarkOfArchive(150)], { seq: 100, names: ['the archive'], by: 0 }],
    ['all beyond it', [watermarkOfArchive(150), watermarkOfSnapshots([101, 102])],
      { seq: 100, names: ['the archive', '2 verified snapshots'], by: 0 }],
  ];
  for (const [what, watermarks, lowest] of table) t.strictSame(lowWatermark(watermarks, 100), lowest, what);
  t.end();
});

t.test('the second newest verified snapshot counts', (t) => {
  t.equal(watermarkOfSnapshots([]).seq, 0);
  t.equal(watermarkOfSnapshots([50]).seq, 0, 'one is not enough');
  t.equal(watermarkOfSnapshots([50, 70]).seq, 50);
  t.equal(watermarkOfSnapshots([50, 900, 70]).seq, 70);
  t.end();
});

const anyHold = fc.record({ name: fc.string(), seq: fc.nat(120) });

t.test('property: nobody needs what is at or below it, and without its holders exactly so much more is free', (t) => {
  fc.assert(fc.property(fc.array(anyHold, { minLength: 1, maxLength: 6 }), fc.nat(100), (watermarks, lastSeq) => {
    const { seq, names, by } = lowWatermark(watermarks, lastSeq)!;
    t.ok(seq <= lastSeq && names.length > 0 && by >= 0);
    for (const watermark of watermarks) t.ok(watermark.seq >= seq, 'it watermarks for everybody');
    const others = watermarks.filter((watermark) => Math.min(watermark.seq, lastSeq) > seq);
    t.equal(seq + by, lowWatermark(others, lastSeq)?.seq ?? lastSeq);
  }));
  t.end();
});

t.test('what a journal has no longer waits for no one', (t) => {
  const marks = [{ name: 'a', seq: 0 }, { name: 'b', seq: 9 }];
  t.match(lowWatermark(marks, 10, 9), { seq: 0, names: ['a'], by: 1 }, 'it begins at 9');
  t.match(lowWatermark([{ name: 'a', seq: 4 }, { name: 'b', seq: 7 }], 10, 9), { by: 0 });
  t.match(lowWatermark([{ name: 'a', seq: 10 }], 10, 9), { seq: 10, by: 0 });
  t.end();
});
