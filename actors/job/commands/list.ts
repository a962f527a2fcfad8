/** job.list: jobs that are with the leaders, by a filter. */
import { z } from 'zod';
import { whole } from '../../../protocols/bounds.js';
import { withMember } from '../../../protocols/json-text.js';
import { DEFAULTS, LIMITS } from '../../../protocols/limits.js';
import { job } from '../../../protocols/messages.js';
import type { Command, ToAll } from '../../command.js';
import { listText } from '../../content-json.js';
import { textOf } from '../../filter/filter.js';
import { parseFilter } from '../../filter/parse.js';
import { message, type Releasing, type Reply } from '../../reply.js';
import { count, optionalText } from '../../shapes.js';
import { viewJson, viewOf } from '../job.view.js';
import { mergedList } from '../merged-list.js';
import { cursorOf, cursorText, pageOf, type ListJobs, type Page } from '../page.js';
import { positionJson } from '../reply-json.js';

interface Answer extends Page {
  readonly filter: string;
}

const ofAllPartitions: ToAll<job.ListJobs, ListJobs> = {
  to: 'all',
  /** With times in place of ages, so that all partitions compare with the same. */
  forwarded: (request, { nowMs }) => ({ ...request, filter: textOf(parseFilter(request.filter, nowMs)) }),
  merge: mergedList,
};

function listReply({ jobs, next, filter }: Answer, { position }: Releasing): Reply {
  const { partition } = position;
  return message({
    jobs: jobs.map((each) => ({ ...viewOf(each, position), position: null })),
    places: jobs.map(({ place }) => place),
    next: next ? cursorText(new Map([[partition as never, next.place]])) : '',
    filter, positions: [position], upToMs: next?.upToMs ?? 0,
  } satisfies job.JobList.$Properties);
}

function listJson({ jobs, next, filter, places, positions, upToMs }: job.JobList.$Properties): string {
  const rest = { filter, places, positions: (positions ?? []).map(positionJson), ...(next && { next, upToMs }) };
  return withMember(rest, 'jobs', listText((jobs ?? []).map(viewJson)));
}

export const list = {
  noun: 'job',
  verb: 'list',
  does: 'jobs that have not ended, and failed ones that are kept, by a [filter](#filters), the oldest first, in pages',
  request: job.ListJobs,
  reply: job.JobList,
  json: z.strictObject({ filter: optionalText, after: optionalText, limit: count.optional() }),
  codes: [],
  routing: ofAllPartitions,
  check: ({ filter, after, limit }, { nowMs }) => ({
    filter: parseFilter(filter, nowMs),
    after: cursorOf(after),
    limit: limit === 0 ? DEFAULTS.listedJobs : whole('limit', limit, 1, LIMITS.listedJobs),
  }),
  decide: (step, asked, { to }) =>
    step.answer(to, listReply, { ...pageOf(step, asked), filter: textOf(asked.filter) } satisfies Answer),
  toJson: listJson,
} as const satisfies Command<job.ListJobs, ListJobs>;
