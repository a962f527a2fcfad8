import fc from 'fast-check';
import t from 'tap';
import { keyedHash } from '../../protocols/keyed-hash.js';
import { NameIndex, type NameBeside } from './name-index.js';
import { hashOf, PackedName } from './packed-name.js';
import { Rows } from './rows.js';

const LAYOUT = { rowWords: 8, codeWord: 1, nameWord: 2 };

/** Names that differ in little: in one character, in zeros at the end, in how they are packed. */
const name = fc.oneof(
  fc.string({ maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 40 }), fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
  fc.constantFrom('', '\0', 'a', 'a\0', 'a\0\0', 'ab', '\u0100', '\ud800', 'é'),
  fc.uuid().map((text) => `${text.slice(0, 35)}\u0661`), fc.uuid().map((text) => text.replace('-', '0')),
);

t.test('whatever names are added and deleted, each that is there is found, and no other', (t) => {
  fc.assert(fc.property(fc.array(name, { maxLength: 2_000, size: 'max' }), (names) => {
    const rows = new Rows<NameBeside>(LAYOUT.rowWords * 4);
    const index = new NameIndex(rows, LAYOUT);
    const there = new Set<string>();
    for (const each of [...names, ...names.slice(0, 300)]) {
      const row = index.find(each);
      if (there.has(each) !== row >= 0) return false;
      if (there.delete(each)) {
        index.delete(row);
        rows.remove(row);
      } else {
        there.add(each);
        const added = rows.add();
        const long = index.name(added, each);
        if (long !== undefined) rows.setObject(added, { name: long });
      }
    }
    const again = new NameIndex(rows, LAYOUT);
    for (const each of there) again.index(index.find(each));
    return [...there].every((each) => [index, again].every((of) => {
      const row = of.find(each);
      return of.nameOf(row) === each && of.lengthOf(row) === each.length;
    }));
  }), { numRuns: 60 });
  t.end();
});

t.test('no two names are packed alike', (t) => {
  fc.assert(fc.property(name, name, (a, b) => {
    const packed = new PackedName(6);
    const of = (text: string): string => {
      packed.set(text);
      return `${packed.code} ${packed.hash} ${packed.code < 63 ? packed.words.join() : text}`;
    };
    return (of(a) === of(b)) === (a === b);
  }), { numRuns: 1_000 });
  const packed = new PackedName(6);
  packed.set('another');
  packed.set('command');
  t.equal(packed.hash, hashOf(packed.words, 0, packed.code));
  t.end();
});

t.test('each bit of the words changes half the bits of a hash', (t) => {
  const words = new Uint32Array(4);
  let changed = 0;
  const flips = 4 * 32;
  const before = keyedHash(words, 0, 4, 16);
  for (let bit = 0; bit < flips; bit += 1) {
    words[bit >>> 5]! ^= 1 << (bit & 31);
    for (let of = before ^ keyedHash(words, 0, 4, 16); of !== 0; of &= of - 1) changed += 1;
    words[bit >>> 5]! ^= 1 << (bit & 31);
  }
  t.ok(changed > flips * 13 && changed < flips * 19, `${changed / flips} of 32`);
  t.not(keyedHash(words, 0, 4, 16), keyedHash(words, 0, 4, 15), 'the last word counts');
  t.end();
});
