/** Jobs apart from their rows: what a reply needs is copied. */
import type { Job } from './job.js';
import { JOB_FIELDS } from './job-row.js';

/** What a lease says of its job: it is sent when the commit is acknowledged. */
export type LeasedJob = ReturnType<typeof leasedOf>;

export function leasedOf(job: Readonly<Job>) {
  const { id, type, queue, key, labels, policy, payload, attempt, crashes, retried, returns } = job;
  return { id, type, queue, key, labels, policy, payload, attempt, crashes, retried, returns } as const;
}

export function detached(job: Readonly<Job>): Job {
  return Object.fromEntries(JOB_FIELDS.map((field) => [field, job[field]])) as unknown as Job;
}
