/** What each event changes in a job. No clock, no chance, no policy. */
import type { JobId } from '../../protocols/ids.js';
import type { At } from '../kind.js';
import { storedBytes, type Failure, type Job, type StoredFailure } from './job.js';
import type { JobBodies, JobEvent } from './job.events.js';
import { retriedJob } from './job.retry.js';
import { newJob } from './job.submit.js';

/** Changes the job in place, or makes it. The caller has checked the event against the chart. */
export function applyJob(job: Job | undefined, event: JobEvent, id: JobId, at: At): Job {
  if (event.type === 'JobSubmitted') return newJob(id, event.body, at);
  if (event.type === 'JobRetried') return retriedJob(job, event.body, id, at);
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
      job.result = storedBytes(event.body.contentType, at);
      job.failure = undefined;
      return attemptEnded(job, true, at.nowMs);
    case 'JobRetryScheduled':
      job.failure = failureOf(event.body.failure, at);
      job.dueMs = event.body.dueMs;
      return attemptEnded(job, event.body.reported, 0);
    case 'JobReclaimed':
      job.failure = failureOf(event.body.failure, at);
      if (event.body.crashes > 0) job.crashes = event.body.crashes;
      return attemptEnded(job, false, 0);
    case 'JobReturned':
      job.returns = event.body.returns;
      return attemptEnded(job, true, 0);
    case 'JobFailed':
      job.kept = event.body.kept || undefined;
      job.failure = failureOf(event.body.failure, at);
      if (event.body.crashes > 0) job.crashes = event.body.crashes;
      return attemptEnded(job, event.body.reported, at.nowMs);
    case 'JobDiscarded':
      job.kept = undefined;
      job.failure = failureOf(event.body.failure, at);
      return attemptEnded(job, false, at.nowMs);
    case 'JobCancelled':
      job.failure = failureOf(event.body.failure, at);
      return attemptEnded(job, event.body.reported, at.nowMs);
    case 'JobExpired':
    case 'JobUnworkable':
      job.failure = failureOf(event.body.failure, at);
      return attemptEnded(job, false, at.nowMs);
    case 'JobReprioritized':
      job.priority = event.body.priority;
      return job;
    case 'JobCancelRequested':
      job.cancelling = true;
      job.cancelReason = { text: event.body.reason, content: at.content };
      return job;
    default:
      return event satisfies never;
  }
}

/** Decoded messages have defaults and prototypes. The state is plain data, and has no stacks. */
const failureOf = ({ code, message }: Failure, { content }: At): StoredFailure => ({ code, message, content });

function leased(job: Job, body: JobBodies['JobLeased']): Job {
  job.attempt = body.attempt;
  job.lease = body.lease;
  job.workerId = body.workerId;
  job.session = body.session;
  job.pullSeq = body.pullSeq;
  job.attemptDueMs = body.attemptDueMs;
  job.reported = false;
  job.startDueMs = undefined;
  return job;
}

function attemptEnded(job: Job, reported: boolean, endedMs: number): Job {
  job.attemptDueMs = 0;
  job.reported = reported;
  job.endedMs = endedMs;
  if (endedMs > 0) job.dueMs = 0;
  return job;
}
