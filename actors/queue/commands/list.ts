/** queue.list: the stats of the queues of all partitions, page by page. */
import { z } from 'zod';
import { afterQueue, whole } from '../../../protocols/bounds.js';
import { withMember } from '../../../protocols/json-text.js';
import { LIMITS } from '../../../protocols/limits.js';
import { queue } from '../../../protocols/messages.js';
import type { Command, ToAll } from '../../command.js';
import { listText } from '../../content-json.js';
import { message, type Releasing, type Reply } from '../../reply.js';
import { count, optionalText } from '../../shapes.js';
import { mergedPage, pageOf, type Page, type PageOf } from '../page.js';
import { statsJson, type QueueStats } from '../stats.js';

const ofAllPartitions: ToAll<queue.ListQueues, PageOf> = {
  to: 'all',
  forwarded: (request) => request,
  /** A list that lacks a partition would be read as whole, so one that cannot be asked is a refusal. */
  merge(replies, { limit }) {
    const refused = replies.find((each) => each.refused);
    if (refused) return refused;
    return { message: mergedPage(replies.map((each) => each.message as Page), limit) };
  },
};

const listReply = ({ queues, next }: Page, { position }: Releasing): Reply =>
  message({ queues: queues.map((stats) => ({ ...stats, position })), next });

export const list = {
  noun: 'queue',
  verb: 'list',
  does: 'the stats of every queue that has jobs that have not ended, is paused or has settings, by name, in pages',
  request: queue.ListQueues,
  reply: queue.QueueList,
  json: z.strictObject({ after: optionalText, limit: count.optional() }),
  codes: [],
  routing: ofAllPartitions,
  check: ({ after, limit }) => ({
    after: after === '' ? '' : afterQueue(after),
    limit: limit === 0 ? LIMITS.listedQueues : whole('limit', limit, 1, LIMITS.listedQueues),
  }),
  decide: (step, page, { to }) => step.answer(to, listReply, pageOf(step, page)),
  toJson: ({ queues, next }: { queues: QueueStats[]; next: string }) =>
    withMember(next === '' ? {} : { next }, 'queues', listText(queues.map(statsJson))),
} as const satisfies Command<queue.ListQueues, PageOf>;
