/** job.cancel: ends a job that waits, or asks the worker of a running one to stop. */
import { z } from 'zod';
import { text } from '../../../protocols/bounds.js';
import { LIMITS } from '../../../protocols/limits.js';
import { job } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { optionalText } from '../../shapes.js';
import { jobReplyJson, receivedReply, refusalOf } from '../job.reply.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';

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
  codes: ['NOT_FOUND', 'ALREADY_ENDED', 'COMMAND_CONFLICT'],
  routing: TO_TARGET,
  check: (message) => ({
    target: checkTarget(message),
    reason: text('reason', message.reason, LIMITS.reasonBytes),
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes),
  }),
  refusalIn: refusalOf,
  received: receivedReply,
  toJson: jobReplyJson,
} as const satisfies Command<job.CancelJob, Cancel>;
