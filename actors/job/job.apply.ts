/** What each event changes in a job. Applies and nothing else: no clock, no chance, no policy. */
import type { JobId } from '../../protocols/ids.js';
import type { At } from '../kind.js';
import type { Failure, Job, StoredBytes, StoredFailure } from './job.js';
import type { JobBodies, JobEvent } from './job.events.js';
import { sharedPolicy } from './policies.js';

/** Changes the job in place, or makes it. The caller has followed the chart: the event is allowed. */
export function applyJob(job: Job | undefined, event: JobEvent, id: JobId, at: At): Job {
  if (event.type === 'JobSubmitted') return submitted(id, event.body, at);
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
      job.result = stored(event.body.contentType, at);
      job.failure = undefined;
      return attemptEnded(job, true, at.nowMs);
    case 'JobRetryScheduled':
      job.failure = failureOf(event.body.failure, at);
      job.dueMs = event.body.dueMs;
      return attemptEnded(job, event.body.reported, 0);
    case 'JobReclaimed':
      job.failure = failureOf(event.body.failure, at);
      return attemptEnded(job, false, 0);
    case 'JobFailed':
    case 'JobCancelled':
      job.failure = failureOf(event.body.failure, at);
      return attemptEnded(job, event.body.reported, at.nowMs);
    case 'JobExpired':
      job.failure = failureOf(event.body.failure, at);
      return attemptEnded(job, false, at.nowMs);
    case 'JobCancelRequested':
      job.cancelling = true;
      job.cancelReason = { text: event.body.reason, content: at.content };
      return job;
    default:
      return event satisfies never;
  }
}

/** Messages carry defaults and prototypes; the state is plain and holds no stacks. */
const failureOf = (failure: Failure, { content }: At): StoredFailure => ({ code: failure.code, message: failure.message, content });

const stored = (contentType: string, { seq, index, content }: At): StoredBytes =>
  ({ seq, index, contentType, hash: content?.hash ?? '', size: content?.size ?? 0 });

function keptLabels(labels: JobBodies['JobSubmitted']['labels']): Job['labels'] {
  for (const _ in labels) return { ...labels };
  return undefined;
}

function submitted(id: JobId, body: JobBodies['JobSubmitted'], at: At): Job {
  return {
    id, type: body.jobType, queue: body.queue, priority: body.priority, key: body.key, labels: keptLabels(body.labels),
    policy: sharedPolicy(body.policy),
    place: at.place, submittedMs: at.nowMs, totalDueMs: body.totalDueMs,
    payload: stored(body.contentType, at), firstSeq: at.seq,
    status: body.status, attempt: 0, lease: 0, workerId: '', session: '', pullSeq: 0, dueMs: 0, attemptDueMs: 0,
    reported: false, cancelling: false, cancelReason: undefined, failure: undefined, result: undefined, endedMs: 0, lastSeq: at.seq,
  };
}

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
