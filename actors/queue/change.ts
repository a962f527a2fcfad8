/** What pausing and resuming a queue have in common. */
import { queueName, text } from '../../protocols/bounds.js';
import { partitionOfQueue } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { refuseAside } from '../actor/aside.js';
import type { From, ToOne } from '../command.js';
import { commandConflict } from '../command-conflict.js';
import { optionalText } from '../shapes.js';
import type { Step } from '../step.js';
import type { Queue, QueueEvent } from './queue.js';
import { queueKind } from './queue.kind.js';
import { statsOf, statsReply } from './stats.js';

export interface ChangeQueue {
  readonly queue: string;
  readonly reason: string;
  readonly commandId: string;
}

export const changeShape = { reason: optionalText, commandId: optionalText };

export const TO_QUEUE: ToOne<{ readonly queue: string }> = {
  to: 'one',
  partitionOf: ({ queue }, partitions) => partitionOfQueue(queue, partitions),
};

/** @throws Invalid */
export function checkChange(message: ChangeQueue): ChangeQueue {
  return {
    queue: queueName(message.queue),
    reason: text('reason', message.reason, LIMITS.reasonBytes),
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes),
  };
}

type Decide = (queue: Readonly<Queue> | undefined, change: { reason: string; by: string }) => QueueEvent | undefined;

/** Records the change unless it was made already, and answers with the queue's stats. */
export function changeQueue(step: Step, change: ChangeQueue, type: string, decide: Decide, { to, by }: From): void {
  const { queue, reason, commandId } = change;
  const before = commandId === '' ? undefined : step.seen(commandId);
  if (before && (before.type !== type || before.id !== queue)) {
    return step.refuse(to, commandConflict(commandId, before));
  }
  const aside = step.setAside.get(queueKind.name, queue);
  if (aside) return step.refuse(to, refuseAside(aside));
  const event = before ? undefined : decide(step.read(queueKind).get(queue), { reason, by });
  if (event) {
    step.makeRoom(reason.length);
    step.emit(queueKind, queue, event, { commandId, type, by });
  }
  step.answer(to, statsReply, statsOf(step, queue));
}
