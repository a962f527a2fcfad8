/** job.reprioritize: JobReprioritized. A job that has not ended gets another priority, and keeps its place. */
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
import { decideReprioritize } from '../job.decide.js';
import { jobKind } from '../job.kind.js';
import { SUBMIT } from '../job.submit.js';
import { jobReplyJson, receivedReply, refusalOf } from '../reply-json.js';
import { oneJobReply } from '../replies.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';
import { currentAnswer } from '../waits.js';

export interface Reprioritize {
  readonly target: Target;
  readonly priority: number;
  readonly commandId: string;
}

export const reprioritize = {
  noun: 'job',
  verb: 'reprioritize',
  does: 'a job that has not ended gets another priority, and keeps its place among those of that priority',
  request: job.ReprioritizeJob,
  reply: job.JobReply,
  json: z.strictObject({ ...targetShape, priority: z.int(), commandId: optionalText }),
  codes: ['NOT_FOUND', 'ALREADY_ENDED', 'SET_ASIDE', 'COMMAND_CONFLICT'],
  routing: TO_TARGET,
  check: (message) => ({
    target: checkTarget(message),
    priority: SUBMIT.priority.check(message.priority),
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes),
  }),
  refusalIn: refusalOf,
  received: receivedReply,
  toJson: jobReplyJson,
  decide(step, { target, priority, commandId }, { to, by }) {
    const found = findJob(step, target);
    if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
    if (found.kind === 'aside') return step.refuse(to, refuseAside(found.aside));
    // It has ended, or there never was one.
    if (found.kind === 'archived') return step.answer(to, oneJobReply, { ...found, duplicate: false, ended: true });
    const { job: held } = found;
    const conflict = conflictOf(step, commandId, 'ReprioritizeJob', held.id);
    if (conflict) return step.refuse(to, conflict);
    const event = decideReprioritize(held, priority);
    if (event === 'repeated') return step.answer(to, oneJobReply, currentAnswer(step, held, true));
    if ('code' in event) return step.refuse(to, event);
    step.makeRoom();
    const changed = step.emit(jobKind, held.id, event, { commandId, type: 'ReprioritizeJob', by });
    step.answer(to, oneJobReply, currentAnswer(step, changed));
  },
} as const satisfies Command<job.ReprioritizeJob, Reprioritize>;
