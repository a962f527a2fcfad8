import type { JobId } from '../../protocols/ids.js';
import type { AsideActor } from '../actor/aside.js';
import type { Step } from '../step.js';
import type { Job } from './job.js';
import { jobKind } from './job.kind.js';
import { keyName } from './keys.js';
import type { Target } from './target.js';

/** `archived`: not in the leader's state; it may be in the archive, or may never have existed. */
export type Found =
  | { readonly kind: 'job'; readonly job: Readonly<Job> }
  | { readonly kind: 'archived'; readonly jobId: JobId }
  | { readonly kind: 'aside'; readonly jobId: JobId; readonly aside: AsideActor }
  | undefined;

export function findJob(step: Step, target: Target): Found {
  const jobs = step.read(jobKind);
  const jobId = 'jobId' in target ? target.jobId : jobs.keys.find(keyName(target.queue, target.key), step.nowMs)?.jobId;
  if (jobId === undefined) return undefined;
  const job = jobs.get(jobId);
  if (job) return { kind: 'job', job };
  const aside = step.setAside.get(jobKind.name, jobId);
  return aside ? { kind: 'aside', jobId, aside } : { kind: 'archived', jobId };
}

export const describe = (target: Target): string =>
  'jobId' in target ? `job ${target.jobId}` : `job with key ${target.key} in queue ${target.queue}`;
