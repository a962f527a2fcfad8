import t from 'tap';
import fc from 'fast-check';
import { Invalid } from '../../protocols/bounds.js';
import { parseJobId } from '../../protocols/ids.js';
import { JOB_STATUSES } from '../job/job.js';
import { textOf, type Filter } from './filter.js';
import { testOf, type Filterable } from './filterable.js';
import { near } from '../matching/nearest.js';
import { parseFilter } from './parse.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const parsed = (text: string): Filter => parseFilter(text, NOW);
const ID = parseJobId('0-0123456789abcdef')!;
const JOB: Filterable = {
  id: ID, type: 'resize', queue: 'images', status: 'failed', key: '', priority: 5, labels: { tenant: 'acme' },
  submittedMs: NOW - 7_200_000, endedMs: NOW - 3_600_000, failure: { code: 'TIMEOUT' },
};

t.test('what a filter means', async (t) => {
  const table: [string, Filter][] = [
    ['', {}],
    ['  type:resize  ', { type: { any: ['resize'] } }],
    ['type:b,a type:c', { type: { any: ['a', 'b', 'c'] } }],
    ['-type:a -type:b type:c', { type: { any: ['c'], none: ['a', 'b'] } }],
    ['code:"a b","c\\"d\\\\"', { code: { any: ['a b', 'c"d\\'] } }],
    ['key:""', { key: { any: [''] } }],
    ['label.tenant:acme label.a/b:x,y -label.tenant:z', {
      labels: { tenant: { any: ['acme'], none: ['z'] }, 'a/b': { any: ['x', 'y'] } },
    }],
    ['priority:5,-7,1..3,..-9,8..', { priority: { any: [
      { from: -7, to: -7 }, { from: 1, to: 3 }, { from: 5, to: 5 }, { from: 8 }, { to: -9 },
    ] } }],
    ['after:2h before:30m', { after: NOW - 7_200_000, before: NOW - 1_800_000 }],
    ['after:1.5d', { after: NOW - 129_600_000 }],
    ['after:2026-02-28', { after: Date.parse('2026-02-28') }],
    ['before:2026-03-01T13:00:00.250+01:00', { before: NOW + 250 }],
    ['after:9999999w', { after: 0 }],
  ];
  for (const [text, filter] of table) t.strictSame(parsed(text), filter, text);
});

t.test('what is wrong is named with its position, and the nearest name', async (t) => {
  const table: [string, RegExp][] = [
    ['typ:resize', /position 1: there is no key "typ"; did you mean type\?/],
    ['type:a statsu:failed', /position 8: there is no key "statsu"; did you mean status\?/],
    ['lable.tenant:acme', /position 1: .*did you mean label.<name>\?|there is no key "lable.tenant"/],
    ['label:acme', /did you mean label.<name>\?/],
    ['xxxxxxxx:1', /the keys are id, type, queue, status, code, key, priority, label.<name>, after, before/],
    ['status:faild', /position 8: there is no status "faild"; did you mean failed\?/],
    ['status:failed,canceled', /position 15: there is no status "canceled"; did you mean cancelled\?/],
    ['failed', /position 1: "failed" is no term/],
    ['type:', /position 6: a value of "type" is missing; the empty text is ""/],
    ['type:a,', /position 8: a value/],
    [':a', /position 1: ":a" is no term/],
    ['type:"a', /position 6: the quotes do not end/],
    ['key:"a"b', /position 8: a blank is missing/],
    ['type:a/*', /position 6: type must be/],
    ['queue:a.b', /position 7: queue must be/],
    ['id:7', /position 4: .*is not a job id/],
    ['after:yesterday', /position 7: "yesterday" is no time/],
    ['after:2026-13-40', /position 7: .* is no time/],
    ['after:1h,2h', /position 1: after can be given once/],
    ['after:1h after:2h', /position 10: after can be given once/],
    ['-after:1h', /position 1: -after is not known: write before/],
    ['priority:high', /position 10: "high" is no priority/],
    ['priority:..', /no priority/],
    ['priority:9..1', /no priority/],
    ['priority:99999999999999999', /no priority/],
    ['label.:a', /position 1: "" cannot be the name of a label/],
    ['label.__proto__:a', /cannot be the name of a label/],
    [`key:${'x'.repeat(300)}`, /position 5: key must have at most 256 bytes/],
    [`key:${'x'.repeat(9_000)}`, /the filter has 9004 bytes; the limit is 8192/],
    [`priority:${Array.from({ length: 201 }, (_, n) => n).join()}`, /at most 200 values/],
  ];
  for (const [text, message] of table) {
    t.throws(() => parsed(text), message, text.slice(0, 40));
    t.throws(() => parsed(text), { code: 'INVALID_ARGUMENT' });
  }
});

t.test('which jobs it is true of', async (t) => {
  const table: [string, boolean][] = [
    ['', true], ['type:resize status:failed code:TIMEOUT label.tenant:acme after:2h', true],
    ['type:ship', false], ['type:ship,resize', true], ['-type:resize', false], ['-type:ship', true],
    ['queue:images', true], ['status:expired', false], ['-status:failed', false], ['-status:ready', true],
    ['code:""', false], ['key:""', true], ['priority:1..5', true], ['priority:6..', false], ['-priority:5', false],
    ['label.tenant:acme', true], ['label.tenant:other', false], ['-label.tenant:acme', false],
    ['label.none:""', false], ['-label.none:x', true], ['label.toString:x', false],
    ['after:30m', false], ['after:90m', true], ['before:30m', true], ['before:90m', false], [`id:${ID}`, true],
  ];
  for (const [text, is] of table) t.equal(testOf(parsed(text))(JOB), is, text);
  for (const status of JOB_STATUSES) {
    const isMeant = testOf({})({ ...JOB, status });
    t.equal(isMeant, ['ready', 'scheduled', 'running', 'retrying', 'failed'].includes(status), `${status} by default`);
  }
  const waiting = { ...JOB, status: 'ready', endedMs: 0, submittedMs: NOW - 60_000 };
  t.equal(testOf(parsed('after:2m'))(waiting), true, 'the submission counts for a job that has not ended');
});

const texts = fc.array(fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', ' ', ',', '"', '\\', 'a"b\\', 'ä𝕏'))
  .filter((text) => !/[\p{Control}\p{Surrogate}]/u.test(text)), { minLength: 1, maxLength: 3 });
const sorted = (values: string[]): string[] =>
  [...new Set(values)].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
const choice = (of: fc.Arbitrary<string[]>) => fc.record(
  { any: of.map(sorted), none: of.map(sorted) }, { requiredKeys: [] },
).filter(({ any, none }) => Boolean(any ?? none));
const filters: fc.Arbitrary<Filter> = fc.record({
  id: choice(fc.constant([ID])), type: choice(fc.subarray(['a', 'b.c', 'd:e'], { minLength: 1 })),
  status: choice(fc.subarray(['ready', 'failed'], { minLength: 1 })), code: choice(texts), key: choice(texts),
  labels: fc.dictionary(fc.constantFrom('a', 'b/c', 'tenant'), choice(texts), { minKeys: 1 }),
  after: fc.nat(4_102_444_800_000), before: fc.nat(4_102_444_800_000),
}, { requiredKeys: [] });

t.test('property: the canonical text says the same, whenever it is read', async (t) => {
  fc.assert(fc.property(filters, fc.nat(), (filter, nowMs) => {
    const text = textOf(filter);
    const again = parseFilter(text, nowMs);
    t.equal(textOf(again), text);
    t.same(again, JSON.parse(JSON.stringify(filter)));
  }), { numRuns: 300 });
});

t.test('property: any text is a filter, or is refused', async (t) => {
  const parts = ['type', ':', 'a', ',', '"', '\\', ' ', '-', 'label.', 'after', '2h', 'priority', '5', '..'];
  const near = fc.array(fc.constantFrom(...parts));
  fc.assert(fc.property(fc.oneof(fc.string(), near.map((each) => each.join(''))), (text) => {
    try {
      const filter = parsed(text);
      t.equal(textOf(parseFilter(textOf(filter), 0)), textOf(filter), text);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
    }
  }), { numRuns: 2_000 });
});

t.test('a wrong name is near to one that is known, or to none', async (t) => {
  t.equal(near('qeue', ['queue', 'code']), 'queue');
  t.equal(near('zzzzz', ['queue', 'code']), undefined);
  t.equal(near('', ['a']), undefined);
});
