/** worker.list: the workers of all partitions, page by page. */
import { z } from 'zod';
import { whole, workerIdOf } from '../../../protocols/bounds.js';
import { withMember } from '../../../protocols/json-text.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import type { Command, ToAll } from '../../command.js';
import { listText } from '../../content-json.js';
import { message, type Reply } from '../../reply.js';
import { count, optionalText } from '../../shapes.js';
import { mergedPage, pageOf, type Page, type PageOf } from '../page.js';
import { viewJson, type View } from '../view.js';

const ofAllPartitions: ToAll<worker.ListWorkers, PageOf> = {
  to: 'all',
  forwarded: (request) => request,
  /** A list that lacks a partition would be read as whole, so one that cannot be asked is a refusal. */
  merge(replies, { limit }) {
    const refused = replies.find((each) => each.refused);
    return refused ?? message(mergedPage(replies.map((each) => each.message as Page), limit));
  },
};

const listReply = (page: Page): Reply => message(page);

export const list = {
  noun: 'worker',
  verb: 'list',
  does: 'the workers that are registered, are cordoned, or left within the last minutes, by name, in pages',
  request: worker.ListWorkers,
  reply: worker.WorkerList,
  json: z.strictObject({ after: optionalText, limit: count.optional() }),
  codes: [],
  routing: ofAllPartitions,
  check: ({ after, limit }) => ({
    after: after === '' ? '' : workerIdOf(after),
    limit: limit === 0 ? LIMITS.listedWorkers : whole('limit', limit, 1, LIMITS.listedWorkers),
  }),
  decide: (step, page, { to }) => step.answer(to, listReply, pageOf(step, page)),
  toJson: ({ workers, next }: { workers: View[]; next: string }) =>
    withMember(next === '' ? {} : { next }, 'workers', listText(workers.map(viewJson))),
} as const satisfies Command<worker.ListWorkers, PageOf>;
