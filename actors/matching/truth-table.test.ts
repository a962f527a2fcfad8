/** docs/matching.md is the test: each row of its tables is tried. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { validated } from '../../protocols/bounds.js';
import { ERRORS } from '../../protocols/errors.js';
import { capabilities, CAPABILITY_FIELDS } from './capabilities.js';
import { lacks, matches } from './match.js';
import { naiveMatches } from '../../tests/matching/naive.js';
import { COMPAT_SIDES, LABEL_OPERATORS, NOT_FIELDS, REQUIRE_FIELDS } from './read-requirement.js';
import { requirement, requirementOf, requirementText } from './requirement.js';

const page = readFileSync(new URL('../../docs/matching.md', import.meta.url), 'utf8');

/** The cells of the table below a heading, without the marks of code. */
function tableOf(heading: string): string[][] {
  const section = page.split(/^##+ /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((row) => row.slice(2, -2).split(' | ').map((cell) => cell.replace(/^`(.*)`$/, '$1')));
}

const rows = tableOf('The truth table').map(([rule, kind, require, worker, answer]) =>
  ({ rule: rule!, kind: kind!, require: require!, worker: worker!, answer: answer! }));

t.test('each row of the truth table is true', async (t) => {
  for (const { rule, kind, require, worker, answer } of rows) {
    const required = requirement(require);
    const has = capabilities(worker);
    const expected = answer === 'yes';
    const name = `${rule}: ${require} at ${worker}`;
    t.ok(answer === 'yes' || answer === 'no', name);
    t.equal(matches(required, has), expected, name);
    t.equal(matches(requirementOf(requirementText(required)), has), expected, `${name}, from its text`);
    t.equal(lacks(required, has).length === 0, expected, `lacks: ${name}`);
    t.equal(naiveMatches(JSON.parse(require), JSON.parse(worker)), expected, `naive: ${name}`);
    if (kind !== 'absent') t.equal(kind, expected ? 'hit' : 'miss', name);
  }
});

t.test('each field and operator has a hit, a miss, and a row in which the worker says nothing of it', async (t) => {
  const grouped = new Set(['hardware', 'labels', 'compat', 'not']);
  const rules = [
    ...REQUIRE_FIELDS.filter((field) => !grouped.has(field)),
    ...['number', 'text', 'true or false', 'path'].map((each) => `hardware ${each}`),
    ...['text', ...LABEL_OPERATORS].map((each) => `labels ${each}`),
    ...['list', 'contains', 'number', 'equal'].map((each) => `compat positive ${each}`),
    ...COMPAT_SIDES.filter((side) => side !== 'positive').map((side) => `compat ${side}`),
    ...NOT_FIELDS.map((field) => `not ${field}`),
    'no customer', 'all together',
  ];
  const got = new Set(rows.map(({ rule, kind }) => `${rule}: ${kind}`));
  const missing = rules.flatMap((rule) => ['hit', 'miss', 'absent'].map((kind) => `${rule}: ${kind}`))
    .filter((each) => !got.has(each));
  t.strictSame(missing, []);
  t.strictSame(rows.filter(({ rule }) => !rules.includes(rule)).map(({ rule }) => rule), []);
  const named = rows.filter(({ rule }) => !['no customer', 'all together'].includes(rule));
  const other = named.filter(({ rule, require }) =>
    !rule.split(' ').filter((word) => [...REQUIRE_FIELDS, ...LABEL_OPERATORS, ...COMPAT_SIDES].includes(word as 'in'))
      .every((word) => require.includes(`"${word}":`)));
  t.strictSame(other, [], 'a row is about what it says');
});

t.test('each row of what is refused is refused so', async (t) => {
  const refused = tableOf('Refused');
  t.ok(refused.length > 20);
  for (const [document, given, code, words] of refused) {
    const answer = validated(() => (document === 'capabilities' ? capabilities(given) : requirement(given)));
    t.equal((answer as { code?: string }).code, code, given!);
    t.ok((answer as { message: string }).message.includes(words!), (answer as { message: string }).message);
  }
  const codes = new Set(refused.map(([, , code]) => code));
  t.strictSame([...codes].sort(), Object.keys(ERRORS).filter((each) => /^(REQUIREMENT|CAPABILITIES)_/.test(each)).sort());
});

t.test('the tables of the page have every field and operator', async (t) => {
  const first = (heading: string): string[] => tableOf(heading).map(([cell]) => cell!);
  t.strictSame(first('Require').sort(), [...REQUIRE_FIELDS].sort());
  t.strictSame(first('Labels'), ['a text', ...LABEL_OPERATORS]);
  t.strictSame(first('Capabilities').sort(), [...CAPABILITY_FIELDS].sort());
});

t.test('the examples of the page are accepted', async (t) => {
  for (const [, example] of page.matchAll(/^```json\n(.*)\n```$/gm)) {
    const parsed = JSON.parse(example!) as { require?: unknown };
    t.ok(parsed.require === undefined ? capabilities(parsed) : requirement(parsed.require), example!);
  }
  for (const [, , example] of tableOf('Require')) t.ok(requirement(example), example!);
  for (const [, , example] of tableOf('Labels').slice(1)) t.ok(requirement(`{"labels":${example}}`), example!);
});
