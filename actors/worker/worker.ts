/**
 * A worker in the journal: its rare events, not its heartbeats. Its capabilities at the moment and its open pull are
 * volatile, see actors/worker/sessions.ts.
 */
import { assign, setup } from 'xstate';
import type { Session, WorkerId } from '../../protocols/ids.js';
import { worker as messages } from '../../protocols/messages.js';
import { readChart } from '../chart.js';
import type { EventTable } from '../kind.js';

export interface Worker {
  readonly id: WorkerId;
  status: 'registered' | 'draining' | 'gone';
  session: Session;
  types: readonly string[];
  queues: readonly string[];
  capacity: number;
  software: string;
  /** Canonical JSON; undefined: it says nothing of itself. */
  capabilities: string | undefined;
  /** Of queues; undefined: they have no turns. */
  weights: Readonly<Record<string, number>> | undefined;
  seenMs: number;
}

interface WorkerBodies {
  WorkerRegistered: Omit<RegisterWorker, 'workerId'> & { status: 'registered' };
  WorkerDraining: { status: 'draining'; session: Session };
  WorkerGone: { status: 'gone'; session: Session; reason: string };
}
export type WorkerEventType = keyof WorkerBodies;
export type WorkerEvent = {
  [T in WorkerEventType]: { readonly type: T; readonly body: Readonly<WorkerBodies[T]> };
}[WorkerEventType];
type Applied = WorkerEvent & { readonly id: WorkerId; readonly nowMs: number };

export const WORKER_EVENTS: EventTable<WorkerEvent> = {
  WorkerRegistered: { version: 1, message: messages.WorkerRegistered },
  WorkerDraining: { version: 1, message: messages.WorkerDraining },
  WorkerGone: { version: 1, message: messages.WorkerGone },
};

export const workerMachine = setup({
  types: { context: {} as { worker: Worker | undefined }, events: {} as Applied },
  actions: {
    apply: assign(({ context, event }) => ({ worker: applyWorker(context.worker && { ...context.worker }, event) })),
  },
}).createMachine({
  id: 'worker',
  initial: 'absent',
  context: { worker: undefined },
  states: {
    absent: { on: { WorkerRegistered: { target: 'registered', actions: 'apply' } } },
    registered: {
      on: {
        WorkerRegistered: { target: 'registered', actions: 'apply' },
        WorkerDraining: { target: 'draining', actions: 'apply' },
        WorkerGone: { target: 'gone', actions: 'apply' },
      },
    },
    draining: {
      on: {
        WorkerRegistered: { target: 'registered', actions: 'apply' },
        WorkerGone: { target: 'gone', actions: 'apply' },
      },
    },
    gone: { type: 'final' },
  },
});

export const workerChart = readChart(workerMachine);

export function applyWorker(worker: Worker | undefined, event: Applied): Worker {
  if (event.type === 'WorkerRegistered') {
    const { status, session, types, queues, capacity, software, capabilities, weights } = event.body;
    const { id, nowMs: seenMs } = event;
    return {
      id, status, session, types: [...types], queues: [...queues], capacity, software,
      capabilities: capabilities || undefined, weights: keptWeights(weights), seenMs,
    };
  }
  if (worker === undefined) throw new TypeError(`${event.type} of ${event.id}, which does not exist`);
  worker.status = event.body.status;
  worker.seenMs = event.nowMs;
  return worker;
}

/** Decoded messages have prototypes. The state is plain data, in one order. */
function keptWeights(weights: Readonly<Record<string, number>> | undefined): Worker['weights'] {
  const entries = Object.entries(weights ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

export interface RegisterWorker {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly types: readonly string[];
  readonly queues: readonly string[];
  readonly capacity: number;
  readonly software: string;
  /** Canonical JSON; empty: none. */
  readonly capabilities: string;
  /** Of queues, by name. */
  readonly weights: Readonly<Record<string, number>>;
}

/** Records nothing if nothing changed, because workers register again after every change of leader. */
export function decideRegister(worker: Worker | undefined, command: RegisterWorker): WorkerEvent | undefined {
  const { session, types, queues, capacity, software, capabilities, weights } = command;
  const same =
    worker?.status === 'registered' && worker.session === session && worker.capacity === capacity &&
    worker.software === software && worker.types.join() === types.join() && worker.queues.join() === queues.join() &&
    (worker.capabilities ?? '') === capabilities && JSON.stringify(worker.weights ?? {}) === JSON.stringify(weights);
  if (same) return undefined;
  return {
    type: 'WorkerRegistered',
    body: { status: 'registered', session, types, queues, capacity, software, capabilities, weights },
  };
}

export function decideDrain(worker: Worker | undefined, session: Session, gone: boolean): WorkerEvent | undefined {
  if (worker === undefined || worker.session !== session) return undefined;
  if (gone) return decideGone(worker, 'drained');
  return worker.status === 'draining' ? undefined : { type: 'WorkerDraining', body: { status: 'draining', session } };
}

export const decideGone = (worker: Worker, reason: string): WorkerEvent => ({
  type: 'WorkerGone',
  body: { status: 'gone', session: worker.session, reason },
});
