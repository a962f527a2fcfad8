/** What each event changes in a job. Applies and nothing else: no clock, no chance, no policy. */
import type { JobId } from '../../protocols/ids.js';
import type { Failure, Job } from './job.js';
import type { JobBodies, JobEvent } from './job.events.js';
import { newJob } from './job.submit.js';

export interface Where {
  readonly seq: number;
  readonly index: number;
  readonly nowMs: number;
  /** How many jobs the partition had seen before: the place of a job submitted now. */
  readonly place: number;
}

/** Changes the job in place, or makes it. The caller has followed the chart: the event is allowed. */
export function applyJob(job: Job | undefined, event: JobEvent, id: JobId, at: Where): Job {
  if (event.type === 'JobSubmitted') return newJob(id, event.body, at);
  if (job === undefined) throw new TypeError(`${event.type} of ${id}, which does not exist`);
  job.status = event.body.status;
  job.lastSeq = at.seq;
  switch (event.type) {
    case 'JobDelayed':
      job.dueMs = event.body.dueMs;
      return job;
    case 'JobBecameReady':
      job.dueMs = 0;
      return job;
    case 'JobLeased':
      return leased(job, event.body);
    case 'JobCompleted':
      job.result = { seq: at.seq, index: at.index, contentType: event.body.contentType };
      job.failure = undefined;
      return attemptEnded(job, true, at.nowMs);
    case 'JobRetryScheduled':
      job.failure = kept(event.body.failure);
      job.dueMs = event.body.dueMs;
      return attemptEnded(job, event.body.reported, 0);
    case 'JobReclaimed':
      job.failure = kept(event.body.failure);
      return attemptEnded(job, false, 0);
    case 'JobFailed':
    case 'JobCancelled':
      job.failure = kept(event.body.failure);
      return attemptEnded(job, event.body.reported, at.nowMs);
    case 'JobExpired':
      job.failure = kept(event.body.failure);
      return attemptEnded(job, false, at.nowMs);
    case 'JobCancelRequested':
      job.cancelling = true;
      job.cancelReason = event.body.reason;
      return job;
    default:
      return event satisfies never;
  }
}

/** Messages carry defaults and prototypes; the state is plain and holds no stacks. */
const kept = (failure: Failure): Failure => ({ code: failure.code, message: failure.message });

function leased(job: Job, body: JobBodies['JobLeased']): Job {
  job.attempt = body.attempt;
  job.lease = body.lease;
  job.workerId = body.workerId;
  job.session = body.session;
  job.pullSeq = body.pullSeq;
  job.attemptDueMs = body.attemptDueMs;
  job.reported = false;
  return job;
}

function attemptEnded(job: Job, reported: boolean, endedMs: number): Job {
  job.attemptDueMs = 0;
  job.reported = reported;
  job.endedMs = endedMs;
  if (endedMs > 0) job.dueMs = 0;
  return job;
}
