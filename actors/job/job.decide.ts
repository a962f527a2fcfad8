/**
 * Decides events, or a rejection. Pure: the time, the ids and the drawn numbers are inputs.
 * The outcome is recorded, so folding needs none of the rules below (docs/architecture.md, invariants).
 */
import type { Session, WorkerId } from '../../protocols/ids.js';
import { reject, type Rejection } from '../../protocols/errors.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';
import { backoffMs } from './backoff.js';
import { attemptsOf, isLive, uncounted, type Failure, type Job } from './job.js';
import type { JobBodies, JobEvent } from './job.events.js';
import { retriedBody, type NewPayload } from './job.retry.js';
import { submittedBody, type SubmitJob } from './job.submit.js';

export type { SubmitJob } from './job.submit.js';

interface RetryOutcome {
  readonly kind: 'retry';
  readonly failure: Failure;
  readonly afterMs: number | undefined;
  /** What else waits as long: a name of slowed.ts. */
  readonly slows?: string | undefined;
}

export type Outcome =
  | { readonly kind: 'ok'; readonly result: Uint8Array; readonly contentType: string }
  | RetryOutcome
  | { readonly kind: 'fail'; readonly failure: Failure }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'returned' };

/** An event that ends an attempt. */
type AttemptEnd = Extract<JobEvent, {
  type: 'JobCompleted' | 'JobRetryScheduled' | 'JobFailed' | 'JobCancelled' | 'JobReturned';
}>;

const GIVEN_UP: Failure = { code: 'CANCELLED', message: 'the worker gave the attempt up' };
const STOPPED: Failure = {
  code: 'WORKER_STOPPED', message: `handed back for more than ${LIMITS.returns} times: workers stopped before it ended`,
};

export interface Chance {
  readonly nowMs: number;
  /** From [0, 1). */
  readonly draw: number;
}

/** Notes whether the number drawn was used: only then is it recorded. */
export class Drawn implements Chance {
  used: number | undefined;

  constructor(
    readonly nowMs: number,
    private readonly drawn: number,
  ) {}

  get draw(): number {
    this.used = this.drawn;
    return this.drawn;
  }
}

export function decideSubmit(command: SubmitJob, fingerprint: Uint8Array | undefined, nowMs: number): JobEvent[] {
  const totalDueMs = command.totalMs === 0 ? 0 : nowMs + command.totalMs;
  const delayed = decideDelay(command, nowMs);
  const startDueMs = command.startMs === 0 ? 0 : (delayed?.body.dueMs ?? nowMs) + command.startMs;
  const body = submittedBody(command, fingerprint, { totalDueMs, startDueMs });
  const submitted: JobEvent = { type: 'JobSubmitted', body };
  return delayed ? [submitted, delayed] : [submitted];
}

export function decideDelay(
  { delayMs, runAtMs }: Pick<SubmitJob, 'delayMs' | 'runAtMs'>, nowMs: number,
): Extract<JobEvent, { type: 'JobDelayed' }> | undefined {
  const dueMs = runAtMs > 0 ? runAtMs : nowMs + delayMs;
  return dueMs > nowMs ? { type: 'JobDelayed', body: { status: 'scheduled', dueMs } } : undefined;
}

export interface LeaseTo {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly pullSeq: number;
  /** The number of the capabilities that the job was compared with. */
  readonly capabilities: number;
}

/** What a lease uses of rates and shares. */
export type Admission = Pick<JobBodies['JobLeased'], 'buckets' | 'share'>;

export const FREELY: Admission = { buckets: [], share: undefined };

export function decideLease(
  job: Readonly<Job>, to: LeaseTo, nowMs: number, admission: Admission = FREELY,
): JobEvent {
  const attemptDueMs = job.policy.attemptMs === 0 ? 0 : nowMs + job.policy.attemptMs;
  return {
    type: 'JobLeased',
    body: { status: 'running', attempt: job.attempt + 1, lease: job.lease + 1, ...to, attemptDueMs, ...admission },
  };
}

/** `repeated`: the report that ended this attempt, sent again. It gets the same reply and changes nothing. */
export function decideReport(
  job: Readonly<Job> | undefined, attempt: number, lease: number, outcome: Outcome, chance: Chance,
): JobEvent | Rejection | 'repeated' {
  if (job === undefined || job.attempt !== attempt || job.lease !== lease) {
    return reject('STALE_ATTEMPT', job ? `the job is at attempt ${job.attempt}` : 'no such job is running');
  }
  const event = endAttempt(job, outcome, chance);
  if (job.status === 'running') return event;
  if (job.reported && hasLedTo(job, event)) return 'repeated';
  const how = job.reported ? ' by another report' : '';
  return reject('STALE_ATTEMPT', `the attempt was ended${how}; the job is ${job.status}`);
}

function endAttempt(job: Readonly<Job>, outcome: Outcome, chance: Chance): AttemptEnd {
  switch (outcome.kind) {
    case 'ok': {
      const { attempt, lease } = job;
      const { result, contentType } = outcome;
      return { type: 'JobCompleted', body: { status: 'completed', attempt, lease, result, contentType } };
    }
    case 'retry':
      return slowing(attemptFailed(job, outcome.failure, outcome.afterMs, true, chance), outcome);
    case 'fail':
      return job.cancelling ? cancelled(job, true) : failed(job, outcome.failure, true);
    case 'cancelled':
      return job.cancelling ? cancelled(job, true) : attemptFailed(job, GIVEN_UP, 0, true, chance);
    case 'returned':
      return handedBack(job, chance);
    default:
      return outcome satisfies never;
  }
}

function slowing(event: Exclude<AttemptEnd, { type: 'JobCompleted' }>, { slows }: RetryOutcome): AttemptEnd {
  if (slows === undefined || event.type !== 'JobRetryScheduled') return event;
  const { body } = event;
  return { ...event, body: { ...body, slowed: { scope: slows, untilMs: body.dueMs } } };
}

/** The worker stops, which says nothing about the job. A worker that only ever hands back must not go on for ever. */
function handedBack(job: Readonly<Job>, chance: Chance): AttemptEnd {
  if (job.cancelling) return cancelled(job, true);
  const { attempt, lease, returns = 0 } = job;
  if (returns >= LIMITS.returns) return attemptFailed(job, STOPPED, undefined, true, chance);
  return { type: 'JobReturned', body: { status: 'ready', attempt, lease, returns: returns + 1 } };
}

/**
 * Whether the job is in the state that this event leads to. The state does not record which outcome ended an attempt. A
 * report that leads to the same status and failure is the one that ended it, or is equivalent.
 */
function hasLedTo(job: Readonly<Job>, { type, body }: AttemptEnd): boolean {
  if (type === 'JobCompleted') return job.status === 'completed';
  if (type === 'JobReturned') return job.status === 'ready';
  // A job that waits for its next attempt becomes ready without another report.
  const status = body.status === 'retrying' && job.status === 'ready' ? 'ready' : body.status;
  const { code, message } = body.failure;
  return status === job.status && code === job.failure?.code && message === job.failure.message;
}

export function decideCancel(job: Readonly<Job>, reason: string): JobEvent | Rejection | 'repeated' {
  if (job.status === 'cancelled' || (job.status === 'running' && job.cancelling)) return 'repeated';
  if (job.endedMs > 0) return reject('ALREADY_ENDED', `the job is ${job.status}`);
  if (job.status === 'running') return { type: 'JobCancelRequested', body: { status: 'running', reason } };
  const body = { status: 'cancelled', attempt: job.attempt, failure: cancelFailure(reason), reported: false } as const;
  return { type: 'JobCancelled', body };
}

/** The job is ready again, with its place and history. */
export function decideRetry(
  job: Readonly<Job>, { payload, fingerprint }: Retrying, nowMs: number,
): Extract<JobEvent, { type: 'JobRetried' }> | Rejection {
  if (job.status === 'completed' || job.status === 'discarded') {
    return reject('ALREADY_ENDED', `the job is ${job.status}`);
  }
  if (job.endedMs === 0) return reject('NOT_ENDED', `the job is ${job.status}`);
  return { type: 'JobRetried', body: retriedBody(job, payload, fingerprint, nowMs) };
}

export interface Retrying {
  /** undefined: the one that it has. */
  readonly payload: NewPayload | undefined;
  readonly fingerprint: Uint8Array | undefined;
}

/** It keeps its place: the order is by priority, then by place. */
export function decideReprioritize(job: Readonly<Job>, priority: number): JobEvent | Rejection | 'repeated' {
  const { status } = job;
  if (!isLive(status)) return reject('ALREADY_ENDED', `the job is ${status}`);
  return job.priority === priority ? 'repeated' : { type: 'JobReprioritized', body: { status, priority } };
}

export function decideDiscard(job: Readonly<Job>, reason: string): JobEvent | Rejection | 'repeated' {
  if (job.status === 'discarded') return 'repeated';
  if (job.status !== 'failed') {
    return job.endedMs > 0 ? reject('ALREADY_ENDED', `the job is ${job.status}`)
      : reject('NOT_ENDED', `the job is ${job.status}; cancel it instead`);
  }
  const failure = { code: job.failure?.code ?? '', message: reason || 'discarded' };
  return { type: 'JobDiscarded', body: { status: 'discarded', attempt: job.attempt, failure } };
}

/**
 * The worker was silent for longer than the lease. Lost leases are counted apart from attempts, so that a job whose
 * workers are stopped loses none, and one that kills its workers ends.
 */
export function decideReclaim(job: Readonly<Job>, chance: Chance): JobEvent {
  const { attempt, lease, policy: { heartbeatMs, maxCrashes, nonRetryable } } = job;
  const silence = `worker ${job.workerId} was silent for more than ${heartbeatMs} ms`;
  const failure: Failure = { code: 'LEASE_EXPIRED', message: silence };
  if (maxCrashes === undefined) return reclaimAsAttempt(job, failure, chance);
  if (job.cancelling) return cancelled(job, false);
  const crashes = (job.crashes ?? 0) + 1;
  if (nonRetryable.includes(failure.code)) return failed(job, failure, false, crashes);
  if (crashes < maxCrashes) {
    return { type: 'JobReclaimed', body: { status: 'ready', attempt, lease, failure, crashes } };
  }
  const message = `${crashes === 1 ? 'its lease was' : `${crashes} of its leases were`} lost; ${silence}`;
  return failed(job, { code: 'CRASH_LOOP', message }, false, crashes);
}

/** The rule of before 0.4.0, for jobs that were submitted under it: a lost lease counts as an attempt. */
function reclaimAsAttempt(job: Readonly<Job>, failure: Failure, chance: Chance): JobEvent {
  const event = attemptFailed(job, failure, 0, false, chance);
  if (event.type !== 'JobRetryScheduled') return event;
  const { attempt, lease } = job;
  return { type: 'JobReclaimed', body: { status: 'ready', attempt, lease, failure, crashes: 0 } };
}

/** The event that the job's timer makes now; undefined if nothing is due. */
export function decideDue(job: Readonly<Job>, chance: Chance): JobEvent | undefined {
  const { nowMs } = chance;
  if (job.endedMs > 0) return undefined;
  if (job.totalDueMs > 0 && job.totalDueMs <= nowMs) {
    const message = `not ended ${nowMs - job.submittedMs} ms after it was submitted`;
    const failure: Failure = { code: 'TOTAL_TIMED_OUT', message };
    return { type: 'JobExpired', body: { status: 'expired', attempt: job.attempt, failure } };
  }
  if (job.startDueMs !== undefined && job.startDueMs <= nowMs) {
    const message = `not started ${nowMs - job.submittedMs} ms after it was submitted`;
    const failure: Failure = { code: 'START_TIMED_OUT', message };
    return { type: 'JobExpired', body: { status: 'expired', attempt: job.attempt, failure } };
  }
  if (job.status === 'running' && job.attemptDueMs > 0 && job.attemptDueMs <= nowMs) {
    const message = `attempt ${job.attempt} took more than ${job.policy.attemptMs} ms`;
    const failure: Failure = { code: 'ATTEMPT_TIMED_OUT', message };
    return attemptFailed(job, failure, undefined, false, chance);
  }
  if ((job.status === 'scheduled' || job.status === 'retrying') && job.dueMs <= nowMs) {
    return { type: 'JobBecameReady', body: { status: 'ready' } };
  }
  return undefined;
}

function attemptFailed(
  job: Readonly<Job>, failure: Failure, afterMs: number | undefined, reported: boolean, chance: Chance,
): Exclude<AttemptEnd, { type: 'JobCompleted' | 'JobReturned' }> {
  const { attempt, lease, policy } = job;
  if (job.cancelling) return cancelled(job, reported);
  const isLast = attempt >= attemptsOf(job) || policy.nonRetryable.includes(failure.code);
  if (isLast) return failed(job, failure, reported);
  const dueMs = chance.nowMs + (afterMs ?? backoffMs(policy, attempt - uncounted(job), chance.draw));
  return { type: 'JobRetryScheduled', body: { status: 'retrying', attempt, lease, failure, dueMs, reported } };
}

/** @param reason what no registered worker has */
export const decideUnworkable = ({ attempt }: Readonly<Job>, reason: string): JobEvent => ({
  type: 'JobUnworkable', body: { status: 'unworkable', attempt, failure: { code: 'UNWORKABLE', message: reason } },
});

/** A job whose history is broken was taken back to be ended. */
export const decideGiveUp = (job: Readonly<Job>, reason: string): JobEvent =>
  failed(job, { code: 'BROKEN_HISTORY', message: reason }, false);

const failed = (
  { attempt, lease }: Readonly<Job>, failure: Failure, reported: boolean, crashes = 0,
): Extract<JobEvent, { type: 'JobFailed' }> =>
  ({
    type: 'JobFailed',
    body: { status: 'failed', attempt, lease, failure, reported, crashes, kept: DEFAULTS.failedKept },
  });

const cancelled = (job: Readonly<Job>, reported: boolean): Extract<JobEvent, { type: 'JobCancelled' }> => ({
  type: 'JobCancelled',
  body: { status: 'cancelled', attempt: job.attempt, failure: cancelFailure(job.cancelReason?.text ?? ''), reported },
});

const cancelFailure = (reason: string): Failure => ({ code: 'CANCELLED', message: reason || 'cancelled' });
