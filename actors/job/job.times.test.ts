import t from 'tap';
import fc from 'fast-check';
import { LIMITS } from '../../protocols/limits.js';
import { backoffMs } from './backoff.js';
import { applyJob } from './job.apply.js';
import { decideCancel, decideDue, decideLease, decideReclaim } from './job.decide.js';
import type { JobEvent } from './job.events.js';
import { attemptsOf, type Job } from './job.js';
import { ID, POLICY, NOW, TO, at, given, submitted, running, RETRY, report, typeOf } from '../../tests/given-job.js';

t.test('the time to the first start', (t) => {
  const job = given(...submitted({ startMs: 100 }));
  t.equal(typeOf(decideDue(job, { nowMs: NOW + 99, draw: 0 })), undefined);
  const expired = decideDue(job, { nowMs: NOW + 100, draw: 0 });
  t.match(expired, { type: 'JobExpired', body: { failure: { code: 'START_TIMED_OUT' } } });
  const delayed = given(...submitted({ startMs: 100, delayMs: 1_000 }));
  t.equal(delayed.startDueMs, NOW + 1_100, 'it begins when the delay is over');
  t.equal(typeOf(decideDue(delayed, { nowMs: NOW + 1_099, draw: 0 })), 'JobBecameReady');
  const started = running(1, { startMs: 100 });
  t.equal(typeOf(decideDue(started, { nowMs: NOW + 100, draw: 0 })), undefined, 'once it has started it does not count');
  applyJob(started, decideReclaim(started, { nowMs: NOW, draw: 0 }), ID, at());
  t.equal(typeOf(decideDue(started, { nowMs: NOW + 100, draw: 0 })), undefined, 'nor between attempts');
  t.end();
});

t.test('lost leases count apart from attempts', (t) => {
  const chance = { nowMs: NOW, draw: 0.5 };
  const lost = (job: Job): JobEvent => decideReclaim(job, chance);
  const last = running(3);
  t.match(lost(last), { type: 'JobReclaimed', body: { attempt: 3, crashes: 1 } }, 'the last attempt is not used up');
  applyJob(last, lost(last), ID, at());
  applyJob(last, decideLease(last, TO, NOW), ID, at());
  t.match(last, { attempt: 4, lease: 4, crashes: 1 }, 'the next lease has a new number');
  t.equal(attemptsOf(last), 4, 'and is the last one');
  t.match(report(last, RETRY), { type: 'JobFailed', body: { failure: { code: 'PERFORMER_ERROR' }, crashes: 0 } });
  const crash = lost(last);
  t.match(crash, { type: 'JobFailed', body: { failure: { code: 'CRASH_LOOP' }, crashes: 2, reported: false } });
  t.match(applyJob(structuredClone(last), crash, ID, at()), { status: 'failed', crashes: 2 });

  const early = running();
  applyJob(early, lost(early), ID, at());
  applyJob(early, decideLease(early, TO, NOW), ID, at());
  const retry = report(early, RETRY);
  t.match(retry, { type: 'JobRetryScheduled', body: { attempt: 2, dueMs: NOW + 1_000 } }, 'nor for the backoff');
  const strict = running(1, { policy: { ...POLICY, nonRetryable: ['LEASE_EXPIRED'] } });
  t.match(lost(strict), { type: 'JobFailed', body: { failure: { code: 'LEASE_EXPIRED' }, crashes: 1 } });
  const cancelling = applyJob(running(), decideCancel(running(), '') as JobEvent, ID, at());
  t.equal(typeOf(lost(cancelling)), 'JobCancelled');
  t.end();
});

t.test('a job of before 0.4.0: a lost lease counts as an attempt', (t) => {
  const policy = { ...POLICY, maxCrashes: undefined };
  const lost = (job: Job): JobEvent => decideReclaim(job, { nowMs: NOW, draw: 0.5 });
  t.match(lost(running(1, { policy })), { type: 'JobReclaimed', body: { crashes: 0 } });
  const reclaimed = running(1, { policy });
  t.equal(applyJob(reclaimed, lost(reclaimed), ID, at()).crashes, undefined);
  t.match(lost(running(3, { policy })), { type: 'JobFailed', body: { failure: { code: 'LEASE_EXPIRED' }, crashes: 0 } });
  t.end();
});

t.test('backoff: initial × factor^(attempt−1), at most max, ± jitter', (t) => {
  t.same([1, 2, 3, 10].map((attempt) => backoffMs(POLICY, attempt, 0.5)), [1_000, 2_000, 4_000, 60_000]);
  const list = { ...POLICY, backoffListMs: [5, 700, 30] };
  t.same([1, 2, 3, 4, 1_000].map((attempt) => backoffMs(list, attempt, 0.5)), [5, 700, 30, 30, 30], 'the last repeats');
  const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), draws, (attempt, draw) => {
      const wait = backoffMs({ ...POLICY, backoffJitter: 0.1 }, attempt, draw);
      return wait >= 900 && wait <= 66_000;
    }),
  );
  t.end();
});

t.test('what a stopping worker hands back counts as no attempt, and does not go on for ever', (t) => {
  const last = running(3);
  const event = report(last, { kind: 'returned' }) as JobEvent;
  t.match(event, { type: 'JobReturned', body: { attempt: 3, returns: 1 } }, 'the last attempt is not used up');
  const again = applyJob(structuredClone(last), event, ID, at());
  t.match(again, { status: 'ready', returns: 1, crashes: undefined });
  t.equal(attemptsOf(again), attemptsOf(last) + 1);
  t.equal(report(again, { kind: 'returned' }), 'repeated');
  const often = Object.assign(running(3), { returns: LIMITS.returns });
  const stopped = { type: 'JobRetryScheduled', body: { failure: { code: 'WORKER_STOPPED' } } };
  t.match(report(often, { kind: 'returned' }), stopped);
  t.end();
});
