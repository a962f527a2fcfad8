/** Bulks as a kind of actor: how they are folded. */
import type { Kind, Role } from '../kind.js';
import { decidedAgain } from '../recorded.js';
import { applyBulk, bulkChart, BULK_EVENTS, type Bulk, type BulkEvent } from './bulk.js';
import { Bulks, type BulksReading } from './bulks.js';

export interface BulkRole extends Role {
  readonly actor: Bulk;
  readonly event: BulkEvent;
  readonly store: Bulks;
  readonly reading: BulksReading;
  readonly live: object;
}

export const bulkKind: Kind<BulkRole> = {
  name: 'bulk',
  chart: bulkChart,
  events: BULK_EVENTS,
  isLater: true,
  open: () => new Bulks(),
  apply: applyBulk,
  /** What it took from outside, the request and the jobs that there were, is all in the event. */
  decideAgain: (_, { event }) => decidedAgain<BulkEvent>(event),
  dueMs: ({ dueMs }) => dueMs,
};
