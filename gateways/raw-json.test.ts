import fc from 'fast-check';
import t from 'tap';
import { get } from '../actors/job/commands/get.js';
import { submit } from '../actors/job/commands/submit.js';
import { pull } from '../actors/worker/commands/pull.js';
import { report } from '../actors/worker/commands/report.js';
import type { Command } from '../actors/command.js';
import { encodeReply } from './codec.js';
import type { job, worker } from '../protocols/messages.js';
import { parseJson, type Parsed } from './json.js';

/** Between the tokens of JSON. */
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?$/);
const character = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).filter((one) => one >= ' ' && one !== '"' && one !== '\\'),
  fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\n', '\\u0000', '\\ud800', '\\uD83D\\uDE00', '{', ']', ',', ':'),
);
const quoted = fc.array(character, { maxLength: 8 }).map((characters) => `"${characters.join('')}"`);
const name = fc.oneof(quoted, fc.constantFrom('"payload"', '"__proto__"', '"jobs"', '"a"'));

/** Any JSON as it may be written: odd white space, digits that no double has, escapes, names that come twice. */
const { value: anyJson } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, number, quoted, fc.constantFrom('true', 'false', 'null'), tie('list'), tie('object')),
  list: fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }).map((entries) => `[${entries.map((each) => each.join('')).join(',')}]`),
  object: fc.array(fc.tuple(space, name, space, fc.constant(':'), space, tie('value'), space), { maxLength: 4 })
    .map((members) => `{${members.map((each) => each.join('')).join(',')}}`),
}));

const parsed = <Message>(command: Command, request: string): Message => {
  const result = parseJson(command, Buffer.from(request));
  if ('code' in result) throw new Error(`${result.code}: ${result.message}`);
  return (result as Parsed).message as Message;
};
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const reporting = (result: string): string => `{"workerId":"w","session":"s","reports":[{"token":"t","outcome":"ok","result":${result}}]}`;

t.test('any JSON text is the same bytes from submit to lease, and from report to answer', (t) => {
  fc.assert(fc.property(anyJson, space, space, (given, before, after) => {
    const [alone] = parsed<job.SubmitJobs>(submit, `{"type":"x" , "payload"\t:${before}${given}${after}}`).jobs;
    const [, inList] = parsed<job.SubmitJobs>(submit, `{"jobs":[{"type":"x"},{"payload":${before}${given}${after},"type":"x"}]}`).jobs;
    const [reported] = parsed<worker.ReportAttempts>(report, reporting(`${before}${given}${after}`)).reports;
    const lease = { token: 't', payload: alone!.payload! };
    const pulled = text(encodeReply(pull, { epoch: 1, leases: [lease, lease] }, 'json', true));
    const done = { jobId: 'j', result: reported!.result!, position: {} };
    const jobs = text(encodeReply(submit, { jobs: [done, done] }, 'json', false));
    const view = text(encodeReply(get, done, 'json', true));
    const entry = `{"token":"t","payload":${given}}`;
    return [alone, inList].every((each) => text(each!.payload!) === given) && text(reported!.result!) === given &&
      pulled === `{"epoch":1,"cancel":[],"revoked":[],"rejected":[],"leases":[${entry},${entry}]}` &&
      jobs === `{"jobs":[${[done, done].map(() => `{"jobId":"j","duplicate":false,"position":{"hash":""},"result":${given}}`).join(',')}]}` &&
      view === `{"jobId":"j","position":{"hash":""},"result":${given}}`;
  }), { numRuns: 1_000 });
  t.end();
});

t.test('bytes of any kind, said to be JSON, leave the answer valid JSON', (t) => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), anyJson.map((each) => Buffer.from(each)), anyJson.chain((each) => fc.nat(each.length).map((at) => Buffer.from(each.slice(0, at)))));
  fc.assert(fc.property(bytes, (payload) => {
    const answer = encodeReply(pull, { epoch: 1, leases: [{ token: 't', payload }] }, 'json', true);
    const { leases: [lease] } = JSON.parse(text(answer)) as { leases: [{ token: string; payloadBase64?: string }] };
    return lease.token === 't' && Object.keys(lease).length <= 3 && (lease.payloadBase64 === undefined || Buffer.from(lease.payloadBase64, 'base64').equals(payload));
  }), { numRuns: 1_000 });
  t.end();
});

t.test('a whole number is what its text says, or the request is refused', (t) => {
  const exact = (digits: string): boolean => {
    const found = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(digits)!;
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
    const shift = Number(exponent) - fraction.length;
    const value = BigInt(`${whole}${fraction}`);
    if (shift < 0 && value % 10n ** BigInt(-shift) !== 0n) return false;
    const scaled = shift < 0 ? value / 10n ** BigInt(-shift) : value * 10n ** BigInt(shift);
    return scaled <= 2n ** 53n - 1n && Number(digits) === Number(`${sign}${scaled}`);
  };
  const short = fc.stringMatching(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?$/);
  fc.assert(fc.property(short, (digits) => {
    const result = parseJson(submit, Buffer.from(`{"type":"x","priority":${digits}}`));
    const given = 'code' in result ? undefined : (result.message as job.SubmitJobs).jobs[0]!.priority;
    return exact(digits) ? given === Number(digits) : given === undefined;
  }), { numRuns: 2_000 });
  t.end();
});

t.test('a request of a megabyte is read in time that grows with its size alone', (t) => {
  const most = 1_000_000;
  const shapes = {
    'nested deeply': `${'['.repeat(most / 2)}${']'.repeat(most / 2)}`, 'one string': `"${'\\\\'.repeat(most / 2)}"`, 'one number': '1'.repeat(most),
    'zeros': `0.${'0'.repeat(most)}1`, 'white space': `[${' '.repeat(most)}1]`, 'names': `{${'"a":1,'.repeat(most / 6)}"a":1}`,
  };
  for (const [shape, value] of Object.entries(shapes)) {
    for (const request of [`{"type":"x","payload":${value}}`, `{"type":"x","labels":${value}}`, `{"type":"x","priority":${value}}`]) {
      const started = performance.now();
      parseJson(submit, Buffer.from(request));
      const tookMs = performance.now() - started;
      t.ok(tookMs < 2_000, `${shape}: ${Math.round(tookMs)} ms`);
    }
  }
  t.end();
});
