/** The client's functions for bulks: one command to all jobs that match a filter. */
import { go } from '../actors/bulk/commands/go.js';
import { show } from '../actors/bulk/commands/show.js';
import { start } from '../actors/bulk/commands/start.js';
import { stop } from '../actors/bulk/commands/stop.js';
import { ACTIONS, type Action, type BulkStatus } from '../actors/bulk/bulk.js';
import { RepriseError } from '../protocols/errors.js';
import type { bulk as messages } from '../protocols/messages.js';
import { checkInteger, checkText, checkTexts, checkWholes } from './checks.js';
import { drawCommandId, type Client } from './client.js';
import { resolvedFilter } from './jobs.js';

export type { Action, BulkStatus } from '../actors/bulk/bulk.js';

export interface BulkPart {
  readonly partition: number;
  readonly status: BulkStatus;
  /** Jobs that it acts on; final once it is no longer collecting. */
  readonly members: number;
  readonly acted: number;
  /** They had changed or left meanwhile. */
  readonly skipped: number;
}

export interface Bulk {
  readonly bulkId: string;
  readonly action: Action;
  /** With times in place of ages. */
  readonly filter: string;
  readonly reason: string;
  readonly by: string;
  /** Of each partition. */
  readonly parts: readonly BulkPart[];
}

export interface BulkOptions {
  /** Jobs in a second, in each partition: 1 to 1,000; 100 by default. */
  readonly perSecond?: number;
  /** Of `reprioritize`. */
  readonly priority?: number;
  /** For people; recorded. */
  readonly reason?: string;
  /** It counts the jobs, and acts on exactly those after {@link goBulk}. */
  readonly hold?: boolean;
  /** Drawn when it is not given. */
  readonly bulkId?: string;
}

/** @returns as it begins: {@link showBulk} says how far it has come */
export async function startBulk(
  client: Client, action: Action, filter: string, options: BulkOptions = {},
): Promise<Bulk> {
  const { perSecond = 0, priority = 0, reason = '', hold = false, bulkId = drawCommandId() } = options;
  if (!ACTIONS.includes(action)) {
    throw new RepriseError('INVALID_ARGUMENT', `action must be one of ${ACTIONS.join(', ')}.`);
  }
  checkWholes('perSecond', [perSecond]);
  checkInteger('priority', priority);
  checkTexts('options', { reason, bulkId }, ['reason', 'bulkId']);
  const message = { bulkId, action, filter: resolvedFilter(filter), priority, perSecond, reason, hold };
  return bulkOf(await client.request<messages.BulkView>(start, message));
}

export const showBulk = (client: Client, bulkId: string): Promise<Bulk> => ask(client, show, bulkId);
export const goBulk = (client: Client, bulkId: string): Promise<Bulk> => ask(client, go, bulkId);
/** What it did stays done. */
export const stopBulk = (client: Client, bulkId: string): Promise<Bulk> => ask(client, stop, bulkId);

async function ask(client: Client, command: typeof show | typeof go | typeof stop, bulkId: string): Promise<Bulk> {
  checkText('bulkId', bulkId);
  return bulkOf(await client.request<messages.BulkView>(command, { bulkId }));
}

function bulkOf({ bulkId, parts }: messages.BulkView): Bulk {
  const all = parts as messages.BulkPart[];
  const { action, filter, reason, by } = all[0]!;
  return {
    bulkId, action: action as Action, filter, reason, by,
    parts: all.map(({ partition, status, members, acted, skipped }) =>
      ({ partition, status: status as BulkStatus, members, acted, skipped })),
  };
}
