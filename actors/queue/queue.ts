/**
 * A queue as the journal knows it: whether it is paused, by whom and why. A queue without an actor is open: it was
 * never paused, or was resumed and then forgotten. Its jobs are counted by their own index.
 */
import { setup } from 'xstate';
import { readChart } from '../chart.js';
import type { Actor, At, BodyContent, EventTable } from '../kind.js';
import { queue as messages } from '../../protocols/messages.js';
import type { ContentRef } from '../../streams/content.js';

export interface Queue extends Actor {
  readonly id: string;
  status: 'open' | 'paused';
  /** Of the latest change. */
  by: string;
  sinceMs: number;
  /** Empty: none, or it was removed from the journal. */
  reason: string;
  reasonContent: ContentRef | undefined;
}

interface Bodies {
  QueuePaused: { readonly status: 'paused'; readonly reason: string; readonly by: string };
  QueueResumed: { readonly status: 'open'; readonly reason: string; readonly by: string };
}
export type QueueEventType = keyof Bodies;
export type QueueEvent = { [T in QueueEventType]: { readonly type: T; readonly body: Bodies[T] } }[QueueEventType];

const REASON: BodyContent = {
  field: 2,
  bytes: (body) => Buffer.from((body as Change).reason),
  without: (body) => ({ ...body, reason: '' }),
};

export const QUEUE_EVENTS: EventTable<QueueEvent> = {
  QueuePaused: { version: 1, message: messages.QueuePaused, content: REASON },
  QueueResumed: { version: 1, message: messages.QueueResumed, content: REASON },
};

export const queueMachine = setup({ types: { events: {} as { type: QueueEventType } } }).createMachine({
  id: 'queue',
  initial: 'absent',
  states: {
    absent: { on: { QueuePaused: 'paused' } },
    paused: { on: { QueueResumed: 'open' } },
    open: { on: { QueuePaused: 'paused' } },
  },
});

export const queueChart = readChart(queueMachine);

type Place = Pick<At, 'nowMs' | 'content'>;

export function applyQueue(queue: Queue | undefined, { body }: QueueEvent, id: string, at: Place): Queue {
  const { status, by, reason } = body;
  const changed = { status, by, sinceMs: at.nowMs, reason, reasonContent: at.content };
  return queue === undefined ? { id, ...changed } : Object.assign(queue, changed);
}

/** Of an event as it is recorded: it says everything. */
export function decideQueueAgain(
  queue: Readonly<Queue> | undefined, { type, body }: QueueEvent,
): QueueEvent | undefined {
  switch (type) {
    case 'QueuePaused': return decidePause(queue, body);
    case 'QueueResumed': return decideResume(queue, body);
    default: return type satisfies never;
  }
}

interface Change {
  readonly reason: string;
  readonly by: string;
}

/** @returns undefined if it is paused already: the first reason stays */
export function decidePause(queue: Readonly<Queue> | undefined, { reason, by }: Change): QueueEvent | undefined {
  if (queue?.status === 'paused') return undefined;
  return { type: 'QueuePaused', body: { status: 'paused', reason, by } };
}

/** @returns undefined if it is open already */
export function decideResume(queue: Readonly<Queue> | undefined, { reason, by }: Change): QueueEvent | undefined {
  if (queue?.status !== 'paused') return undefined;
  return { type: 'QueueResumed', body: { status: 'open', reason, by } };
}
