/** job.cancel: JobCancelled, or JobCancelRequested when a worker must be asked to stop first. */
import { z } from 'zod';
import { text } from '../../../protocols/bounds.js';
import { reject } from '../../../protocols/errors.js';
import { LIMITS } from '../../../protocols/limits.js';
import { job } from '../../../protocols/messages.js';
import { refuseAside } from '../../actor/aside.js';
import type { Command } from '../../command.js';
import { conflictOf } from '../conflict.js';
import { optionalText } from '../../shapes.js';
import type { Step } from '../../step.js';
import { answerPull } from '../../worker/answer-pull.js';
import { emptyNotice } from '../../worker/sessions.js';
import { workerKind } from '../../worker/worker.kind.js';
import { describe, findJob } from '../find.js';
import { decideCancel } from '../job.decide.js';
import { isRunning, type Job } from '../job.js';
import { jobKind } from '../job.kind.js';
import { jobReplyJson, receivedReply, refusalOf } from '../reply-json.js';
import { oneJobReply } from '../replies.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';
import { currentAnswer } from '../waits.js';

export interface Cancel {
  readonly target: Target;
  readonly reason: string;
  readonly commandId: string;
}

export const cancel = {
  noun: 'job',
  verb: 'cancel',
  does: 'ends a waiting job; asks the worker of a running one to stop',
  request: job.CancelJob,
  reply: job.JobReply,
  json: z.strictObject({ ...targetShape, reason: optionalText, commandId: optionalText }),
  codes: ['NOT_FOUND', 'ALREADY_ENDED', 'SET_ASIDE', 'COMMAND_CONFLICT'],
  routing: TO_TARGET,
  check: (message) => ({
    target: checkTarget(message),
    reason: text('reason', message.reason, LIMITS.reasonBytes),
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes),
  }),
  refusalIn: refusalOf,
  received: receivedReply,
  toJson: jobReplyJson,
  decide(step, { target, reason, commandId }, { to, by }) {
    const found = findJob(step, target);
    if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
    if (found.kind === 'aside') return step.refuse(to, refuseAside(found.aside));
    const jobId = found.kind === 'job' ? found.job.id : found.jobId;
    const conflict = conflictOf(step, commandId, 'CancelJob', jobId);
    if (conflict) return step.refuse(to, conflict);
    if (found.kind === 'archived') return step.answer(to, oneJobReply, { ...found, duplicate: true, cancel: true });
    const event = decideCancel(found.job, reason);
    if (event === 'repeated') return step.answer(to, oneJobReply, currentAnswer(step, found.job, true));
    if ('code' in event) return step.refuse(to, event);
    step.makeRoom();
    const changed = step.emit(jobKind, jobId, event, { commandId, type: 'CancelJob', by });
    step.answer(to, oneJobReply, currentAnswer(step, changed));
    if (isRunning(changed)) askToStop(step, changed);
  },
} as const satisfies Command<job.CancelJob, Cancel>;

/** Uses the worker's open pull. Without one, the reply to its next pull or heartbeat has the token in `cancel`. */
function askToStop(step: Step, running: Readonly<Job>): void {
  const session = running.session === '' ? undefined : step.live(workerKind).get(running.session);
  if (session?.pull === undefined) return;
  const attempts = step.live(jobKind);
  attempts.noteStop(running.id);
  answerPull(step, session, { ...emptyNotice(), cancel: [attempts.tokens.of(running)] });
}
