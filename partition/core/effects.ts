/**
 * What the world is told after a commit: values, released by the acknowledgement of the commit they wait for.
 * `to` is whoever asked; the core hands it through without looking.
 */
import type { JobId, Session, Token, WorkerId } from '../../protocols/ids.js';
import type { Rejection } from '../../protocols/errors.js';
import type { BytesRef, Failure, Job, JobStatus } from '../../actors/job/job.js';

/** Whoever asked, opaque to the core. */
export interface Asker {
  readonly asker: 'asker';
}

/** A job as a reply tells of it. `archived`: it has left the leader; the jobs projection knows it. */
export type JobAnswer =
  | {
      readonly kind: 'job'; readonly jobId: JobId; readonly status: JobStatus; readonly duplicate: boolean; readonly attempt: number;
      readonly cancelling: boolean; readonly failure: Failure | undefined; readonly result: BytesRef | undefined;
      /** Ready, and no session that is known can do it. */
      readonly noWorker: boolean;
    }
  /** `cancel`: somebody wants it cancelled, which is refused unless that is how it ended. */
  | { readonly kind: 'archived'; readonly jobId: JobId; readonly duplicate: boolean; readonly cancel?: true }
  | { readonly kind: 'refused'; readonly rejection: Rejection };

export interface LeaseGrant {
  readonly token: Token;
  readonly job: Job;
  readonly attempt: number;
  /** How long it runs from the receipt of the pull that it answers, or longer. */
  readonly leaseMs: number;
}

export interface RejectedReport {
  readonly token: string;
  readonly rejection: Rejection;
}

export type Effect =
  | { readonly kind: 'jobs'; readonly to: Asker; readonly answers: readonly JobAnswer[] }
  /** As `jobs`, but only when those that have not ended have, or the wait is over. */
  | { readonly kind: 'wait'; readonly to: Asker; readonly answers: readonly JobAnswer[]; readonly waitMs: number }
  /** The job itself, because one that has ended changes no more. */
  | { readonly kind: 'ended'; readonly job: Readonly<Job> }
  | { readonly kind: 'view'; readonly to: Asker; readonly job: Readonly<Job>; readonly progress: Progress | undefined; readonly noWorker: boolean }
  | { readonly kind: 'archive'; readonly to: Asker; readonly jobId: JobId }
  | {
      readonly kind: 'pulled'; readonly to: Asker; readonly workerId: WorkerId; readonly session: Session; readonly leases: readonly LeaseGrant[];
      readonly cancel: readonly Token[]; readonly revoked: readonly string[]; readonly rejected: readonly RejectedReport[];
    }
  | { readonly kind: 'registered'; readonly to: Asker; readonly session: Session; readonly proof: string }
  | { readonly kind: 'drained'; readonly to: Asker; readonly status: string }
  | { readonly kind: 'refused'; readonly to: Asker; readonly rejection: Rejection };

export interface Progress {
  readonly fraction: number;
  readonly message: string;
}

export function answerOf(job: Readonly<Job>, duplicate = false, noWorker = false): JobAnswer & { kind: 'job' } {
  return {
    kind: 'job', jobId: job.id, status: job.status, duplicate, attempt: job.attempt, cancelling: job.cancelling,
    failure: job.failure, result: job.result, noWorker,
  };
}
