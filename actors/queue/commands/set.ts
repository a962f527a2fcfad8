/** queue.set: some settings of a queue or group are set or unset; the others stay. */
import { z } from 'zod';
import { queue } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { strictShape, texts } from '../../shapes.js';
import { changeQueue, changeShape, checkChange, TO_QUEUE, type ChangeQueue } from '../change.js';
import { checkSettings, type SettingsChange } from '../check-settings.js';
import { configured } from '../configure.js';
import { decideConfigure } from '../queue.js';
import { queueKind } from '../queue.kind.js';
import { SETTINGS } from '../settings.js';
import { statsJson } from '../stats.js';

export interface SetQueue extends ChangeQueue, SettingsChange {}

export const set = {
  noun: 'queue',
  verb: 'set',
  does: 'sets or unsets [settings](queues.md) of a queue or group: limits, order, defaults of its jobs',
  request: queue.SetQueue,
  reply: queue.QueueStats,
  json: z.strictObject({
    queue: z.string(), settings: strictShape(SETTINGS).optional(), unset: texts.optional(), ...changeShape,
  }),
  codes: ['COMMAND_CONFLICT', 'SET_ASIDE'],
  routing: TO_QUEUE,
  check(message): SetQueue {
    const change = checkChange(message);
    return { ...change, ...checkSettings(change.queue, message.settings ?? {}, message.unset) };
  },
  decide(step, change, from) {
    const decide: Parameters<typeof changeQueue>[3] = (of, why) => {
      const settings = configured(step.read(queueKind), change.queue, change);
      return 'code' in settings ? settings : decideConfigure(of, settings, why);
    };
    changeQueue(step, change, 'SetQueue', decide, from);
  },
  toJson: statsJson,
} as const satisfies Command<queue.SetQueue, SetQueue>;
