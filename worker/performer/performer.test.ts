import t from 'tap';
import { createActor } from 'xstate';
import { LIMITS } from '../../protocols/limits.js';
import { worker } from '../../protocols/messages.js';
import type { Chart } from '../../actors/chart.js';
import { Attempt } from './attempt.js';
import type { AttemptReport } from './outcome.js';
import { ABORT_GRACE_MS, Slot } from './perform.js';
import { performerChart, performerMachine } from './performer.chart.js';
import { performer, type Handle, type Performer, type PerformerParts } from './performer.js';

const taken = new Set<string>();
/** The chart, recording which transitions were taken. */
const watched: Chart = {
  ...performerChart,
  next: (status, event) => {
    const to = performerChart.next(status, event);
    if (to !== undefined) taken.add(`${status} --${event}--> ${to}`);
    return to;
  },
};

const TOKEN = '0-aaaaaaaaaaaaaaaa/2/1';
const LEASE: worker.Lease.$Properties = {
  token: TOKEN,
  jobId: '0-aaaaaaaaaaaaaaaa',
  attempt: 2,
  maxAttempts: 3,
  leaseMs: 15_000,
  payload: Buffer.from('{"n":3}'),
};
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

type Work = Handle<{ n: number }, unknown> | PerformerParts<{ n: number }, unknown>;

interface Run {
  readonly slot: Slot;
  readonly attempt: Attempt;
  readonly reports: (AttemptReport | undefined)[];
}

function run(work: Performer, lease: worker.Lease.$Properties = {}): Run {
  const reports: (AttemptReport | undefined)[] = [];
  const slot = new Slot({ maxResultBytes: 1_000, ended: (_attempt, report) => reports.push(report) }, watched);
  const encoded = worker.Lease.encode({ ...LEASE, ...lease }).finish();
  const attempt = new Attempt(worker.Lease.decode(encoded) as worker.Lease, 0, { progressed: () => undefined, log: () => silent }, 0, 0);
  slot.start(attempt, work);
  return { slot, attempt, reports };
}

const ticks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function outcomeOf(work: Work, lease: worker.Lease.$Properties = {}): Promise<AttemptReport> {
  const { reports, slot } = run(performer('job', work) as Performer, lease);
  await ticks();
  t.equal(reports.length, 1, 'reported once');
  t.equal(slot.status, 'idle');
  return reports[0]!;
}

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
const refusing = { toString: () => { throw new Error('no'); }, get message(): string { throw new Error('no'); } };

type Case = readonly [
  name: string,
  work: Work,
  lease: worker.Lease.$Properties,
  outcome: string,
  expected: string | RegExp,
];

const cases: readonly Case[] = [
  ['a value', ({ n }) => n * n, {}, 'ok', '9'],
  ['a promise', async ({ n }) => ({ n }), {}, 'ok', '{"n":3}'],
  ['undefined is null', () => undefined, {}, 'ok', 'null'],
  ['bytes', () => new Uint8Array([104, 105]), {}, 'ok', 'hi'],
  ['a payload of bytes', (bytes) => String.fromCharCode(...(bytes as unknown as Uint8Array)), { contentType: 'text/plain', payload: Buffer.from('raw') }, 'ok', '"raw"'],
  ['JSON with a charset', ({ n }) => n, { contentType: 'application/json; charset=utf-8' }, 'ok', '3'],
  ['no payload is null', (payload) => payload, { payload: new Uint8Array() }, 'ok', 'null'],
  ['validate agrees', { validate: () => true, handle: ({ n }) => n }, {}, 'ok', '3'],
  ['validate says nothing', { validate: () => undefined, handle: ({ n }) => n }, {}, 'ok', '3'],
  ['validate agrees later', { validate: async () => true, handle: ({ n }) => n }, {}, 'ok', '3'],
  ['validate says no', { validate: () => false, handle: () => 1 }, {}, 'fail', 'PAYLOAD_INVALID'],
  ['validate says why', { validate: () => 'n is odd', handle: () => 1 }, {}, 'fail', /PAYLOAD_INVALID n is odd/],
  ['validate throws', { validate: () => { throw new Error('bad n'); }, handle: () => 1 }, {}, 'fail', /PAYLOAD_INVALID bad n/],
  ['validate rejects', { validate: async () => { throw new Error('bad n'); }, handle: () => 1 }, {}, 'fail', /PAYLOAD_INVALID bad n/],
  ['a payload that is not JSON', () => 1, { payload: Buffer.from('{') }, 'fail', /PAYLOAD_INVALID the payload cannot be decoded/],
  ['a payload that is not UTF-8', () => 1, { payload: Buffer.from([34, 255, 34]) }, 'fail', /PAYLOAD_INVALID .*UTF-8/],
  ['throws', () => { throw new TypeError('oh'); }, {}, 'retry', /PERFORMER_ERROR oh/],
  ['rejects', async () => { throw new Error('oh'); }, {}, 'retry', /PERFORMER_ERROR oh/],
  ['throws with a code', () => { throw Object.assign(new Error('oh'), { code: 'ENOENT' }); }, {}, 'retry', /ENOENT oh/],
  ['throws with control characters in a code', () => { throw Object.assign(new Error('oh'), { code: 'A\nB\u0000' }); }, {}, 'retry', /^A B  oh/],
  ['throws with a number for a code', () => { throw Object.assign(new Error('oh'), { code: 7 }); }, {}, 'retry', /PERFORMER_ERROR oh/],
  ['throws a text', () => { throw 'text'; }, {}, 'retry', /PERFORMER_ERROR thrown: 'text'/],
  ['throws undefined', () => { throw undefined; }, {}, 'retry', /PERFORMER_ERROR thrown: undefined/],
  ['throws null', async () => { throw null; }, {}, 'retry', /PERFORMER_ERROR thrown: null/],
  ['throws what cannot be described', () => { throw new Proxy(refusing, { getPrototypeOf: () => { throw new Error('no'); } }); }, {}, 'retry', /PERFORMER_ERROR thrown: something/],
  ['throws half a character', () => { throw new Error('a\ud800b'); }, {}, 'retry', /PERFORMER_ERROR a\ufffdb/],
  ['returns NaN', () => Number.NaN, {}, 'retry', /RESULT_INVALID .*NaN/],
  ['returns infinity inside', () => ({ a: [null, 1 / 0] }), {}, 'retry', /RESULT_INVALID .*Infinity/],
  ['returns a BigInt', () => 1n, {}, 'retry', /RESULT_INVALID/],
  ['returns a cycle', () => cyclic, {}, 'retry', /RESULT_INVALID/],
  ['returns a function', () => () => 1, {}, 'retry', /RESULT_INVALID .*function/],
  ['returns a symbol', () => Symbol('s'), {}, 'retry', /RESULT_INVALID/],
  ['returns what throws when encoded', () => ({ toJSON: () => { throw new Error('no'); } }), {}, 'retry', /RESULT_INVALID .*no/],
  ['returns a thenable that throws', () => ({ get then(): unknown { throw new Error('no'); } }), {}, 'retry', /PERFORMER_ERROR no/],
  ['returns too much', () => 'x'.repeat(999), {}, 'retry', /RESULT_INVALID .*1001 bytes/],
  ['returns too many bytes', () => new Uint8Array(1_001), {}, 'retry', /RESULT_INVALID/],
  ['retry()', (_, { retry }) => retry(), {}, 'retry', /PERFORMER_ERROR/],
  ['retry(0)', (_, { retry }) => retry(0, 'soon'), {}, 'retry', /PERFORMER_ERROR soon 0ms/],
  ['retry(afterMs)', async (_, context) => context.retry(1_500.4, 'later'), {}, 'retry', /PERFORMER_ERROR later 1500ms/],
  ['retry(nonsense)', (_, { retry }) => retry(-1), {}, 'retry', /PERFORMER_ERROR .*afterMs/],
  ['retry(NaN)', (_, { retry }) => retry(Number.NaN), {}, 'retry', /PERFORMER_ERROR .*afterMs/],
  ['fail()', (_, { fail }) => fail('never'), {}, 'fail', /PERFORMER_FAILED never/],
  ['fail() with a non-text', (_, { fail }) => fail(7 as never), {}, 'fail', /PERFORMER_FAILED 7/],
  ['progress(nonsense)', (_, { progress }) => progress('1' as never), {}, 'retry', /PERFORMER_ERROR progress/],
  ['the context', (_, { jobId, attempt, maxAttempts, key, labels, signal }) => [jobId, attempt, maxAttempts, key, labels, signal.aborted], { key: 'k', labels: { a: 'b' } }, 'ok', '["0-aaaaaaaaaaaaaaaa",2,3,"k",{"a":"b"},false]'],
];

t.test('outcomes', async (t) => {
  for (const [name, what, lease, outcome, expected] of cases) {
    const report = await outcomeOf(what, lease);
    const { failure, result, retryAfterMs } = report;
    const wait = retryAfterMs === undefined ? '' : ` ${retryAfterMs}ms`;
    const text = failure ? `${failure.code} ${failure.message}${wait}` : Buffer.from(result ?? []).toString();
    t.equal(report.outcome, outcome, name);
    if (typeof expected === 'string') t.equal(failure ? failure.code : text, expected, name);
    else t.match(text, expected, name);
    t.equal(report.token, TOKEN);
    t.doesNotThrow(() => worker.Report.decode(worker.Report.encode(report).finish()), `${name}: can be read back`);
  }
});

t.test('messages and stacks are bounded', async (t) => {
  const { failure } = await outcomeOf(() => {
    throw Object.assign(new Error('ä'.repeat(9_999)), { stack: '€'.repeat(9_999) });
  });
  t.ok(Buffer.byteLength(failure!.message!) <= LIMITS.failureMessageBytes);
  t.ok(Buffer.byteLength(failure!.stack!) <= LIMITS.failureStackBytes);
  t.notMatch(failure!.message, '\ufffd', 'cut between characters');
});

t.test('a value needs no tick, a promise one', async (t) => {
  t.equal(run(performer('job', () => 1)).reports.length, 1);
  const later = run(performer('job', async () => 1));
  t.equal(later.reports.length, 0);
  await undefined;
  t.equal(later.reports.length, 1);
});

t.test('the signal ends a handler', async (t) => {
  const untilAborted = performer('job', (_: unknown, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  }));
  for (const [cause, outcome, code] of [
    ['cancelled', 'cancelled', undefined],
    ['timedOut', 'retry', 'ATTEMPT_TIMED_OUT'],
    ['leaseLost', 'retry', 'LEASE_EXPIRED'],
    ['stopping', 'returned', undefined],
    ['revoked', undefined, undefined],
  ] as const) {
    const { slot, reports, attempt } = run(untilAborted);
    slot.abort(cause, 100);
    t.equal(slot.status, 'aborting');
    t.equal(attempt.dueMs(), 100 + ABORT_GRACE_MS);
    await ticks();
    t.equal(reports.length, 1, cause);
    t.equal(reports[0]?.outcome, outcome, cause);
    t.equal(reports[0]?.failure?.code, code, cause);
  }
});

t.test('a handler that ignores the signal', async (t) => {
  let finish: (value: number) => void = () => undefined;
  const ignoring = performer('job', () => new Promise<number>((resolve) => { finish = resolve; }));
  const { slot, reports } = run(ignoring);
  slot.abort('timedOut', 0);
  slot.abandon();
  t.equal(reports[0]?.failure?.code, 'ATTEMPT_TIMED_OUT');
  t.equal(slot.status, 'idle', 'the slot is free');
  finish(1);
  await ticks();
  t.equal(reports.length, 1, 'its later outcome is ignored');

  for (const [cause, outcome] of [
    ['cancelled', 'cancelled'],
    ['timedOut', 'retry'],
    ['leaseLost', 'ok'],
    ['stopping', 'ok'],
    ['revoked', undefined],
  ] as const) {
    const again = run(ignoring);
    again.slot.abort(cause, 0);
    finish(1);
    await ticks();
    t.equal(again.reports[0]?.outcome, outcome, `${cause}, and it returned in the end`);
  }
});

t.test('a revocation replaces an earlier cause, and no other cause does', async (t) => {
  const { slot, attempt, reports } = run(performer('job', () => new Promise(() => undefined)));
  slot.abort('cancelled', 0);
  slot.abort('leaseLost', 10);
  t.equal(attempt.cause, 'cancelled');
  slot.abort('revoked', 20);
  t.equal(attempt.cause, 'revoked');
  t.equal(attempt.dueMs(), ABORT_GRACE_MS, 'the grace is not prolonged');
  slot.abandon();
  t.same(reports, [undefined]);
});

t.test('stopped while validating', async (t) => {
  for (const validate of [async () => true, async () => { throw new Error('no'); }]) {
    let handled = false;
    const { slot, reports } = run(performer('job', { validate, handle: () => { handled = true; } }));
    slot.abort('cancelled', 0);
    await ticks();
    t.equal(reports[0]?.outcome, 'cancelled');
    t.equal(handled, false);
  }
  let judge: (verdict: boolean) => void = () => undefined;
  const validate = (): Promise<boolean> => new Promise((resolve) => { judge = resolve; });
  const late = run(performer('job', { validate, handle: () => t.fail('handled') }));
  late.slot.abort('timedOut', 0);
  late.slot.abandon();
  judge(true);
  await ticks();
  t.equal(late.reports.length, 1);
});

t.test('a signal that is first read after the abort is aborted', async (t) => {
  let signal: AbortSignal | undefined;
  const { slot } = run(performer('job', async (_: unknown, context) => {
    await ticks();
    signal = context.signal;
  }));
  slot.abort('cancelled', 0);
  await ticks();
  await ticks();
  t.equal(signal?.aborted, true);
});

t.test('performer() refuses invalid definitions', async (t) => {
  t.throws(() => performer('two words', () => 1), /the job type must be/);
  t.throws(() => performer('', () => 1), /the job type must be/);
  t.throws(() => performer('job', 7 as never), /handle must be a function/);
  t.throws(() => performer('job', undefined as never), /handle must be a function/);
  t.throws(() => performer('job', { handle: () => 1, validate: 7 as never }), /validate must be a function/);
});

t.test('the chart equals the machine for every status and event', async (t) => {
  const events = [...new Set(performerChart.arrows.map(({ event }) => event))];
  for (const status of Object.keys(performerMachine.states)) {
    for (const type of events) {
      const snapshot = performerMachine.resolveState({ value: status });
      const actor = createActor(performerMachine, { snapshot }).start();
      actor.send({ type } as never);
      t.equal(performerChart.next(status, type) ?? status, actor.getSnapshot().value, `${status} on ${type}`);
    }
  }
});

t.test('every transition was taken by a test', async (t) => {
  const arrows = performerChart.arrows.map(({ from, event, to }) => `${from} --${event}--> ${to}`);
  t.same(arrows.filter((arrow) => !taken.has(arrow)), []);
});
