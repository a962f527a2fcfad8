import { reject } from '../../../protocols/errors.js';
import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { lacksWorker } from '../lacks-worker.js';
import { describe, findJob } from '../find.js';
import { jobKind } from '../job.kind.js';
import { archiveReply, viewReply } from '../replies.js';

export function getJob(step: Step, { to, target }: Extract<Command, { kind: 'get' }>): void {
  const found = findJob(step, target);
  if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
  if (found.kind === 'archived') return step.answer(to, archiveReply, found.jobId);
  const { job } = found;
  // A copy: the reply is made later, when the job may have changed.
  const answer = { job: { ...job }, progress: step.live(jobKind).progressOf(job.id), noWorker: lacksWorker(step, job) };
  step.answer(to, viewReply, answer);
}
