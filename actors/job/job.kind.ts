/** Jobs as a kind of actor: how they are folded. */
import type { JobId } from '../../protocols/ids.js';
import type { Kind, Role } from '../kind.js';
import type { Attempts } from './attempts.js';
import { decideJobAgain } from './decide-again.js';
import { applyJob } from './job.apply.js';
import { jobChart } from './job.chart.js';
import { JOB_EVENTS, type JobEvent } from './job.events.js';
import type { Job } from './job.js';
import { detached } from './job-copy.js';
import { Jobs, type JobsReading } from './jobs.js';

export interface JobRole extends Role {
  readonly actor: Job;
  readonly event: JobEvent;
  readonly store: Jobs;
  readonly reading: JobsReading;
  readonly live: Attempts;
}

export const jobKind: Kind<JobRole> = {
  name: 'job',
  chart: jobChart,
  events: JOB_EVENTS,
  open: (partition) => new Jobs(partition),
  apply: (job, event, id, at) => applyJob(job, event, id as JobId, at),
  decideAgain: decideJobAgain,
  detached,
  dueMs: ({ dueMs, totalDueMs, startDueMs = 0, endedMs }) =>
    (endedMs > 0 ? 0 : earlier(earlier(dueMs, totalDueMs), startDueMs)),
};

/** 0: never. */
const earlier = (a: number, b: number): number => (a === 0 || b === 0 ? a + b : Math.min(a, b));
