/** The client's part of retention: for how long the archive keeps contents. Setting it needs the user of brokers. */
import { list } from '../actors/retention/commands/list.js';
import { set } from '../actors/retention/commands/set.js';
import { foreignRejection, wireError } from '../protocols/errors.js';
import type { retention as messages } from '../protocols/messages.js';
import { checkMs, checkText } from './checks.js';
import { drawCommandId, type Client } from './client.js';
import { errorOf } from './replies.js';

export interface RetentionSetting {
  readonly partition: number;
  /** Empty: the default of the partition, of all queues without a setting of their own. */
  readonly queue: string;
  /** Since the end of a job; 0: for ever. */
  readonly contentMs: number;
  /** The claimed principal; may be empty. */
  readonly by: string;
  readonly sinceMs: number;
}

export interface RetentionList {
  readonly settings: readonly RetentionSetting[];
  readonly total: number;
}

export interface SetRetention {
  /** Without it the default is set, in every partition. */
  readonly queue?: string;
  /** Since the end of a job; 0: for ever. `default`: the queue follows the default, and the default is for ever. */
  readonly contentMs: number | 'default';
  /** Drawn when it is not given, so that repeating the request changes nothing twice. */
  readonly commandId?: string;
}

/**
 * Payloads, results, failures and reasons of ended jobs are removed from the archive after a time.
 * @throws RepriseError the first one of a partition that did not record it: set it again
 */
export async function setRetention(client: Client, setting: SetRetention): Promise<void> {
  const { queue = '', contentMs, commandId = drawCommandId() } = setting;
  checkText('queue', queue);
  checkText('commandId', commandId);
  const unset = contentMs === 'default';
  const ms = unset ? 0 : contentMs;
  checkMs('contentMs', ms);
  const reply = await client.request<messages.RetentionReply>(set, { queue, contentMs: ms, unset, commandId });
  const failed = reply.changed.find(({ error }) => error);
  if (failed?.error) throw errorOf(wireError(foreignRejection(failed.error)));
}

export async function listRetention(client: Client): Promise<RetentionList> {
  const { settings, total } = await client.request<messages.RetentionList>(list, {});
  return {
    settings: settings.map((each) => {
      const { partition, queue, contentMs, by, sinceMs } = each as messages.RetentionSetting;
      return { partition, queue, contentMs, by, sinceMs };
    }),
    total,
  };
}
