/** queue.stats: how many jobs of a queue or group are in which status, its settings, and whether it is paused. */
import { z } from 'zod';
import { queueOrGroup } from '../../../protocols/bounds.js';
import { queue } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { TO_QUEUE } from '../change.js';
import { statsJson, statsOf, statsReply } from '../stats.js';

export const stats = {
  noun: 'queue',
  verb: 'stats',
  does: 'counts the jobs of a queue or group by status, with the time since the submission of the oldest ready one, '
    + 'and shows its settings',
  request: queue.GetQueueStats,
  reply: queue.QueueStats,
  json: z.strictObject({ queue: z.string() }),
  codes: [],
  routing: TO_QUEUE,
  check: (message) => ({ queue: queueOrGroup(message.queue) }),
  decide: (step, { queue: name }, { to }) => step.answer(to, statsReply, statsOf(step, name)),
  toJson: statsJson,
} as const satisfies Command<queue.GetQueueStats, { readonly queue: string }>;
