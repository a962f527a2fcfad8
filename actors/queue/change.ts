/** What pausing, resuming and configuring a queue or group have in common. */
import { queueOrGroup, text } from '../../protocols/bounds.js';
import { partitionOfQueue } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { Rejection } from '../../protocols/errors.js';
import { refuseAside } from '../actor/aside.js';
import type { From, ToOne } from '../command.js';
import { commandConflict } from '../command-conflict.js';
import { optionalText } from '../shapes.js';
import type { Step } from '../step.js';
import type { Queue, QueueEvent } from './queue.js';
import { bytesOf } from './check-settings.js';
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
    queue: queueOrGroup(message.queue),
    reason: text('reason', message.reason, LIMITS.reasonBytes),
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes),
  };
}

type Decide = (
  queue: Readonly<Queue> | undefined, change: { readonly reason: string; readonly by: string },
) => QueueEvent | Rejection | undefined;

/** Records the change unless it was made already, and answers with the queue's stats. */
export function changeQueue(step: Step, change: ChangeQueue, type: string, decide: Decide, { to, by }: From): void {
  const { queue, reason, commandId } = change;
  const before = commandId === '' ? undefined : step.seen(commandId);
  const isOther = before && (before.type !== type || before.id !== queue);
  if (isOther) return step.refuse(to, commandConflict(commandId, before));
  const aside = step.setAside.get(queueKind.name, queue);
  if (aside) return step.refuse(to, refuseAside(aside));
  const event = before ? undefined : decide(step.read(queueKind).get(queue), { reason, by });
  if (event && 'code' in event) return step.refuse(to, event);
  if (event) {
    step.makeRoom(reason.length + ('settings' in event.body ? bytesOf(event.body.settings) : 0));
    step.emit(queueKind, queue, event, { commandId, type, by });
  }
  step.answer(to, statsReply, statsOf(step, queue));
}
