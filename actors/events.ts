/** The events of every kind of actor, for readers of a journal that host none of them. */
import { JOB_EVENTS } from './job/job.events.js';
import type { EventTable } from './kind.js';
import { WORKER_EVENTS } from './worker/worker.js';

const TABLES: Readonly<Record<string, EventTable>> = { job: JOB_EVENTS, worker: WORKER_EVENTS };

/** In which field of its body an event has its content; undefined if it has none. */
export function contentField(kind: string, type: string): number | undefined {
  const table: EventTable | undefined = Object.hasOwn(TABLES, kind) ? TABLES[kind] : undefined;
  return table && Object.hasOwn(table, type) ? table[type]?.content?.field : undefined;
}
