/**
 * A queue or group as the journal knows it: its settings, and whether it is paused, by whom and why. Without an actor
 * it is open and has no settings. The jobs of a queue are counted by their own index.
 */
import { isDeepStrictEqual } from 'node:util';
import { setup } from 'xstate';
import { readChart } from '../chart.js';
import { recordedIn } from '../fields.js';
import type { Actor, At, BodyContent, EventTable } from '../kind.js';
import { queue as messages } from '../../protocols/messages.js';
import type { ContentRef } from '../../streams/content.js';
import { SETTINGS, type QueueSettings } from './settings.js';

export interface Queue extends Actor {
  /** Its name; of a group with a slash at the end. */
  readonly id: string;
  status: 'open' | 'paused';
  /** Of the latest pause or resume; if there was none, of the first settings. */
  by: string;
  sinceMs: number;
  /** Empty: none, or it was removed from the journal. */
  reason: string;
  reasonContent: ContentRef | undefined;
  /** Absent: none. */
  configured?: Configured;
}

export interface Configured {
  readonly settings: QueueSettings;
  /** Of the latest change of settings, whose reason is in the journal only. */
  readonly by: string;
  readonly sinceMs: number;
}

interface Bodies {
  QueuePaused: { readonly status: 'paused'; readonly reason: string; readonly by: string };
  QueueResumed: { readonly status: 'open'; readonly reason: string; readonly by: string };
  QueueConfigured: {
    readonly status: Queue['status']; readonly reason: string; readonly by: string; readonly settings: QueueSettings;
  };
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
  QueueConfigured: { version: 1, message: messages.QueueConfigured, content: REASON, since: 3 },
};

export const queueMachine = setup({ types: { events: {} as { type: QueueEventType } } }).createMachine({
  id: 'queue',
  initial: 'absent',
  states: {
    absent: { on: { QueuePaused: 'paused', QueueConfigured: 'open' } },
    paused: { on: { QueueResumed: 'open', QueueConfigured: 'paused' } },
    open: { on: { QueuePaused: 'paused', QueueConfigured: 'open' } },
  },
});

export const queueChart = readChart(queueMachine);

type Place = Pick<At, 'nowMs' | 'content'>;

export function applyQueue(queue: Queue | undefined, event: QueueEvent, id: string, at: Place): Queue {
  if (event.type === 'QueueConfigured') return applySettings(queue, event.body, id, at);
  const { status, by, reason } = event.body;
  const changed = { status, by, sinceMs: at.nowMs, reason, reasonContent: at.content };
  return queue === undefined ? { id, ...changed } : Object.assign(queue, changed);
}

function applySettings(
  queue: Queue | undefined, { status, by, settings }: Bodies['QueueConfigured'], id: string, { nowMs }: Place,
): Queue {
  const made = queue ?? { id, status, by, sinceMs: nowMs, reason: '', reasonContent: undefined };
  const plain = plainSettings({ settings });
  if (Object.keys(plain).length === 0) delete made.configured;
  else made.configured = { settings: plain, by, sinceMs: nowMs };
  return made;
}

/** Of a body that was decoded, or decided. */
const plainSettings = ({ settings }: { readonly settings: QueueSettings | null }): QueueSettings =>
  recordedIn(SETTINGS, settings ?? {}) as QueueSettings;

/** Of an event as it is recorded: it says everything. */
export function decideQueueAgain(
  queue: Readonly<Queue> | undefined, { type, body }: QueueEvent,
): QueueEvent | undefined {
  switch (type) {
    case 'QueuePaused': return decidePause(queue, body);
    case 'QueueResumed': return decideResume(queue, body);
    case 'QueueConfigured': return decideConfigure(queue, plainSettings(body), body);
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

/** @param settings all of them @returns undefined if they are so already */
export function decideConfigure(
  queue: Readonly<Queue> | undefined, settings: QueueSettings, { reason, by }: Change,
): QueueEvent | undefined {
  if (isDeepStrictEqual(settings, queue?.configured?.settings ?? {})) return undefined;
  return { type: 'QueueConfigured', body: { status: queue?.status ?? 'open', reason, by, settings } };
}
