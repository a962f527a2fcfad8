/** Deciding again: from the journal alone, the rules come to the events that are in it. */
import { deepStrictEqual } from 'node:assert';
import t from 'tap';
import fc from 'fast-check';
import type { Outcome } from '../../actors/job/job.decide.js';
import type { JobBodies } from '../../actors/job/job.events.js';
import type { ActorEvent } from '../../actors/kind.js';
import { KINDS } from '../../actors/kinds.js';
import { job as messages, type journal } from '../../protocols/messages.js';
import { decodeCommit, readCommit, removeContents } from '../../streams/contents.js';
import { differencesOf } from '../../tests/deciding/differences.js';
import { acts, staged, type Act } from '../../tests/deciding/stage.js';
import { decideCommitAgain } from './decide-again.js';
import { newCore, Play, POLICY } from '../../tests/play.js';

t.test('property: whatever happens, deciding again from the journal alone comes to the bytes in it', async () => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 80, size: 'max' }), (script) => {
    deepStrictEqual(differencesOf(staged(script), newCore().state), []);
  }), { numRuns: 300 });
});

const submitted = (over: Partial<Act & { do: 'submit' }> = {}): Act => ({
  do: 'submit', delayMs: 0, runInMs: 0, key: '', startMs: 0, totalMs: 0, attempts: 2, crashes: 3, listMs: undefined,
   jitter: 0.5, attemptMs: 0, labels: false,
  ...over,
});
const leased: Act = { do: 'pull', worker: 'w1', free: 1, ends: 'nothing' };
const cancelled: Act = { do: 'cancel', nth: 0, reason: 'enough' };
const passed = (ms: number): Act => ({ do: 'tick', ms });
const ended = (ends: Outcome): Act => ({ do: 'report', worker: 'w1', ends });
const running = (over: Partial<Act & { do: 'submit' }> = {}): Act[] => [submitted(over), leased];
const taken = (edited: boolean): Act => ({ do: 'retry', nth: 0, edited });
const bulk: Act = { do: 'bulk', id: 'b1', action: 'cancel', hold: true };
const FAILURE = { code: 'PERFORMER_ERROR', message: 'no' };
const ok: Outcome = { kind: 'ok', result: Buffer.from('1'), contentType: '' };
const retry: Outcome & { kind: 'retry' } = { kind: 'retry', failure: FAILURE, afterMs: undefined };
const fail: Outcome = { kind: 'fail', failure: FAILURE };
const gaveUp: Outcome = { kind: 'cancelled' };
const returned: Outcome = { kind: 'returned' };

/** Each event in each way that it can come about: how an attempt ended that did not succeed stands after the event. */
const WAYS: readonly (readonly [string, readonly Act[]])[] = [
  ['JobSubmitted', [submitted({ startMs: 600, listMs: [300, 0] })]],
  ['JobSubmitted', [submitted({ labels: true, key: 'a', totalMs: 2_000 })]],
  ['JobDelayed', [submitted({ delayMs: 500 })]],
  ['JobDelayed', [submitted({ runInMs: 300 })]],
  ['JobBecameReady', [submitted({ delayMs: 500 }), passed(600)]],
  ['JobLeased', running()],
  ['JobCompleted', [...running(), ended(ok)]],
  ['JobRetryScheduled retry', [...running(), ended(retry)]],
  ['JobRetryScheduled retry', [...running(), ended({ ...retry, afterMs: 250 })]],
  ['JobRetryScheduled retry', [...running({ listMs: [300, 0] }), ended(retry)]],
  ['JobRetryScheduled cancelled', [...running(), ended(gaveUp)]],
  ['JobRetryScheduled timed_out', [...running({ attemptMs: 700 }), passed(800)]],
  ['JobReclaimed', [...running(), passed(1_500)]],
  ['JobReturned', [...running({ attempts: 1 }), ended(returned)]],
  ['JobFailed retry', [...running({ attempts: 1 }), ended(retry)]],
  ['JobFailed retry', [...running(), ended({ ...retry, failure: { code: 'BAD_INPUT', message: '' } })]],
  ['JobFailed fail', [...running(), ended(fail)]],
  ['JobFailed cancelled', [...running({ attempts: 1 }), ended(gaveUp)]],
  ['JobReclaimed', [...running({ crashes: undefined }), passed(1_500)]],
  ['JobFailed silent', [...running({ crashes: 1 }), passed(1_500)]],
  ['JobFailed silent', [...running({ attempts: 1, crashes: undefined }), passed(1_500)]],
  ['JobFailed timed_out', [...running({ attempts: 1, attemptMs: 700 }), passed(800)]],
  ['JobCancelRequested', [...running(), cancelled]],
  ['JobCancelled', [submitted(), cancelled]],
  ['JobCancelled', [submitted(), { ...cancelled, reason: '' }]],
  ['JobCancelled retry', [...running(), cancelled, ended(retry)]],
  ['JobCancelled fail', [...running(), cancelled, ended(fail)]],
  ['JobCancelled cancelled', [...running(), cancelled, ended(gaveUp)]],
  ['JobCancelled returned', [...running(), cancelled, ended(returned)]],
  ['JobCancelled silent', [...running(), cancelled, passed(1_500)]],
  ['JobCancelled timed_out', [...running({ attemptMs: 700 }), cancelled, passed(800)]],
  ['JobExpired', [submitted({ totalMs: 2_000 }), passed(2_100)]],
  ['JobExpired', [submitted({ startMs: 600, delayMs: 500 }), passed(1_200)]],
  ['JobRetried', [...running(), ended(fail), taken(false)]],
  ['JobRetried', [...running({ key: 'a', totalMs: 2_000, labels: true }), ended(fail), taken(true)]],
  ['JobRetried', [submitted(), cancelled, taken(false)]],
  ['JobRetried', [submitted({ totalMs: 2_000 }), passed(2_100), taken(false)]],
  ['JobFailed retry', [...running({ attempts: 1 }), ended(retry), taken(false), leased, ended(retry)]],
  ['JobReprioritized', [submitted(), { do: 'reprioritize', nth: 0, priority: 2 }]],
  ['JobDiscarded', [...running(), ended(fail), { do: 'discard', nth: 0, reason: 'enough' }]],
  ['JobDiscarded', [...running(), ended(fail), { do: 'discard', nth: 0, reason: '' }]],
  ['BulkStarted', [submitted(), bulk]],
  ['BulkFrozen', [submitted(), bulk, passed(0)]],
  ['BulkWent', [submitted(), bulk, passed(0), { do: 'go', id: 'b1' }]],
  ['BulkDone', [submitted(), { ...bulk, hold: false }, passed(0), passed(10)]],
  ['BulkDone', [submitted(), bulk, passed(0), cancelled, { do: 'go', id: 'b1' }, passed(10)]],
  ['BulkStopped', [submitted(), bulk, { do: 'stop', id: 'b1' }]],
  ['WorkerRegistered', [leased]],
  ['WorkerDraining', [leased, { do: 'drain', worker: 'w1', gone: false }]],
  ['WorkerGone', [leased, { do: 'drain', worker: 'w1', gone: true }]],
  ['WorkerGone', [leased, passed(70_000)]],
  ['WorkerRetired', [leased, { do: 'retire', worker: 'w1', reason: 'hot' }]],
  ['WorkerCordoned', [leased, { do: 'cordon', worker: 'w1', reason: 'hot' }]],
  ['WorkerCordoned', [{ do: 'cordon', worker: 'w1', reason: '' }]],
  ['WorkerUncordoned', [{ do: 'cordon', worker: 'w1', reason: 'hot' }, { do: 'uncordon', worker: 'w1', reason: '' }]],
  ['QueuePaused', [{ do: 'pause', reason: 'closed' }]],
  ['QueueResumed', [{ do: 'pause', reason: 'closed' }, { do: 'resume', reason: '' }]],
  ['JobUnworkable', [
    { do: 'configure', concurrency: 3, reason: '' }, submitted(), passed(7_000), passed(5_000),
  ]],
  ['QueueConfigured', [{ do: 'configure', concurrency: 3, reason: 'slow down' }]],
];

const endedOf = (input: journal.Input.$Properties | null | undefined): string =>
  (input?.command ? messages.DecisionInput.decode(input.command).ended : '');

for (const [way, script] of WAYS) {
  t.test(`${way} is decided again, after ${script.map((act) => act.do).join(', ')}`, async (t) => {
    const commits = staged(script.flatMap((act) => [act, { do: 'commit' }]));
    const events = commits.flatMap((bytes) => decodeCommit(bytes).events);
    t.equal(events.map(({ type, input }) => `${type} ${endedOf(input)}`.trim()).at(-1), way);
    t.strictSame(differencesOf(commits, newCore().state), []);
  });
}

t.test('what time decides is recorded with its commit’s time, also where it begins a new commit', async (t) => {
  const wait: Act = { do: 'wait', ms: 800 };
  const due: [string, readonly Act[]][] = [
    ['JobRetryScheduled', [...running({ attemptMs: 700 }), { do: 'commit' }, wait]],
    ['JobExpired', [submitted({ totalMs: 700 }), { do: 'commit' }, wait]],
  ];
  for (const [type, before] of due) {
    // The open commit is full after some of these, so that it is sealed when time decides.
    for (let others = 0; others < 6; others += 1) {
      const commits = staged([...before, ...Array.from({ length: others }, () => submitted()), passed(100)]);
      t.ok(commits.some((bytes) => decodeCommit(bytes).events.some((event) => event.type === type)));
      t.strictSame(differencesOf(commits, newCore().state), [], `${type} after ${others} submits`);
    }
  }
});

t.test('every type of event is decided again', async (t) => {
  const types = KINDS.flatMap(({ kind }) => Object.keys(kind.events));
  // In the middle of a turn of a bulk.
  const within = ['BulkCollected', 'BulkAdvanced', 'BulkSkipped'];
  t.strictSame(types.filter((type) => !WAYS.some(([way]) => way.split(' ')[0] === type)), within);
});

t.test('property: whichever contents are removed, deciding again comes to the same hashed bodies', async () => {
  const scripts = fc.array(acts, { maxLength: 60, size: 'max' });
  fc.assert(fc.property(scripts, fc.infiniteStream(fc.boolean()), (script, dice) => {
    const bare = staged(script).map((bytes) => {
      const { events } = readCommit(bytes).commit;
      const removed = [...events.keys()].filter((index) => events[index]!.content && dice.next().value);
      return removeContents(bytes, removed);
    });
    deepStrictEqual(differencesOf(bare, newCore().state, 'hashed bodies'), []);
  }), { numRuns: 100 });
});

t.test('property: each event says by whom it was asked for, which nothing has verified', async (t) => {
  const by: Readonly<Record<string, RegExp>> = {
    SubmitJob: /^client$/, CancelJob: /^(client|anna)$/, RetryJob: /^(client|anna)$/, DiscardJob: /^(client|anna)$/,
    ReprioritizeJob: /^(client|anna)$/, StartBulk: /^anna$/, GoBulk: /^anna$/, StopBulk: /^anna$/, Timer: /^$/, Pull: /^w[12]$/, ReportAttempt: /^w[12]$/,
    CordonWorker: /^anna$/, UncordonWorker: /^anna$/, RetireWorker: /^anna$/,
    RegisterWorker: /^w[12]$/, DrainWorker: /^w[12]$/, PauseQueue: /^anna$/, ResumeQueue: /^anna$/,
    SetQueue: /^anna$/,
  };
  fc.assert(fc.property(fc.array(acts, { maxLength: 40, size: 'max' }), (script) => {
    for (const bytes of staged(script)) {
      for (const { cause } of decodeCommit(bytes).events) {
        t.match(cause?.by, by[cause?.type ?? '']!, cause?.type ?? '');
        t.equal(cause?.verified, false);
      }
    }
  }), { numRuns: 50 });
});

t.test('property: no pull was granted more leases than it had free slots, by the journal alone', async (t) => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 60, size: 'max' }), (script) => {
    let left = 0;
    let of = '';
    for (const { type, body, input } of staged(script).flatMap((bytes) => decodeCommit(bytes).events)) {
      if (type !== 'JobLeased') continue;
      const { session, pullSeq } = messages.JobLeased.decode(body!);
      if (input) [of, left] = [`${session} ${pullSeq}`, messages.DecisionInput.decode(input.command!).free];
      t.equal(`${session} ${pullSeq}`, of, 'the first lease of a pull says how many slots it had');
      left -= 1;
      t.ok(left >= 0);
    }
  }), { numRuns: 100 });
});

/** A retry with and without a delay of its own, and a completion. */
function retried(): Play {
  const play = new Play();
  play.register('w1');
  for (let n = 0; n < 3; n += 1) play.submit({ policy: { ...POLICY, backoffJitter: 0.5 } });
  const leases = play.pull('w1', 1, 3).flatMap((said) => (said.kind === 'pulled' ? said.leases : []));
  const outcomes: Outcome[] = [retry, { ...retry, afterMs: 250 }, ok];
  play.pull('w1', 2, 0, [], leases.map(({ token }, nth) => ({ token, outcome: outcomes[nth]! })));
  return play;
}

t.test('only what is needed is recorded', async (t) => {
  const inputs = retried().commits.flatMap((bytes) => decodeCommit(bytes).events).map(({ type, input }) => ({
    type, draw: input?.draw ?? undefined, ...(input?.command && { ...messages.DecisionInput.decode(input.command) }),
  }));
  t.strictSame(inputs, [
    ...['WorkerRegistered', 'JobSubmitted', 'JobSubmitted', 'JobSubmitted'].map((type) => ({ type, draw: undefined })),
    { type: 'JobLeased', draw: undefined, free: 3 },
    { type: 'JobLeased', draw: undefined },
    { type: 'JobLeased', draw: undefined },
    { type: 'JobRetryScheduled', draw: 0.5, ended: 'retry' },
    { type: 'JobRetryScheduled', draw: undefined, ended: 'retry', retryAfterMs: 250 },
    { type: 'JobCompleted', draw: undefined },
  ]);
});

t.test('without inputs, as in version 1, a decision that needs one is unrecorded; others are made', async (t) => {
  const [core, came] = [newCore(), [] as string[]];
  retried().commits.forEach((bytes, nth) => {
    const commit = decodeCommit(bytes);
    for (const event of commit.events) event.input = null;
    decideCommitAgain(core.state, commit, nth + 1, ({ recorded, again }) => {
      came.push(`${recorded.event.type} ${again.kind === 'unrecorded' ? again.missing : again.kind}`);
    });
  });
  t.strictSame(came, [
    'WorkerRegistered decided', 'JobSubmitted decided', 'JobSubmitted decided', 'JobSubmitted decided',
    'JobLeased decided', 'JobLeased decided', 'JobLeased decided', 'JobRetryScheduled how the attempt ended',
    'JobRetryScheduled how the attempt ended', 'JobCompleted decided',
  ]);
});

t.test('a retry whose number is lost is unrecorded, and one with another number comes to another time', async (t) => {
  const again = (draw: number | undefined): string[] => {
    const { state } = newCore();
    const came: string[] = [];
    retried().commits.forEach((bytes, nth) => {
      const commit = decodeCommit(bytes);
      for (const { input } of commit.events) if (input && typeof input.draw === 'number') input.draw = draw ?? null;
      decideCommitAgain(state, commit, nth + 1, ({ recorded: { event }, again }) => {
        if (event.type !== 'JobRetryScheduled') return;
        if (again.kind === 'decided') came.push(dueOf(again.event) === dueOf(event) ? 'equal' : 'another');
        else came.push(again.kind === 'unrecorded' ? again.missing : again.why);
      });
    });
    return came;
  };
  t.strictSame(again(undefined), ['the number drawn', 'equal']);
  t.strictSame(again(0.9), ['another', 'equal']);
  t.strictSame(again(0.5), ['equal', 'equal']);
});

const dueOf = ({ body }: ActorEvent): number => (body as JobBodies['JobRetryScheduled']).dueMs;
