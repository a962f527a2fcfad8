/** CancelJob → JobCancelled, or JobCancelRequested when a worker must be asked to stop first. */
import { reject } from '../../../protocols/errors.js';
import type { JobId } from '../../../protocols/ids.js';
import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { answerPull } from '../../worker/answer-pull.js';
import { currentAnswer } from '../waits.js';
import { notice } from '../../worker/sessions.js';
import { workerKind } from '../../worker/worker.kind.js';
import { describe, findJob } from '../find.js';
import { decideCancel } from '../job.decide.js';
import { jobKind } from '../job.kind.js';
import { isRunning, type Job } from '../job.js';
import { oneJobReply } from '../replies.js';

type Cancel = Extract<Command, { kind: 'cancel' }>;

export function cancelJob(step: Step, command: Cancel): void {
  const { to, target, reason, commandId, by } = command;
  const found = findJob(step, target);
  if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
  const jobId = found.kind === 'job' ? found.job.id : found.jobId;
  const conflict = conflictOf(step, commandId, jobId);
  if (conflict) return step.refuse(to, reject('COMMAND_CONFLICT', conflict));
  if (found.kind === 'archived') return step.answer(to, oneJobReply, { ...found, duplicate: true, cancel: true });
  const event = decideCancel(found.job, reason);
  if (event === 'repeated') return step.answer(to, oneJobReply, currentAnswer(step, found.job, true));
  if ('code' in event) return step.refuse(to, event);
  step.makeRoom();
  const job = step.emit(jobKind, jobId, event, { commandId, type: 'CancelJob', by });
  step.answer(to, oneJobReply, currentAnswer(step, job));
  if (isRunning(job)) askToStop(step, job);
}

function conflictOf(step: Step, commandId: string, jobId: JobId): string | undefined {
  const before = commandId === '' ? undefined : step.seen(commandId);
  if (before === undefined || (before.type === 'CancelJob' && before.id === jobId)) return undefined;
  return `commandId ${commandId} was used for a ${before.type} of ${before.id}`;
}

/** An open pull is the quickest way to the worker; without one, the reply to its next pull or heartbeat says it. */
function askToStop(step: Step, job: Readonly<Job>): void {
  const session = job.session === '' ? undefined : step.live(workerKind).get(job.session);
  if (session?.pull === undefined) return;
  const attempts = step.live(jobKind);
  attempts.noteStop(job.id);
  answerPull(step, session, { ...notice(), cancel: [attempts.tokens.of(job)] });
}
