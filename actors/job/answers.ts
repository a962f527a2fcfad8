/** Answers about jobs: values of the state at the decision. They become replies when the commit is acknowledged. */
import type { JobId } from '../../protocols/ids.js';
import type { Rejection } from '../../protocols/errors.js';
import type { Progress } from './attempts.js';
import type { BytesRef, Failure, Job, JobStatus } from './job.js';

export type JobAnswer =
  | {
      readonly kind: 'job'; readonly jobId: JobId; readonly status: JobStatus; readonly duplicate: boolean;
      readonly attempt: number; readonly cancelling: boolean; readonly failure: Failure | undefined;
      readonly result: BytesRef | undefined;
      /** Ready, and no registered worker can do it. */
      readonly noWorker: boolean;
    }
  /** It has left the leader's state and is read from the archive. `cancel`: refused unless it ended as cancelled. */
  | {
      readonly kind: 'archived'; readonly jobId: JobId; readonly duplicate: boolean; readonly cancel?: true;
      /** Refused, because it has ended. */
      readonly ended?: true;
    }
  | { readonly kind: 'refused'; readonly rejection: Rejection };

export interface ViewAnswer {
  readonly job: Readonly<Job>;
  readonly progress: Progress | undefined;
  readonly noWorker: boolean;
  /** Why it is set aside, if it is. */
  readonly setAside?: string;
}

export function answerOf(job: Readonly<Job>, duplicate = false, noWorker = false): JobAnswer & { kind: 'job' } {
  return {
    kind: 'job', jobId: job.id, status: job.status, duplicate, attempt: job.attempt, cancelling: job.cancelling,
    failure: job.failure, result: job.result, noWorker,
  };
}
