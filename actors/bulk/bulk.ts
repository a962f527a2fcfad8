/**
 * A bulk: one command to many jobs of a partition. It collects the jobs that match, part by part; the recorded places
 * are its members from then on. Then it acts on them in slices, at a stated rate, from a recorded cursor.
 */
import { setup } from 'xstate';
import { bulk as messages } from '../../protocols/messages.js';
import type { ContentRef } from '../../streams/content.js';
import { readChart } from '../chart.js';
import type { Actor, At, BodyContent, EventTable } from '../kind.js';

export const ACTIONS = ['retry', 'discard', 'cancel', 'reprioritize'] as const;
export type Action = (typeof ACTIONS)[number];
export type BulkStatus = 'collecting' | 'held' | 'acting' | 'done' | 'stopped';

/** Members, as differences of their places. */
export interface Chunk {
  readonly from: number;
  /** Varints, in base64. */
  readonly places: string;
  readonly members: number;
}

export interface Bulk extends Actor {
  readonly id: string;
  status: BulkStatus;
  readonly action: Action;
  /** Canonical. */
  readonly filter: string;
  readonly priority: number;
  readonly perSecond: number;
  readonly reason: string;
  readonly reasonContent: ContentRef | undefined;
  readonly hold: boolean;
  readonly by: string;
  readonly upTo: number;
  readonly startedMs: number;
  chunks: Chunk[];
  members: number;
  /** The place from which on it collects. */
  next: number;
  /** The cursor: so many members of the first chunk were acted on; chunks that are done are dropped. */
  inChunk: number;
  /** Of all members. */
  advanced: number;
  skipped: number;
  /** 0: it waits, or has ended. */
  dueMs: number;
  endedMs: number;
}

interface Bodies {
  BulkStarted: {
    readonly status: 'collecting'; readonly action: Action; readonly filter: string; readonly priority: number;
    readonly perSecond: number; readonly reason: string; readonly hold: boolean; readonly by: string;
    readonly upTo: number;
  };
  BulkCollected: {
    readonly status: 'collecting'; readonly places: Uint8Array; readonly members: number; readonly from: number;
    readonly next: number;
  };
  BulkFrozen: { readonly status: 'held' };
  BulkWent: { readonly status: 'acting' };
  BulkAdvanced: { readonly status: 'acting'; readonly members: number; readonly dueMs: number };
  BulkSkipped: { readonly status: 'acting'; readonly members: number };
  BulkDone: { readonly status: 'done' };
  BulkStopped: { readonly status: 'stopped'; readonly by: string };
}
export type BulkEventType = keyof Bodies;
export type BulkEvent = { [T in BulkEventType]: { readonly type: T; readonly body: Bodies[T] } }[BulkEventType];

const REASON: BodyContent = {
  field: 6,
  bytes: (body) => Buffer.from((body as Bodies['BulkStarted']).reason),
  without: (body) => ({ ...body, reason: '' }),
};

const since = 3;
export const BULK_EVENTS: EventTable<BulkEvent> = {
  BulkStarted: { version: 1, message: messages.BulkStarted, content: REASON, since },
  BulkCollected: { version: 1, message: messages.BulkCollected, since },
  BulkFrozen: { version: 1, message: messages.BulkFrozen, since },
  BulkWent: { version: 1, message: messages.BulkWent, since },
  BulkAdvanced: { version: 1, message: messages.BulkAdvanced, since },
  BulkSkipped: { version: 1, message: messages.BulkSkipped, since },
  BulkDone: { version: 1, message: messages.BulkDone, since },
  BulkStopped: { version: 1, message: messages.BulkStopped, since },
};

export const bulkMachine = setup({ types: { events: {} as { type: BulkEventType } } }).createMachine({
  id: 'bulk',
  initial: 'absent',
  states: {
    absent: { on: { BulkStarted: 'collecting' } },
    collecting: { on: { BulkCollected: 'collecting', BulkFrozen: 'held', BulkStopped: 'stopped' } },
    held: { on: { BulkWent: 'acting', BulkStopped: 'stopped' } },
    acting: { on: { BulkAdvanced: 'acting', BulkSkipped: 'acting', BulkDone: 'done', BulkStopped: 'stopped' } },
    done: { type: 'final' },
    stopped: { type: 'final' },
  },
});

export const bulkChart = readChart(bulkMachine);

type Place = Pick<At, 'nowMs' | 'content'>;

export function applyBulk(bulk: Bulk | undefined, event: BulkEvent, id: string, at: Place): Bulk {
  if (event.type === 'BulkStarted') return started(id, event.body, at);
  if (bulk === undefined) throw new TypeError(`${event.type} of ${id}, which does not exist`);
  bulk.status = event.body.status;
  switch (event.type) {
    case 'BulkCollected': return collected(bulk, event.body);
    case 'BulkFrozen':
      bulk.dueMs = 0;
      return bulk;
    case 'BulkWent':
      bulk.dueMs = at.nowMs;
      return bulk;
    case 'BulkAdvanced': return advanced(bulk, event.body);
    case 'BulkSkipped':
      bulk.skipped += event.body.members;
      return bulk;
    case 'BulkDone':
    case 'BulkStopped':
      return Object.assign(bulk, { chunks: [], inChunk: 0, dueMs: 0, endedMs: at.nowMs });
    default: return event satisfies never;
  }
}

function started(id: string, body: Bodies['BulkStarted'], { nowMs, content }: Place): Bulk {
  const { status, action, filter, priority, perSecond, reason, hold, by, upTo } = body;
  return {
    id, status, action, filter, priority, perSecond, reason, reasonContent: content, hold, by, upTo, startedMs: nowMs,
    chunks: [], members: 0, next: 0, inChunk: 0, advanced: 0, skipped: 0, dueMs: nowMs, endedMs: 0,
  };
}

function collected(bulk: Bulk, { places, members, from, next }: Bodies['BulkCollected']): Bulk {
  if (members > 0) bulk.chunks.push({ from, places: Buffer.from(places).toString('base64'), members });
  bulk.members += members;
  bulk.next = next;
  return bulk;
}

function advanced(bulk: Bulk, { members, dueMs }: Bodies['BulkAdvanced']): Bulk {
  bulk.advanced += members;
  bulk.inChunk += members;
  if (bulk.inChunk >= (bulk.chunks[0]?.members ?? 0)) {
    bulk.chunks.shift();
    bulk.inChunk = 0;
  }
  bulk.dueMs = dueMs;
  return bulk;
}
