/** job.discard: JobDiscarded. A failed job is kept no longer. */
import { z } from 'zod';
import { text } from '../../../protocols/bounds.js';
import { reject } from '../../../protocols/errors.js';
import { LIMITS } from '../../../protocols/limits.js';
import { job } from '../../../protocols/messages.js';
import { refuseAside } from '../../actor/aside.js';
import type { Command } from '../../command.js';
import { optionalText } from '../../shapes.js';
import { conflictOf } from '../conflict.js';
import { describe, findJob } from '../find.js';
import { decideDiscard } from '../job.decide.js';
import { jobKind } from '../job.kind.js';
import { jobReplyJson, receivedReply, refusalOf } from '../reply-json.js';
import { oneJobReply } from '../replies.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';
import { currentAnswer } from '../waits.js';

export interface Discard {
  readonly target: Target;
  readonly reason: string;
  readonly commandId: string;
}

export const discard = {
  noun: 'job',
  verb: 'discard',
  does: 'a failed job is kept no longer, and cannot be retried',
  request: job.DiscardJob,
  reply: job.JobReply,
  json: z.strictObject({ ...targetShape, reason: optionalText, commandId: optionalText }),
  codes: ['NOT_FOUND', 'ALREADY_ENDED', 'NOT_ENDED', 'SET_ASIDE', 'COMMAND_CONFLICT'],
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
    if (found?.kind === 'aside') return step.refuse(to, refuseAside(found.aside));
    if (found?.kind !== 'job') return step.refuse(to, reject('NOT_FOUND', `no failed ${describe(target)} is kept`));
    const { job: held } = found;
    const conflict = conflictOf(step, commandId, 'DiscardJob', held.id);
    if (conflict) return step.refuse(to, conflict);
    const event = decideDiscard(held, reason);
    if (event === 'repeated') return step.answer(to, oneJobReply, currentAnswer(step, held, true));
    if ('code' in event) return step.refuse(to, event);
    step.makeRoom();
    const changed = step.emit(jobKind, held.id, event, { commandId, type: 'DiscardJob', by });
    step.answer(to, oneJobReply, currentAnswer(step, changed));
  },
} as const satisfies Command<job.DiscardJob, Discard>;
