import t from 'tap';
import fc from 'fast-check';
import { transition } from 'xstate';
import { applyJob } from './job.apply.js';
import { jobChart, jobMachine } from './job.chart.js';
import {
  decideCancel, decideDiscard, decideDue, decideLease, decideReclaim, decideReport, decideReprioritize, decideRetry,
  decideUnworkable, type Outcome,
} from './job.decide.js';
import { decodeEvent } from '../kind.js';
import { JOB_EVENTS, type JobEvent } from './job.events.js';
import { ID, NOW, TO, at, given, submitted, running, OK, RETRY, report, typeOf } from '../../tests/given-job.js';
import { LIVE_STATUSES, FINAL_STATUSES, type Job } from './job.js';

t.test('submit', (t) => {
  t.same(submitted().map(typeOf), ['JobSubmitted'], 'given nothing, when submitted, then it is ready');
  const delayed = submitted({ delayMs: 500 });
  t.same(delayed.map(typeOf), ['JobSubmitted', 'JobDelayed'], 'with a delay, then it is scheduled as well');
  t.equal(given(...delayed).dueMs, NOW + 500);
  const passed = submitted({ runAtMs: NOW - 1 });
  t.same(passed.map(typeOf), ['JobSubmitted'], 'with a time that has passed, then it is ready at once');
  t.end();
});

t.test('reports', (t) => {
  const table: [string, Job, Outcome, string][] = [
    ['ok', running(), OK, 'JobCompleted'],
    ['retry with attempts left', running(), RETRY, 'JobRetryScheduled'],
    ['retry on the last attempt', running(3), RETRY, 'JobFailed'],
    ['retry with a non-retryable code', running(), { ...RETRY, failure: { code: 'BAD_INPUT', message: '' } }, 'JobFailed'],
    ['fail', running(), { kind: 'fail', failure: { code: 'PERFORMER_FAILED', message: 'never' } }, 'JobFailed'],
    ['cancelled without a request', running(), { kind: 'cancelled' }, 'JobRetryScheduled'],
  ];
  for (const [name, job, outcome, then] of table) {
    t.equal(typeOf(report(job, outcome)), then, `given a running job, when ${name}, then ${then}`);
  }
  const cancelling = applyJob(running(), decideCancel(running(), 'enough') as JobEvent, ID, at());
  t.equal(typeOf(report(cancelling, { kind: 'cancelled' })), 'JobCancelled');
  const failed = report(cancelling, RETRY);
  t.equal(typeOf(failed), 'JobCancelled', 'a failure of a job that is being cancelled is no reason to go on');
  t.equal(typeOf(report(cancelling, OK)), 'JobCompleted', 'the log decides: done is done');
  t.end();
});

t.test('tokens', (t) => {
  const job = running(2);
  t.equal(typeOf(report(job, OK, 1, 1)), 'STALE_ATTEMPT', 'an older attempt changes nothing');
  applyJob(job, report(job, OK) as JobEvent, ID, at());
  t.equal(report(job, OK), 'repeated', 'the report that ended the attempt, sent again, gets the same answer');
  for (const [first, second] of [[RETRY, OK], [OK, RETRY], [{ kind: 'cancelled' }, RETRY]] as const) {
    const ended = running();
    applyJob(ended, report(ended, first) as JobEvent, ID, at());
    const late = report(ended, second);
    t.equal(typeOf(late), 'STALE_ATTEMPT', `after ${first.kind}, ${second.kind} with the same token is too late`);
  }
  const reclaimed = running();
  applyJob(reclaimed, decideReclaim(reclaimed, { nowMs: NOW, draw: 0 }), ID, at());
  t.equal(typeOf(report(reclaimed, OK, 1, 1)), 'STALE_ATTEMPT', 'a worker that was given up is too late');
  t.equal(typeOf(decideReport(undefined, 1, 1, OK, { nowMs: NOW, draw: 0 })), 'STALE_ATTEMPT');
  t.end();
});

t.test('property: a report is taken for a repetition only if it says what ended the attempt', (t) => {
  const failures = ['PERFORMER_ERROR', 'BAD_INPUT', 'CANCELLED'].map((code) => ({ code, message: `${code}!` }));
  const outcomes = fc.oneof(
    fc.constant(OK), fc.constant<Outcome>({ kind: 'cancelled' }),
    fc.constantFrom(...failures).map((failure): Outcome => ({ kind: 'fail', failure })),
    fc.record({
      kind: fc.constant('retry' as const), failure: fc.constantFrom(...failures),
      afterMs: fc.constantFrom(undefined, 0, 10),
    }),
  );
  const after = (job: Job, outcome: Outcome): Job => applyJob(job, report(job, outcome) as JobEvent, ID, at());
  const start = (attempt: number, cancelling: boolean): Job => {
    const job = running(attempt);
    return cancelling ? applyJob(job, decideCancel(job, 'enough') as JobEvent, ID, at()) : job;
  };
  const said = ({ status, failure, result, endedMs }: Job): string =>
    JSON.stringify({ status, failure, result, endedMs });
  const answers = new Set<string | undefined>();
  const [attempts, either] = [fc.integer({ min: 1, max: 3 }), fc.boolean()];
  fc.assert(
    fc.property(outcomes, outcomes, attempts, either, either, (first, second, attempt, cancelling, waited) => {
      const job = after(start(attempt, cancelling), first);
      const same = said(job) === said(after(start(attempt, cancelling), second));
      if (waited && job.status === 'retrying') {
        applyJob(job, { type: 'JobBecameReady', body: { status: 'ready' } }, ID, at());
      }
      const before = JSON.stringify(job);
      const answer = typeOf(report(job, second));
      answers.add(answer);
      const expected = same ? 'repeated' : 'STALE_ATTEMPT';
      return answer === expected && report(job, first) === 'repeated' && JSON.stringify(job) === before;
    }),
    { numRuns: 2_000 },
  );
  t.same([...answers].sort(), ['STALE_ATTEMPT', 'repeated'], 'both happen');
  t.end();
});

t.test('time', (t) => {
  const early = decideDue(given(...submitted({ delayMs: 10 })), { nowMs: NOW + 9, draw: 0 });
  t.equal(typeOf(early), undefined, 'not before its time');
  t.equal(typeOf(decideDue(given(...submitted({ delayMs: 10 })), { nowMs: NOW + 10, draw: 0 })), 'JobBecameReady');
  const slow = decideDue(running(), { nowMs: NOW + 5_000, draw: 0 });
  t.equal(typeOf(slow), 'JobRetryScheduled', 'an attempt that takes too long is tried again');
  t.equal(typeOf(decideDue(running(3), { nowMs: NOW + 5_000, draw: 0 })), 'JobFailed');
  t.equal(typeOf(decideDue(given(...submitted({ totalMs: 100 })), { nowMs: NOW + 100, draw: 0 })), 'JobExpired');
  const silent = decideReclaim(running(), { nowMs: NOW, draw: 0 });
  t.equal(typeOf(silent), 'JobReclaimed', 'a silent worker loses the job at once');
  t.end();
});

t.test('cancel', (t) => {
  t.equal(typeOf(decideCancel(given(...submitted()), '')), 'JobCancelled');
  t.equal(typeOf(decideCancel(running(), '')), 'JobCancelRequested');
  const done = running();
  applyJob(done, report(done, OK) as JobEvent, ID, at());
  t.equal(typeOf(decideCancel(done, '')), 'ALREADY_ENDED');
  const cancelled = given(...submitted(), decideCancel(given(...submitted()), '') as JobEvent);
  t.equal(decideCancel(cancelled, ''), 'repeated');
  t.end();
});

t.test('retry and discard', (t) => {
  const none = { payload: undefined, fingerprint: undefined };
  const failed = applyJob(running(3, { totalMs: 500 }), report(running(3), RETRY) as JobEvent, ID, at());
  const later = NOW + 9_000;
  const retried = decideRetry(failed, none, later) as JobEvent;
  t.match(retried, { type: 'JobRetried', body: { generation: 1, attempt: 3, totalDueMs: later + 500, place: 0 } });
  const ready = applyJob(structuredClone(failed), retried, ID, at(later));
  t.match(ready, { status: 'ready', endedMs: 0, dueMs: 0, attempt: 3, retried: { generation: 1, attempts: 3 } });
  t.same({ ...applyJob(undefined, retried, ID, at(later)), failure: failed.failure }, {
    ...ready, workerId: '', session: '', pullSeq: 0,
  }, 'one that has left is made as the one that is there is changed');
  const leased = applyJob(ready, decideLease(ready, TO, later), ID, at(later));
  t.match(leased, { attempt: 4, lease: 4 }, 'attempts count on');
  const again = report(leased, RETRY);
  t.match(again, { type: 'JobRetryScheduled', body: { dueMs: NOW + 1_000 } }, 'with all of its attempts and backoffs');
  const edited = decideRetry(failed, { payload: { bytes: Buffer.from('7'), contentType: 'a/b' }, fingerprint: undefined }, NOW);
  t.match(edited, { body: { payload: Buffer.from('7'), contentType: 'a/b', stored: null } });
  const done = applyJob(running(), report(running(), OK) as JobEvent, ID, at());
  t.equal(typeOf(decideRetry(done, none, NOW)), 'ALREADY_ENDED');
  t.equal(typeOf(decideRetry(running(), none, NOW)), 'NOT_ENDED');
  const discarded = applyJob(structuredClone(failed), decideDiscard(failed, 'enough') as JobEvent, ID, at());
  t.match(discarded, { status: 'discarded', failure: { code: 'PERFORMER_ERROR', message: 'enough' } });
  t.equal(decideDiscard(discarded, ''), 'repeated');
  t.equal(typeOf(decideRetry(discarded, none, NOW)), 'ALREADY_ENDED');
  t.equal(typeOf(decideDiscard(done, '')), 'ALREADY_ENDED');
  t.equal(typeOf(decideDiscard(running(), '')), 'NOT_ENDED');
  t.equal(decideReprioritize(running(), 0), 'repeated');
  t.equal(typeOf(decideReprioritize(done, 3)), 'ALREADY_ENDED');
  t.end();
});

t.test('the Map and the machine agree on every status and event, and some decision takes every arrow', (t) => {
  const taken = new Set<string>();
  for (const [job, event] of decisions()) {
    const from = job?.status ?? 'absent';
    taken.add(`${from} ${event.type}`);
    const value = jobMachine.resolveState({ value: from, context: { job } });
    const [next] = transition(jobMachine, value, { ...event, id: ID, at: at() } as never);
    t.equal(next.value, event.body.status, `${from} --${event.type}→ ${event.body.status}`);
    const applied = applyJob(job && structuredClone(job), event, ID, at());
    t.same(next.context.job, applied, 'the chart calls the same apply');
  }
  const statuses = ['absent', ...LIVE_STATUSES, ...FINAL_STATUSES];
  t.same([...statuses].sort(), Object.keys(jobMachine.states).sort(), 'the statuses are those of the chart');
  t.same(statuses.filter((status) => jobChart.isFinal(status)), FINAL_STATUSES, 'and so are the final ones');
  for (const from of statuses) {
    for (const type of Object.keys(JOB_EVENTS)) {
      const can = jobMachine.states[from as 'ready']!.transitions.has(type as never);
      t.equal(jobChart.next(from, type) !== undefined, can, `${from} ${can ? 'takes' : 'does not take'} ${type}`);
    }
  }
  const missed = jobChart.arrows.map((arrow) => `${arrow.from} ${arrow.event}`).filter((arrow) => !taken.has(arrow));
  t.same(missed, [], 'no arrow that nothing takes');
  t.end();
});

t.test('every event survives its message', (t) => {
  for (const [, event] of decisions()) {
    const body = JOB_EVENTS[event.type].message.encode(event.body).finish();
    const again: JobEvent = decodeEvent<JobEvent>(JOB_EVENTS, { type: event.type, version: 1, body }, 'here');
    const job = event.type === 'JobSubmitted' ? undefined : running();
    const applied = applyJob(job && structuredClone(job), again, ID, at());
    t.same(JSON.parse(JSON.stringify(applied)), JSON.parse(JSON.stringify(applyJob(job, event, ID, at()))), event.type);
  }
  t.end();
});

/** A decision for every arrow of the chart, made by the rules themselves. */
function decisions(): [Job | undefined, JobEvent][] {
  const chance = { nowMs: NOW + 10_000_000, draw: 0.5 };
  const pairs: [Job | undefined, JobEvent][] = [[undefined, submitted()[0]!]];
  const ready = () => given(...submitted({ totalMs: 1 }));
  const scheduled = () => given(...submitted({ delayMs: 5, totalMs: 20_000_000 }));
  const retrying = (totalMs: number) => {
    const job = running(1, { totalMs });
    return applyJob(job, report(job, RETRY) as JobEvent, ID, at());
  };
  pairs.push([given(submitted()[0]!), submitted({ delayMs: 5 })[1]!], [ready(), decideLease(ready(), TO, NOW)]);
  for (const job of [ready(), scheduled(), retrying(0), running()]) {
    pairs.push([job, decideCancel(job, '') as JobEvent]);
  }
  const unworkable = decideUnworkable(ready(), 'models');
  const never = applyJob(ready(), unworkable, ID, at());
  const none = { payload: undefined, fingerprint: undefined };
  pairs.push([ready(), unworkable], [never, decideRetry(never, none, NOW) as JobEvent]);
  const due = given(...submitted({ delayMs: 5, totalMs: 1 }));
  for (const job of [ready(), due, retrying(1), running(1, { totalMs: 1 })]) pairs.push([job, decideDue(job, chance)!]);
  for (const job of [scheduled(), retrying(0)]) {
    pairs.push([job, decideDue(job, { ...chance, nowMs: NOW + 1_000_000 })!]);
  }
  for (const outcome of [OK, RETRY]) pairs.push([running(), report(running(), outcome) as JobEvent]);
  pairs.push([running(3), report(running(3), RETRY) as JobEvent], [running(), decideReclaim(running(), chance)]);
  pairs.push([running(), report(running(), { kind: 'returned' }) as JobEvent]);
  const cancelling = () => applyJob(running(), decideCancel(running(), '') as JobEvent, ID, at());
  pairs.push([cancelling(), report(cancelling(), { kind: 'cancelled' }) as JobEvent]);
  const failed = () => applyJob(running(3), report(running(3), RETRY) as JobEvent, ID, at());
  const cancelled = () => given(...submitted(), decideCancel(given(...submitted()), '') as JobEvent);
  const expired = () => given(...submitted({ totalMs: 1 }), decideDue(ready(), chance)!);
  const retry = (job: Job) => decideRetry(job, { payload: undefined, fingerprint: undefined }, NOW) as JobEvent;
  for (const job of [failed(), cancelled(), expired()]) pairs.push([job, retry(job)]);
  for (const job of [ready(), scheduled(), retrying(0), running()]) {
    pairs.push([job, decideReprioritize(job, 7) as JobEvent]);
  }
  pairs.push([undefined, retry(failed())], [failed(), decideDiscard(failed(), 'enough') as JobEvent]);
  return pairs;
}

