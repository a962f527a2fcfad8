/** The events of a job: their bodies as they are decided and folded, and the messages that encode them. */
import { job as messages } from '../../protocols/messages.js';
import type { Session, WorkerId } from '../../protocols/ids.js';
import type { BodyContent, EventTable } from '../kind.js';
import type { Failure, LiveStatus } from './job.js';
import type { RetriedBody } from './job.retry.js';
import { withoutPayload, type SubmittedBody } from './job.submit.js';

/** Of a rate limit: when it is full again. */
export interface Bucket {
  readonly limit: string;
  readonly untilMs: number;
}

/** Of a key in a queue that is shared out. */
export interface Share {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

export interface JobBodies {
  JobSubmitted: SubmittedBody;
  JobDelayed: { status: 'scheduled'; dueMs: number };
  JobBecameReady: { status: 'ready' };
  JobLeased: {
    status: 'running'; attempt: number; lease: number; workerId: WorkerId; session: Session; pullSeq: number;
    attemptDueMs: number; capabilities: number; buckets: readonly Bucket[]; share: Share | null | undefined;
  };
  JobCompleted: { status: 'completed'; attempt: number; lease: number; result: Uint8Array; contentType: string };
  JobRetryScheduled: {
    status: 'retrying'; attempt: number; lease: number; failure: Failure; dueMs: number; reported: boolean;
    slowed?: { readonly scope: string; readonly untilMs: number } | null | undefined;
  };
  JobReclaimed: { status: 'ready'; attempt: number; lease: number; failure: Failure; crashes: number };
  JobReturned: { status: 'ready'; attempt: number; lease: number; returns: number };
  JobFailed: {
    status: 'failed'; attempt: number; lease: number; failure: Failure; reported: boolean;
    /** 0 unless a lost lease ended it. */
    crashes: number;
    kept?: number;
  };
  JobCancelRequested: { status: 'running'; reason: string };
  JobCancelled: { status: 'cancelled'; attempt: number; failure: Failure; reported: boolean };
  JobExpired: { status: 'expired'; attempt: number; failure: Failure };
  JobUnworkable: { status: 'unworkable'; attempt: number; failure: Failure };
  JobRetried: RetriedBody;
  JobReprioritized: { status: LiveStatus; priority: number };
  JobDiscarded: { status: 'discarded'; attempt: number; failure: Failure };
}

export type JobEventType = keyof JobBodies;
export type JobEvent = {
  [T in JobEventType]: { readonly type: T; readonly body: Readonly<JobBodies[T]> };
}[JobEventType];

type Body<T extends JobEventType> = Readonly<JobBodies[T]>;

const NONE = new Uint8Array(0);

const PAYLOAD: BodyContent = {
  field: 4,
  bytes: (body) => (body as Body<'JobSubmitted'>).payload,
  without: (body) => withoutPayload(body as Body<'JobSubmitted'>),
};

const NEW_PAYLOAD: BodyContent = {
  field: 3,
  bytes: (body) => (body as Body<'JobRetried'>).payload,
  without(body): Omit<Body<'JobRetried'>, 'payload'> {
    const { payload: _, ...rest } = body as Body<'JobRetried'>;
    return rest;
  },
};

const RESULT: BodyContent = {
  field: 4,
  bytes: (body) => (body as Body<'JobCompleted'>).result,
  without(body): Omit<Body<'JobCompleted'>, 'result'> {
    const { status, attempt, lease, contentType } = body as Body<'JobCompleted'>;
    return { status, attempt, lease, contentType };
  },
};

const REASON: BodyContent = {
  field: 2,
  bytes: (body) => Buffer.from((body as Body<'JobCancelRequested'>).reason),
  without: (body) => ({ ...(body as Body<'JobCancelRequested'>), reason: '' }),
};

/** The text of a failure is content, because it may quote the payload. The code is not. */
const failureText = (field: number): BodyContent => ({
  field,
  bytes: (body) => textOf((body as Body<'JobExpired'>).failure),
  without(body) {
    const whole = body as Body<'JobExpired'>;
    return { ...whole, failure: { code: whole.failure.code } };
  },
});

/** @param failure absent in a decoded body if it had neither code nor text */
function textOf(failure: Failure | null | undefined): Uint8Array {
  if (!failure?.message && !failure?.stack) return NONE;
  return messages.Failure.encode({ message: failure.message, stack: failure.stack ?? '' }).finish();
}

/**
 * Brokers of 0.3.0 would start such a job too late, retry it at other times, or give it to any worker. That they count
 * its lost leases as attempts is no reason to lock them out: it then ends earlier.
 */
const isOfNow = ({ startDueMs, policy, require }: Body<'JobSubmitted'>): boolean =>
  startDueMs > 0 || require !== '' || (policy.backoffListMs?.length ?? 0) > 0;

/** A replay halts at an event whose type is missing here. */
export const JOB_EVENTS: EventTable<JobEvent> = {
  JobSubmitted: {
    version: 1, message: messages.JobSubmitted, content: PAYLOAD,
    fingerprint: (body) => (body as Body<'JobSubmitted'>).fingerprint,
    since: 3, needsSince: (body) => isOfNow(body as Body<'JobSubmitted'>),
  },
  JobDelayed: { version: 1, message: messages.JobDelayed },
  JobBecameReady: { version: 1, message: messages.JobBecameReady },
  JobLeased: { version: 1, message: messages.JobLeased },
  JobCompleted: { version: 1, message: messages.JobCompleted, content: RESULT },
  JobRetryScheduled: { version: 1, message: messages.JobRetryScheduled, content: failureText(4) },
  JobReclaimed: { version: 1, message: messages.JobReclaimed, content: failureText(4) },
  JobReturned: { version: 1, message: messages.JobReturned, since: 3 },
  JobFailed: { version: 1, message: messages.JobFailed, content: failureText(4) },
  JobCancelRequested: { version: 1, message: messages.JobCancelRequested, content: REASON },
  JobCancelled: { version: 1, message: messages.JobCancelled, content: failureText(3) },
  JobExpired: { version: 1, message: messages.JobExpired, content: failureText(3) },
  JobUnworkable: { version: 1, message: messages.JobUnworkable, content: failureText(3), since: 3 },
  JobRetried: { version: 1, message: messages.JobRetried, content: NEW_PAYLOAD, since: 3 },
  JobReprioritized: { version: 1, message: messages.JobReprioritized, since: 3 },
  JobDiscarded: { version: 1, message: messages.JobDiscarded, content: failureText(3), since: 3 },
};
