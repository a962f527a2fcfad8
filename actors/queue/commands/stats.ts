/** queue.stats: how many jobs of a queue are in which status, and whether it is paused. */
import { z } from 'zod';
import { queueName } from '../../../protocols/bounds.js';
import { queue } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { TO_QUEUE } from '../change.js';
import { statsJson, statsOf, statsReply } from '../stats.js';

export const stats = {
  noun: 'queue',
  verb: 'stats',
  does: 'counts the jobs of a queue by status, with the time since the submission of the oldest ready one',
  request: queue.GetQueueStats,
  reply: queue.QueueStats,
  json: z.strictObject({ queue: z.string() }),
  codes: [],
  routing: TO_QUEUE,
  check: (message) => ({ queue: queueName(message.queue) }),
  decide: (step, { queue: name }, { to }) => step.answer(to, statsReply, statsOf(step, name)),
  toJson: statsJson,
} as const satisfies Command<queue.GetQueueStats, { readonly queue: string }>;
