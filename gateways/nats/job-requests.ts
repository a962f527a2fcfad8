/** Requests about jobs, decoded from either form, held to the limits, with every default filled in. */
import type { SubmitJob } from '../../actors/job/job.decide.js';
import type { Policy } from '../../actors/job/job.js';
import type { Target } from '../../actors/inputs.js';
import type { Rejection } from '../../protocols/errors.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';
import type { job } from '../../protocols/messages.js';
import { atMost, Invalid, jobIdOf, jobType, labels, payload, queueName, text, validated, whole, within } from '../../protocols/bounds.js';

export interface SubmitRequest {
  readonly jobs: readonly (SubmitJob | Rejection)[];
  /** undefined: do not wait. */
  readonly waitMs: number | undefined;
}

export function submitRequest(message: job.SubmitJobs): SubmitRequest {
  if (message.jobs.length === 0) throw new Invalid('INVALID_ARGUMENT', 'jobs must not be empty');
  atMost('jobs', message.jobs, LIMITS.submitJobs);
  const jobs = message.jobs.map((each) => validated(() => submitJob(each as job.SubmitJob)));
  const givenMs = waitMs(message.waitMs);
  return { jobs, waitMs: message.wait ? givenMs : undefined };
}

export const waitMs = (given: number): number => (given === 0 ? DEFAULTS.waitMs : whole('waitMs', given, 1, LIMITS.waitMs));

const DEFAULT_POLICY: Policy = {
  maxAttempts: DEFAULTS.maxAttempts, backoffInitialMs: DEFAULTS.backoff.initialMs, backoffFactor: DEFAULTS.backoff.factor,
  backoffMaxMs: DEFAULTS.backoff.maxMs, backoffJitter: DEFAULTS.backoff.jitter, nonRetryable: [], attemptMs: DEFAULTS.attemptMs,
  heartbeatMs: DEFAULTS.heartbeatMs,
};

function submitJob(each: job.SubmitJob): SubmitJob {
  if (each.delayMs > 0 && each.runAtMs > 0) throw new Invalid('INVALID_ARGUMENT', 'delayMs and runAt exclude each other');
  if (Object.keys(each.require).length > 0) throw new Invalid('UNSUPPORTED', 'require is reserved: requirements do not exist yet');
  return {
    type: jobType(each.type),
    queue: each.queue === '' ? DEFAULTS.queue : queueName(each.queue),
    payload: payload('payload', each.payload),
    contentType: contentType(each.contentType),
    priority: whole('priority', each.priority, -LIMITS.priority, LIMITS.priority),
    key: text('key', each.key, LIMITS.keyBytes),
    commandId: text('commandId', each.commandId, LIMITS.commandIdBytes),
    delayMs: whole('delayMs', each.delayMs, 0, LIMITS.delayMs),
    runAtMs: whole('runAt', each.runAtMs, 0, Date.now() + LIMITS.delayMs),
    policy: each.retry || each.timeouts ? policy(each.retry ?? {}, each.timeouts ?? {}) : DEFAULT_POLICY,
    totalMs: whole('timeouts.totalMs', each.timeouts?.totalMs ?? 0, 0, LIMITS.delayMs),
    labels: labels('labels', each.labels),
  };
}

function policy(retry: job.RetryPolicy.$Properties, timeouts: job.Timeouts.$Properties): Policy {
  const backoff = retry.backoff ?? {};
  const given = <T>(value: T | null | undefined, otherwise: T): T => value ?? otherwise;
  return {
    maxAttempts: whole('retry.maxAttempts', retry.maxAttempts || DEFAULTS.maxAttempts, 1, LIMITS.maxAttempts),
    backoffInitialMs: whole('retry.backoff.initialMs', given(backoff.initialMs, DEFAULTS.backoff.initialMs), 0, LIMITS.delayMs),
    backoffFactor: within('retry.backoff.factor', given(backoff.factor, DEFAULTS.backoff.factor), 1, 100),
    backoffMaxMs: whole('retry.backoff.maxMs', given(backoff.maxMs, DEFAULTS.backoff.maxMs), 0, LIMITS.delayMs),
    backoffJitter: within('retry.backoff.jitter', given(backoff.jitter, DEFAULTS.backoff.jitter), 0, 1),
    nonRetryable: atMost('retry.nonRetryable', retry.nonRetryable ?? [], LIMITS.nonRetryable).map((code) => text('retry.nonRetryable', code, 128, 1)),
    attemptMs: whole('timeouts.attemptMs', given(timeouts.attemptMs, DEFAULTS.attemptMs), 0, LIMITS.delayMs),
    heartbeatMs: whole('timeouts.heartbeatMs', given(timeouts.heartbeatMs, DEFAULTS.heartbeatMs), LIMITS.heartbeatMinMs, LIMITS.delayMs),
  };
}

/** JSON is the default and is not written down. */
export const contentType = (given: string): string => (given === 'application/json' ? '' : text('contentType', given, 128));

export function target(message: { jobId: string; queue: string; key: string }): Target {
  if (message.jobId !== '') {
    if (message.queue !== '' || message.key !== '') throw new Invalid('INVALID_ARGUMENT', 'give jobId, or queue and key, not both');
    return { jobId: jobIdOf(message.jobId) };
  }
  const queue = message.queue === '' ? DEFAULTS.queue : queueName(message.queue);
  return { queue, key: text('jobId or key', message.key, LIMITS.keyBytes, 1) };
}
