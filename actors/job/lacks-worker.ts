import type { Job } from './job.js';
import { jobKind } from './job.kind.js';
import type { Step } from '../step.js';
import { workerKind } from '../worker/worker.kind.js';

/** Whether a job is ready and no worker that is registered now can do it. */
export function lacksWorker(step: Step, job: Readonly<Job>): boolean {
  if (job.status !== 'ready') return false;
  const sessions = step.live(workerKind);
  if (!sessions.areKnown(step.moment.monoMs)) return false;
  const line = step.read(jobKind).lines.lineOf(job);
  return line !== undefined && !sessions.canServe(line);
}
