import t from 'tap';
import { labels, principal, text, validated } from './bounds.js';

const why = (check: () => unknown): string => (validated(check) as { message?: string }).message ?? '';

t.test('a text that is too long is told with its size', (t) => {
  t.equal(why(() => principal('principal', 'é'.repeat(65))), 'principal must have at most 128 bytes, not 130');
  t.end();
});

t.test('characters that cannot be seen: none in a principal; no control character and line separator in a label', (t) => {
  const table: [character: string, principal: boolean, label: boolean, text: boolean][] = [
    ['\u0007', false, false, false], ['\n', false, false, false], ['\u007f', false, false, false], ['\u0085', false, false, false],
    ['\u2028', false, false, true], ['\u2029', false, false, true], ['\u202e', false, true, true], ['\u2066', false, true, true],
    ['\u200b', false, true, true], ['\ud800', false, false, false], ['ä', true, true, true], ['𝕏', true, true, true], [' ', true, true, true],
  ];
  for (const [character, inPrincipal, inLabel, inText] of table) {
    const value = `a${character}b`;
    const name = `U+${character.codePointAt(0)!.toString(16)}`;
    t.equal(why(() => principal('principal', value)) === '', inPrincipal, `principal ${name}`);
    t.equal(why(() => labels('labels', { a: value })) === '', inLabel, `label ${name}`);
    t.equal(why(() => text('key', value, 256)) === '', inText, `text ${name}`);
  }
  t.equal(why(() => principal('principal', 'a\u202eb')),
    'principal must not hold format characters or line separators, not "a\\u{202e}b"');
  t.end();
});
