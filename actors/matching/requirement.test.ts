/** The canonical form of requirements, and what is refused. */
import fc from 'fast-check';
import t from 'tap';
import { Invalid, validated } from '../../protocols/bounds.js';
import { MATCHING } from './bounds.js';
import { capabilities } from './capabilities.js';
import { requires } from '../../tests/matching/documents.js';
import { lacks, matches } from './match.js';
import { nearest } from './nearest.js';
import { NO_REQUIREMENT, requirement, requirementOf, requirementText, type Requirement } from './requirement.js';
import { TextCache } from './text-cache.js';

type Document = Record<string, unknown>;
const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const mapped = (of: unknown, each: (name: string, value: unknown) => [string, unknown]): Document =>
  Object.fromEntries(Object.entries((of ?? {}) as Document).map(([name, value]) => each(name, value)));

/** The same wish in other words: other order, doubles, other names of paths, the other form of an operator. */
function otherWords(of: Document): Document {
  const { not, compat, labels, region, hardware, ...lists } = of as Record<string, Document>;
  const { labels: unwantedLabels, compat: unwantedCompat, region: elsewhere, hardware: less, ...others } =
    (not ?? {}) as Record<string, Document>;
  const changed = {
    not: {
      ...doubled(others), ...regions(elsewhere), ...(less && { hardware: dotted(less) }),
      compat: { positive: dotted(compat?.negative ?? {}) }, labels: {},
    },
    compat: {
      negative: dotted(unwantedCompat?.positive ?? {}), positive: dotted(compat?.positive ?? {}),
    },
    labels: { ...otherLabels(labels), ...onlyNew(labels, unwanted(unwantedLabels)) },
    ...(hardware && { hardware: dotted(hardware) }), ...regions(region), ...doubled(lists),
  };
  return changed;
}

const regions = (region: unknown): Document =>
  (region === undefined ? {} : { region: [[region].flat(), [region].flat()].flat().reverse() });
const doubled = (lists: object): Document =>
  mapped(lists, (name, value) => [name, Array.isArray(value) ? [...value, ...value].reverse() : value]);
const otherLabels = (labels: unknown): Document => mapped(labels, (name, rule) =>
  [name, typeof rule === 'string' ? { in: [rule, rule] } : doubled(rule as object)]);
const unwanted = (labels: unknown): Document => mapped(labels, (name, rule) => {
  const { in: values, exists } = (typeof rule === 'string' ? { in: [rule] } : rule) as { in?: string[]; exists?: boolean };
  return [name, { ...(values && { notIn: values }), ...(exists !== undefined && { exists: !exists }) }];
});
/** Both rules of a label that is wanted and unwanted. */
const onlyNew = (labels: Document | undefined, more: Document): Document => mapped(more, (name, rule) => {
  const before = Object.hasOwn(labels ?? {}, name) ? otherLabels({ [name]: labels![name] })[name] as Document : {};
  const { notIn, ...others } = rule as { notIn?: string[] };
  const both = [...((before.notIn ?? []) as string[]), ...(notIn ?? [])];
  return [name, { ...before, ...others, ...(both.length > 0 && { notIn: both }) }];
});

function dotted(of: object, prefix = ''): Document {
  const leaves = Object.entries(of).reverse().flatMap(([name, value]) =>
    (isDocument(value) ? Object.entries(dotted(value, `${prefix}${name}.`)) : [[`${prefix}${name}`, value]]));
  return Object.fromEntries(leaves) as Document;
}

const textOf = (given: unknown): unknown => validated(() => requirementText(requirement(given)));

t.test('property: the canonical text is a fixed point, and a `require` document by itself', async (t) => {
  fc.assert(fc.property(requires, (required) => {
    const text = textOf(required);
    if (typeof text !== 'string') return true;
    const again = requirement(text);
    const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.map(sorted) : isDocument(value)
      ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])) : value);
    return requirementText(again) === text && requirementText(requirementOf(text)) === text
      && (text === '' || JSON.stringify(sorted(JSON.parse(text))) === text);
  }), { numRuns: 1_000 });
  t.pass();
});

t.test('property: documents that mean the same have the same text', async (t) => {
  let compared = 0;
  fc.assert(fc.property(requires, (required) => {
    const text = textOf(required);
    if (typeof text !== 'string' || isGivenTwice(required as Document)) return true;
    compared += 1;
    const other = otherWords(required as Document);
    t.equal(textOf(other), text, JSON.stringify([required, other]));
    return textOf(`\n ${JSON.stringify(other, null, 2)} `) === text;
  }), { numRuns: 500 });
  t.ok(compared > 200, `${compared} were compared`);
});

/** Unwanted `compat` in both places: one cannot be moved to the other. */
const isGivenTwice = ({ compat, not }: Document): boolean =>
  Object.keys((compat as Document)?.negative ?? {}).length > 0
  && Object.keys(((not as Document)?.compat as Document)?.positive ?? {}).length > 0;

t.test('given documents, then their canonical texts', async (t) => {
  const cases: [unknown, string][] = [
    ['', ''], ['  ', ''], ['{}', ''], [{}, ''], [{ models: [], labels: {}, not: { models: [], compat: {} } }, ''],
    [{ hardware: { gpu: {} }, compat: { positive: { tags: [] } } }, ''],
    [{ region: ['us', 'eu', 'us'] }, '{"region":["eu","us"]}'],
    [{ region: ['us', 'eu'], not: { region: 'eu' } }, '{"region":"us"}'],
    [{ labels: { a: { in: ['y', 'x'], notIn: ['x'], exists: true } } }, '{"labels":{"a":"y"}}'],
    [{ labels: { a: { notIn: ['x'], exists: false } } }, '{"labels":{"a":{"exists":false}}}'],
    [{ not: { labels: { a: 'x' } } }, '{"labels":{"a":{"notIn":["x"]}}}'],
    [{ hardware: { b: { c: -0 }, a: 'x' } }, '{"hardware":{"a":"x","b.c":0}}'],
    [{ hardware: { a: 'x' }, not: { hardware: { a: 'y' } } }, '{"hardware":{"a":"x"}}'],
    [{ hardware: { a: 8 }, not: { hardware: { a: 16 } } }, '{"hardware":{"a":8},"not":{"hardware":{"a":16}}}'],
    [{ compat: { positive: { a: ['x'], b: [1], c: [true, 'x', 2, 'x'] } } },
      '{"compat":{"positive":{"a":"x","b":[1],"c":["x",2,true]}}}'],
    [{ compat: { negative: { a: 1 } }, not: { compat: { positive: { a: 1, b: 2 } } } },
      '{"compat":{"negative":{"a":1,"b":2}}}'],
    ['{"hardware":{"__proto__":1,"constructor":"x"}}', '{"hardware":{"__proto__":1,"constructor":"x"}}'],
    ['{"hardware":{"10":1,"9":2}}', '{"hardware":{"10":1,"9":2}}'],
  ];
  for (const [given, text] of cases) t.equal(textOf(given), text, JSON.stringify(given));
});

t.test('given a document that asks for nothing, then it is one requirement', async (t) => {
  t.equal(requirement({ models: [] }), NO_REQUIREMENT);
  t.equal(requirementOf(''), NO_REQUIREMENT);
});

t.test('given names that objects have already, then they are plain data', async (t) => {
  const required = requirement('{"hardware":{"__proto__":{"polluted":1}},"labels":{"constructor":"x","__proto__":"y"}}');
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
  t.notOk(matches(required, capabilities('{}')));
  t.ok(matches(required, capabilities(requirementText(required).replace('"x"', '"x"'))));
  t.strictSame(lacks(required, capabilities({})).map(({ path, found }) => [path, found]), [
    ['hardware.__proto__.polluted', 'nothing'], ['labels.__proto__', 'nothing'], ['labels.constructor', 'nothing'],
  ]);
  t.notOk(matches(requirement({ compat: { positive: { constructor: 'x' } } }), capabilities({})));
});

const refusal = (given: unknown): string => {
  const answer = validated(() => requirement(given)) as { code?: string; message?: string };
  return `${answer.code}: ${answer.message}`;
};

t.test('given what is over a bound, then it is refused with the path', async (t) => {
  const many = (count: number, length = 8): string[] =>
    Array.from({ length: count }, (_, nth) => `m${nth}`.padEnd(length, 'x'));
  let deep: unknown = 1;
  for (let nth = 0; nth < 100_000; nth += 1) deep = { a: deep };
  const cyclic: Document = {};
  for (const name of many(20)) cyclic[name] = cyclic;
  const cases: [unknown, string][] = [
    [{ models: many(129) }, 'require asks for 129 things; the most is 128'],
    [{ models: many(100_000) }, 'require.models is one of more than 512 values'],
    [{ models: many(64, 200) }, 'require has 13004 bytes in canonical form; the most is 4096'],
    [{ models: ['x'.repeat(257)] }, 'require.models[0] must have at most 256 bytes, not 257'],
    [{ hardware: deep }, `require.hardware${'.a'.repeat(7)} is nested deeper than 8`],
    [`{"hardware":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}`, 'require must have at most 16384 bytes, not 18014'],
    [{ hardware: cyclic }, 'is nested deeper than 8'],
    [{ hardware: { ['x'.repeat(200)]: { ['y'.repeat(200)]: 1 } } }, 'must have at most 256 bytes, not 401'],
    [{ hardware: { a: Number.NaN } }, 'require.hardware.a must be a number from 0 to 9007199254740991, not NaN'],
    ['{"hardware":{"a":1e999}}', 'require.hardware.a must be a number from 0 to 9007199254740991, not Infinity'],
    [{ compat: { positive: { a: -1e300 } } }, 'not -1e+300'],
    [{ compat: { positive: { a: null } } }, 'require.compat.positive.a must be a number, a text, true or false, not null'],
    [{ customer: '' }, 'require.customer must not be empty'],
    [{ customer: '\ud800' }, 'require.customer must not hold control characters'],
    [{ hardware: { '': 1 } }, 'the name of a member of require.hardware must not be empty'],
    [{ hardware: { 'a\u202eb': 1e300 } }, 'require.hardware.a\u202eb must be'],
    ['[]', 'require must be an object, not a list'], ['null', 'require must be an object, not null'],
    [new Map(), 'require must be an object, not an instance of a class'],
  ];
  for (const [given, words] of cases) {
    const got = refusal(given);
    t.ok(got.startsWith('REQUIREMENT_INVALID: ') && got.includes(words), got);
  }
});

t.test('given the largest requirement, then its text is accepted again', async (t) => {
  const labels = Object.fromEntries(Array.from({ length: 128 }, (_, nth) => [`l${nth}`, 'value of it'.slice(nth % 8)]));
  const text = requirementText(requirement({ not: { labels } }));
  t.ok(text.length > 3_000);
  t.equal(requirementText(requirementOf(text)), text);
  const longest = requirement({ hardware: { ['x'.repeat(128)]: { ['y'.repeat(127)]: 1 } } });
  t.equal(requirementText(requirement(requirementText(longest))), requirementText(longest));
});

t.test('given long texts, then what is kept of them is bounded by their length too', async (t) => {
  const cache = new TextCache<number>(3, 10);
  for (const [nth, text] of ['a', 'b', 'c', 'd', 'd', 'x'.repeat(9), 'y'.repeat(11)].entries()) cache.set(text, nth);
  t.strictSame(['a', 'd', 'x'.repeat(9), 'y'.repeat(11)].map((text) => cache.get(text)), Array(4).fill(undefined));
  for (const [nth, text] of ['a', 'b', 'b', 'c', 'd', 'e'.repeat(7)].entries()) cache.set(text, nth);
  t.strictSame(['a', 'b', 'c', 'd', 'e'.repeat(7)].map((text) => cache.get(text)), [undefined, undefined, 3, 4, 5]);
});

t.test('given hostile JSON, then nothing but Invalid is thrown', async (t) => {
  const field = fc.constantFrom('services', 'hardware', 'models', 'labels', 'region', 'compliance', 'customer', 'not',
    'compat', 'positive', 'negative', 'in', 'notIn', 'exists', '__proto__', 'toString');
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, fc.jsonValue({ maxDepth: 1 }), fc.string({ unit: 'binary' }), fc.double(),
      fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(field, tie('value'), { maxKeys: 3 })),
  }));
  const onlyInvalid = (make: () => unknown): boolean => {
    try {
      make();
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      // eslint-disable-next-line no-control-regex
      return error.message.length < 1_500 && !/[\n\u0000-\u001f]/.test(error.message);
    }
    return true;
  };
  fc.assert(fc.property(fc.dictionary(field, value, { maxKeys: 3 }), value, (document, any) =>
    [document, any, JSON.stringify(document)].every((given) =>
      onlyInvalid(() => requirement(given)) && onlyInvalid(() => capabilities(given)))), { numRuns: 1_000 });
  t.pass();
});

t.test('given an unknown name, then the nearest is the one that was meant', async (t) => {
  const known = ['services', 'hardware', 'models', 'labels', 'region', 'compliance', 'customer', 'not', 'compat'];
  const cases = { service: 'services', model: 'models', hw: 'not', hardwrae: 'hardware', regions: 'region', Not: 'not',
    complience: 'compliance', label: 'labels', custmoer: 'customer', '': 'not' };
  for (const [given, meant] of Object.entries(cases)) t.equal(nearest(given, known), meant, given);
});

t.test('given a requirement, then it is frozen, and the same object for what means the same', async (t) => {
  const required = requirementOf('{"hardware":{"a":1},"models":["b","a"]}');
  t.equal(requirementOf('{"hardware":{"a":1},"models":["b","a"]}'), required);
  t.equal(requirement({ models: ['a', 'b', 'a'], hardware: { a: 1 } }), required);
  t.throws(() => (required.models as string[]).push('c'));
  t.throws(() => Object.assign(required.hardware as object, { a: 2 }));
  for (let nth = 0; nth <= MATCHING.cached; nth += 1) requirementOf(`{"hardware":{"bounded":${nth}}}`);
  t.not(requirementOf('{"hardware":{"a":1},"models":["b","a"]}'), required, 'what is kept is bounded');
  t.strictSame(required satisfies Requirement, { hardware: { a: 1 }, models: ['a', 'b'] });
});
