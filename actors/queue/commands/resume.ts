/** queue.resume: a paused queue takes and leases jobs again. */
import { z } from 'zod';
import { queue } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { changeQueue, changeShape, checkChange, TO_QUEUE, type ChangeQueue } from '../change.js';
import { decideResume } from '../queue.js';
import { statsJson } from '../stats.js';

export const resume = {
  noun: 'queue',
  verb: 'resume',
  does: 'the queue takes and leases jobs again, in their order',
  request: queue.ResumeQueue,
  reply: queue.QueueStats,
  json: z.strictObject({ queue: z.string(), ...changeShape }),
  codes: ['COMMAND_CONFLICT', 'SET_ASIDE'],
  routing: TO_QUEUE,
  check: checkChange,
  decide: (step, change, from) => changeQueue(step, change, 'ResumeQueue', decideResume, from),
  toJson: statsJson,
} as const satisfies Command<queue.ResumeQueue, ChangeQueue>;
