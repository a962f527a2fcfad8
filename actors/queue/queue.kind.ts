/** Queues as a kind of actor: how they are folded, and what a paused one holds back. */
import type { Kind, Role } from '../kind.js';
import { decidedAgain } from '../recorded.js';
import { applyQueue, decideQueueAgain, QUEUE_EVENTS, queueChart, type Queue, type QueueEvent } from './queue.js';
import { Queues, type QueuesReading } from './queues.js';

export interface QueueRole extends Role {
  readonly actor: Queue;
  readonly event: QueueEvent;
  readonly store: Queues;
  readonly reading: QueuesReading;
  readonly live: object;
}

export const queueKind: Kind<QueueRole> = {
  name: 'queue',
  chart: queueChart,
  events: QUEUE_EVENTS,
  open: () => new Queues(),
  apply: applyQueue,
  decideAgain: (queue, { event }) => decidedAgain(decideQueueAgain(queue, event)),
  holds: ({ paused }) => paused,
  whyHeld(queues, name) {
    const { by, reason } = queues.get(name)!;
    return `it was paused${by === '' ? '' : ` by ${by}`}${reason === '' ? '' : `: ${reason}`}`;
  },
};
