/** What can happen to a job: the bodies as they are decided and folded, and the messages that carry them. */
import { job as messages } from '../../protocols/messages.js';
import type { Session, WorkerId } from '../../protocols/ids.js';
import type { EventTable } from '../kind.js';
import type { Failure } from './job.js';
import type { SubmittedBody } from './job.submit.js';

export interface JobBodies {
  JobSubmitted: SubmittedBody;
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

/** A type that is missing here cannot be read, so a replay halts at it. */
export const JOB_EVENTS: EventTable<JobEvent> = {
  JobSubmitted: { version: 1, message: messages.JobSubmitted, content: 'payload' },
  JobDelayed: { version: 1, message: messages.JobDelayed },
  JobBecameReady: { version: 1, message: messages.JobBecameReady },
  JobLeased: { version: 1, message: messages.JobLeased },
  JobCompleted: { version: 1, message: messages.JobCompleted, content: 'result' },
  JobRetryScheduled: { version: 1, message: messages.JobRetryScheduled, content: 'failure' },
  JobReclaimed: { version: 1, message: messages.JobReclaimed, content: 'failure' },
  JobFailed: { version: 1, message: messages.JobFailed, content: 'failure' },
  JobCancelRequested: { version: 1, message: messages.JobCancelRequested, content: 'reason' },
  JobCancelled: { version: 1, message: messages.JobCancelled, content: 'failure' },
  JobExpired: { version: 1, message: messages.JobExpired, content: 'failure' },
};
