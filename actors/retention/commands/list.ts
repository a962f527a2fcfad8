/** retention.list: the settings of all partitions. */
import { z } from 'zod';
import { whole } from '../../../protocols/bounds.js';
import { LIMITS } from '../../../protocols/limits.js';
import { retention } from '../../../protocols/messages.js';
import type { Command, ToAll } from '../../command.js';
import { message, type Reply } from '../../reply.js';
import { count } from '../../shapes.js';
import type { Step } from '../../step.js';

export interface ListSettings {
  readonly limit: number;
}

const ofAllPartitions: ToAll<retention.ListRetention, ListSettings> = {
  to: 'all',
  forwarded: (request) => request,
  /** A list that lacks a partition would be read as whole, so one that cannot be asked is a refusal. */
  merge(replies, { limit }) {
    const refused = replies.find((each) => each.refused);
    if (refused) return refused;
    const lists = replies.map((each) => each.message as retention.RetentionList);
    return message({
      settings: lists.flatMap(({ settings }) => settings ?? []).slice(0, limit),
      total: lists.reduce((sum, { total }) => sum + (total ?? 0), 0),
    });
  },
};

function listOf({ retention: all, partition }: Step, { limit }: ListSettings): retention.RetentionList.$Properties {
  const settings = [...all].slice(0, limit).map((setting) => ({ partition, ...setting }));
  return { settings, total: all.size };
}

const listReply = (made: retention.RetentionList.$Properties): Reply => message(made);

/** With what is 0 or empty. */
const settingJson = (
  { partition = 0, queue = '', contentMs = 0, by = '', sinceMs = 0 }: retention.RetentionSetting.$Properties,
): object => ({ partition, queue, contentMs, by, sinceMs });

export const list = {
  noun: 'retention',
  verb: 'list',
  does: 'lists for how long the archive keeps contents: the default of each partition, and the settings of queues',
  request: retention.ListRetention,
  reply: retention.RetentionList,
  json: z.strictObject({ limit: count.optional() }),
  codes: [],
  routing: ofAllPartitions,
  check: ({ limit }) =>
    ({ limit: limit === 0 ? LIMITS.retentionSettings : whole('limit', limit, 1, LIMITS.retentionSettings) }),
  decide: (step, request, { to }) => step.answer(to, listReply, listOf(step, request)),
  toJson: ({ settings, total = 0 }: retention.RetentionList.$Properties) =>
    JSON.stringify({ settings: (settings ?? []).map(settingJson), total }),
} as const satisfies Command<retention.ListRetention, ListSettings>;
