/** queue.pause: a queue takes and leases no jobs. Running attempts go on. */
import { z } from 'zod';
import { queue } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { changeQueue, changeShape, checkChange, TO_QUEUE, type ChangeQueue } from '../change.js';
import { decidePause } from '../queue.js';
import { statsJson } from '../stats.js';

export const pause = {
  noun: 'queue',
  verb: 'pause',
  does: 'the queue, or every queue of the group, takes and leases no jobs until it is resumed; running attempts go on',
  request: queue.PauseQueue,
  reply: queue.QueueStats,
  json: z.strictObject({ queue: z.string(), ...changeShape }),
  codes: ['COMMAND_CONFLICT', 'SET_ASIDE'],
  routing: TO_QUEUE,
  check: checkChange,
  decide: (step, change, from) => changeQueue(step, change, 'PauseQueue', decidePause, from),
  toJson: statsJson,
} as const satisfies Command<queue.PauseQueue, ChangeQueue>;
