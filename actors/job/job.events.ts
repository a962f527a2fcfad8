/** What can happen to a job: the bodies as they are decided and folded, and the messages that carry them. */
import { decodeLeniently } from '../../protocols/lenient.js';
import { job as messages } from '../../protocols/messages.js';
import type { Session, WorkerId } from '../../protocols/ids.js';
import type { Failure, Policy } from './job.js';

export interface JobBodies {
  JobSubmitted: {
    status: 'ready'; jobType: string; queue: string; payload: Uint8Array; contentType: string; priority: number;
    key: string; fingerprint: Uint8Array | undefined; policy: Policy; labels: Readonly<Record<string, string>> | undefined;
    totalDueMs: number;
  };
  JobDelayed: { status: 'scheduled'; dueMs: number };
  JobBecameReady: { status: 'ready' };
  JobLeased: {
    status: 'running'; attempt: number; lease: number; workerId: WorkerId; session: Session; pullSeq: number; attemptDueMs: number;
  };
  JobCompleted: { status: 'completed'; attempt: number; lease: number; result: Uint8Array; contentType: string };
  JobRetryScheduled: { status: 'retrying'; attempt: number; lease: number; failure: Failure; dueMs: number; reported: boolean };
  JobReclaimed: { status: 'ready'; attempt: number; lease: number; failure: Failure };
  JobFailed: { status: 'failed'; attempt: number; lease: number; failure: Failure; reported: boolean };
  JobCancelRequested: { status: 'running'; reason: string };
  JobCancelled: { status: 'cancelled'; attempt: number; failure: Failure; reported: boolean };
  JobExpired: { status: 'expired'; attempt: number; failure: Failure };
}

export type JobEventType = keyof JobBodies;
export type JobEvent = { [T in JobEventType]: { readonly type: T; readonly body: Readonly<JobBodies[T]> } }[JobEventType];

/** The message of each event type. A type that is missing here cannot be read, so a replay halts at it. */
export const JOB_MESSAGES = {
  JobSubmitted: messages.JobSubmitted,
  JobDelayed: messages.JobDelayed,
  JobBecameReady: messages.JobBecameReady,
  JobLeased: messages.JobLeased,
  JobCompleted: messages.JobCompleted,
  JobRetryScheduled: messages.JobRetryScheduled,
  JobReclaimed: messages.JobReclaimed,
  JobFailed: messages.JobFailed,
  JobCancelRequested: messages.JobCancelRequested,
  JobCancelled: messages.JobCancelled,
  JobExpired: messages.JobExpired,
} as const satisfies Record<JobEventType, unknown>;

export const isJobEventType = (type: string): type is JobEventType => Object.hasOwn(JOB_MESSAGES, type);

/** @throws Error if the bytes are not that message */
export function decodeJobEvent(type: JobEventType, bytes: Uint8Array): JobEvent {
  // The generated classes fill every absent field with its default, which is what the bodies above promise.
  return { type, body: decodeLeniently<unknown>(JOB_MESSAGES[type], bytes) } as unknown as JobEvent;
}
