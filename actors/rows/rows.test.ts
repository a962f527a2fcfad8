import fc from 'fast-check';
import t from 'tap';
import { Interned } from './interned.js';
import { PAGE_ROWS, Rows, wordAt } from './rows.js';

const ROW_BYTES = 16;
const WORDS = ROW_BYTES / 4;
/** The first word of a row belongs to the list of free rows while it is free. */
const VALUE = 1;

type Content = [number: number, object: string | undefined];

function contentOf(rows: Pick<Rows<string>, 'read' | 'object'>, row: number): Content {
  return [rows.read(row).u32[wordAt(row, WORDS) + VALUE]!, rows.object(row)];
}

const act = fc.oneof(
  fc.record({ do: fc.constant('add' as const), value: fc.nat(1_000), object: fc.option(fc.string(), { nil: undefined }) }),
  fc.record({ do: fc.constant('change' as const), nth: fc.nat(), value: fc.nat(1_000) }),
  fc.record({ do: fc.constant('remove' as const), nth: fc.nat() }),
  fc.record({ do: fc.constant('freeze' as const) }),
);

t.test('rows are what was written, and frozen ones what was written before', (t) => {
  fc.assert(fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
    const rows = new Rows<string>(ROW_BYTES);
    const model = new Map<number, Content>();
    const frozen: [ReturnType<typeof rows.freeze>, Map<number, Content>][] = [];
    for (const each of acts) {
      const used = [...model.keys()];
      if (each.do === 'freeze') frozen.push([rows.freeze(), new Map(model)]);
      else if (each.do === 'add') {
        const row = rows.add();
        if (model.has(row)) throw new Error(`row ${row} is in use`);
        rows.write(row).u32[wordAt(row, WORDS) + VALUE] = each.value;
        if (each.object !== undefined) rows.setObject(row, each.object);
        model.set(row, [each.value, each.object]);
      } else if (used.length > 0) {
        const row = used[each.nth % used.length]!;
        if (each.do === 'remove') {
          rows.remove(row);
          model.delete(row);
        } else {
          rows.write(row).u32[wordAt(row, WORDS) + VALUE] = each.value;
          model.set(row, [each.value, model.get(row)![1]]);
        }
      }
    }
    for (const [row, content] of model) t.strictSame(contentOf(rows, row), content);
    for (const [pages, then] of frozen) {
      const read = new Rows<string>(ROW_BYTES);
      read.restore(pages);
      t.equal(read.size, then.size);
      for (const [row, content] of then) t.strictSame(contentOf(read, row), content);
    }
  }), { numRuns: 50 });
  t.end();
});

t.test('given a frozen page, when two of its rows are written, then it is copied once, and the other pages are not', (t) => {
  const rows = new Rows(ROW_BYTES);
  for (let nth = 0; nth < 3 * PAGE_ROWS; nth += 1) rows.add();
  const { pages } = rows.freeze();
  rows.write(0);
  const copy = rows.read(0);
  rows.write(1);
  t.not(copy, pages[0]);
  t.equal(rows.read(1), copy);
  t.equal(rows.read(PAGE_ROWS), pages[1]);
  t.end();
});

t.test('a text has one number while a row has it, and the number is used again', (t) => {
  const texts = new Interned();
  t.equal(texts.take(''), 0);
  const [a, b] = [texts.take('a'), texts.take('b')];
  t.equal(texts.take('a'), a);
  texts.drop(a);
  t.equal(texts.text(a), 'a', 'another row has it');
  texts.drop(a);
  t.equal(texts.take('c'), a);
  t.strictSame([texts.text(a), texts.text(b), texts.text(0)], ['c', 'b', '']);
  t.end();
});
