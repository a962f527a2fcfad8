/** Queues as a kind of actor: how they are folded, and what a paused one holds back. */
import { groupOf } from '../../protocols/ids.js';
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
  holds: (queues) => queues,
  whyHeld(queues, name) {
    const { id, by, reason } = queues.holderOf(name)!;
    const what = id === name ? 'it' : `its group ${groupOf(id)}`;
    return `${what} was paused${by === '' ? '' : ` by ${by}`}${reason === '' ? '' : `: ${reason}`}`;
  },
};
