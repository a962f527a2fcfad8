/**
 * A worker in the journal: its rare events, not its heartbeats. Its capabilities at the moment and its open pull are
 * volatile, see actors/worker/sessions.ts.
 */
import { assign, setup } from 'xstate';
import type { Session, WorkerId } from '../../protocols/ids.js';
import { worker as messages } from '../../protocols/messages.js';
import type { ContentRef } from '../../streams/content.js';
import { readChart } from '../chart.js';
import type { BodyContent, EventTable } from '../kind.js';

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
  /** Gets no new leases; undefined: it does. It outlives the registration. */
  cordoned?: Ordered;
  /** An operator drains this session. */
  retired?: Ordered;
}

/** What an operator ordered, and when. */
export interface Ordered {
  /** The claimed principal. */
  readonly by: string;
  readonly sinceMs: number;
  /** Empty: none, or it was removed from the journal. */
  readonly reason: string;
  readonly content: ContentRef | undefined;
}

interface WorkerBodies {
  WorkerRegistered: Omit<RegisterWorker, 'workerId'> & { status: 'registered' };
  WorkerDraining: { status: 'draining'; session: Session };
  WorkerGone: { status: 'gone'; session: Session; reason: string };
  WorkerRetired: Order & { status: 'draining'; session: Session };
  WorkerCordoned: Order & { status: Worker['status'] };
  WorkerUncordoned: Order & { status: Worker['status'] };
}

/** An operator's change. */
export type Order = Readonly<Pick<Ordered, 'by' | 'reason'>>;

export type WorkerEventType = keyof WorkerBodies;
export type WorkerEvent = {
  [T in WorkerEventType]: { readonly type: T; readonly body: Readonly<WorkerBodies[T]> };
}[WorkerEventType];
type Applied = WorkerEvent & Place;

interface Place {
  readonly id: WorkerId;
  readonly nowMs: number;
  readonly content?: ContentRef | undefined;
}

const REASON: BodyContent = {
  field: 2,
  bytes: (body) => Buffer.from((body as Order).reason),
  without: (body) => ({ ...body, reason: '' }),
};

export const WORKER_EVENTS: EventTable<WorkerEvent> = {
  WorkerRegistered: { version: 1, message: messages.WorkerRegistered },
  WorkerDraining: { version: 1, message: messages.WorkerDraining },
  WorkerGone: { version: 1, message: messages.WorkerGone },
  WorkerRetired: { version: 1, message: messages.WorkerRetired, content: REASON, since: 3 },
  WorkerCordoned: { version: 1, message: messages.WorkerCordoned, content: REASON, since: 3 },
  WorkerUncordoned: { version: 1, message: messages.WorkerUncordoned, content: REASON, since: 3 },
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
    absent: {
      on: {
        WorkerRegistered: { target: 'registered', actions: 'apply' },
        WorkerCordoned: { target: 'gone', actions: 'apply' },
      },
    },
    registered: {
      on: {
        WorkerRegistered: { target: 'registered', actions: 'apply' },
        WorkerDraining: { target: 'draining', actions: 'apply' },
        WorkerRetired: { target: 'draining', actions: 'apply' },
        WorkerGone: { target: 'gone', actions: 'apply' },
        WorkerCordoned: { target: 'registered', actions: 'apply' },
        WorkerUncordoned: { target: 'registered', actions: 'apply' },
      },
    },
    draining: {
      on: {
        WorkerRegistered: { target: 'registered', actions: 'apply' },
        WorkerGone: { target: 'gone', actions: 'apply' },
        WorkerRetired: { target: 'draining', actions: 'apply' },
        WorkerCordoned: { target: 'draining', actions: 'apply' },
        WorkerUncordoned: { target: 'draining', actions: 'apply' },
      },
    },
    // Not registered here. Only one that is cordoned is still known.
    gone: {
      on: {
        WorkerRegistered: { target: 'registered', actions: 'apply' },
        WorkerUncordoned: { target: 'gone', actions: 'apply' },
      },
    },
  },
});

export const workerChart = readChart(workerMachine);

export function applyWorker(worker: Worker | undefined, event: Applied): Worker {
  if (event.type === 'WorkerRegistered') return registered(worker, event);
  if (worker === undefined) {
    if (event.type === 'WorkerCordoned') return { ...unknown(event.id), cordoned: orderedBy(event) };
    throw new TypeError(`${event.type} of ${event.id}, which does not exist`);
  }
  worker.status = event.body.status;
  switch (event.type) {
    case 'WorkerCordoned':
      worker.cordoned = orderedBy(event);
      return worker;
    case 'WorkerUncordoned':
      delete worker.cordoned;
      return worker;
    case 'WorkerRetired':
      worker.retired = orderedBy(event);
      return worker;
    case 'WorkerGone':
    case 'WorkerDraining':
      worker.seenMs = event.nowMs;
      if (event.type === 'WorkerGone') delete worker.retired;
      return worker;
    default:
      return event satisfies never;
  }
}

function registered(
  worker: Worker | undefined, { id, nowMs: seenMs, body }: Applied & { type: 'WorkerRegistered' },
): Worker {
  const { status, session, types, queues, capacity, software, capabilities, weights } = body;
  return {
    id, status, session, types: [...types], queues: [...queues], capacity, software,
    capabilities: capabilities || undefined, weights: keptWeights(weights), seenMs,
    ...(worker?.cordoned && { cordoned: worker.cordoned }),
  };
}

/** Known only as cordoned. */
const unknown = (id: WorkerId): Worker => ({
  id, status: 'gone', session: '' as Session, types: [], queues: [], capacity: 0, software: '',
  capabilities: undefined, weights: undefined, seenMs: 0,
});

const orderedBy = ({ body: { by, reason }, nowMs: sinceMs, content }: Applied & { readonly body: Order }): Ordered =>
  ({ by, sinceMs, reason, content });

/** Decoded messages have prototypes. The state is plain data, in one order. */
function keptWeights(weights: Readonly<Record<string, number>> | undefined): Worker['weights'] {
  const entries = Object.entries(weights ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** One that is gone is known only while it is cordoned. */
export const hasLeft = ({ status, cordoned }: Readonly<Worker>): boolean => status === 'gone' && cordoned === undefined;

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
  // What an operator drains goes on draining, also if it registers again before it is told.
  if (worker?.retired && worker.session === session) return undefined;
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
  if (worker === undefined || worker.status === 'gone' || worker.session !== session) return undefined;
  if (gone) return decideGone(worker, 'drained');
  return worker.status === 'draining' ? undefined : { type: 'WorkerDraining', body: { status: 'draining', session } };
}

export const decideGone = (worker: Worker, reason: string): WorkerEvent => ({
  type: 'WorkerGone',
  body: { status: 'gone', session: worker.session, reason },
});

/** @returns undefined if it is not registered, or is drained by an operator already: the first reason stays */
export function decideRetire(worker: Readonly<Worker> | undefined, { reason, by }: Order): WorkerEvent | undefined {
  if (worker === undefined || worker.status === 'gone' || worker.retired) return undefined;
  return { type: 'WorkerRetired', body: { status: 'draining', session: worker.session, reason, by } };
}

/** @returns undefined if it is cordoned already: the first reason stays */
export function decideCordon(worker: Readonly<Worker> | undefined, { reason, by }: Order): WorkerEvent | undefined {
  if (worker?.cordoned) return undefined;
  return { type: 'WorkerCordoned', body: { status: worker?.status ?? 'gone', reason, by } };
}

/** @returns undefined if it is not cordoned */
export function decideUncordon(worker: Readonly<Worker> | undefined, { reason, by }: Order): WorkerEvent | undefined {
  if (!worker?.cordoned) return undefined;
  return { type: 'WorkerUncordoned', body: { status: worker.status, reason, by } };
}
