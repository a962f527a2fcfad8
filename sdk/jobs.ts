/** The client's functions for jobs beside those of the client: list by a filter, retry, discard, reprioritize. */
import { textOf } from '../actors/filter/filter.js';
import { parseFilter } from '../actors/filter/parse.js';
import { discard } from '../actors/job/commands/discard.js';
import { list } from '../actors/job/commands/list.js';
import { reprioritize } from '../actors/job/commands/reprioritize.js';
import { retry } from '../actors/job/commands/retry.js';
import { encodeContent } from '../protocols/content.js';
import { validated } from '../protocols/bounds.js';
import { RepriseError } from '../protocols/errors.js';
import type { job as messages } from '../protocols/messages.js';
import { checkInteger, checkText, checkTexts, checkWholes } from './checks.js';
import { drawCommandId, type Client, type Target } from './client.js';
import { jobReplyOf, positionOf, viewOf, type JobReply, type JobView, type Position } from './replies.js';

/** As `get` shows it, without result and progress. */
export type ListedJob = Omit<JobView, 'position' | 'result' | 'resultBytes'>;

export interface JobPage {
  /** The oldest first. A page may have none although others follow: it ends where many jobs were looked at. */
  readonly jobs: readonly ListedJob[];
  /** For the next page; undefined: this is the last. */
  readonly next: string | undefined;
  /** With times in place of ages: the filter of the next page. */
  readonly filter: string;
  /** Of each partition. */
  readonly positions: readonly Position[];
}

export interface PageOptions {
  /** `next` of the page before. */
  readonly after?: string;
  /** 1 to 1,000; 100 by default. */
  readonly limit?: number;
}

/**
 * The filter with times in place of the ages in it, by the clock of this machine.
 * @throws RepriseError INVALID_ARGUMENT that names the position
 */
export function resolvedFilter(filter: string): string {
  checkText('filter', filter);
  const parsed = validated(() => ({ text: textOf(parseFilter(filter, Date.now())) }));
  if ('text' in parsed) return parsed.text;
  throw new RepriseError(parsed.code, `${parsed.message}.`);
}

/** One page of the jobs that have not ended and of the failed ones that are kept. */
export async function listJobs(client: Client, filter = '', options: PageOptions = {}): Promise<JobPage> {
  const { after = '', limit = 0 } = options;
  checkText('after', after);
  checkWholes('limit', [limit]);
  const page = await client.request<messages.JobList>(list, { filter: resolvedFilter(filter), after, limit });
  return {
    jobs: page.jobs.map((each) => listedOf(each as messages.JobView)),
    next: page.next === '' ? undefined : page.next,
    filter: page.filter,
    positions: page.positions.map((each) => positionOf(each)!),
  };
}

/** All of them, page after page, with the filter as it was at the beginning. */
export async function* allJobs(client: Client, filter = ''): AsyncGenerator<ListedJob> {
  let page = await listJobs(client, filter);
  for (;;) {
    yield* page.jobs;
    if (page.next === undefined) return;
    page = await listJobs(client, page.filter, { after: page.next });
  }
}

export interface RetryOptions {
  /** In place of the payload that the job has: a JSON value, or bytes. */
  readonly payload?: unknown;
  /** Of that payload. */
  readonly contentType?: string;
  /** Drawn when it is not given, so that repeating the request retries nothing twice. */
  readonly commandId?: string;
}

/** A job that failed, expired or was cancelled is ready again: the same job, at its place, with all of its attempts. */
export async function retryJob(client: Client, target: Target, options: RetryOptions = {}): Promise<JobReply> {
  const { payload, ...texts } = options;
  checkTexts('options', texts, ['contentType', 'commandId']);
  const content = payload === undefined ? undefined : encodeContent(payload);
  const message = {
    ...target, commandId: texts.commandId ?? drawCommandId(),
    ...(content && { payload: content.bytes, contentType: texts.contentType ?? content.contentType }),
  };
  return jobReplyOf(await client.request<messages.JobReply>(retry, message));
}

export interface DiscardOptions {
  /** For people; recorded. */
  readonly reason?: string;
  readonly commandId?: string;
}

/** A failed job is kept no longer, and cannot be retried. */
export async function discardJob(client: Client, target: Target, options: DiscardOptions = {}): Promise<JobReply> {
  checkTexts('options', options, ['reason', 'commandId']);
  const { reason = '', commandId = drawCommandId() } = options;
  return jobReplyOf(await client.request<messages.JobReply>(discard, { ...target, reason, commandId }));
}

/** Of a job that has not ended. It keeps its place among those of the new priority. */
export async function reprioritizeJob(
  client: Client, target: Target, priority: number, options: { readonly commandId?: string } = {},
): Promise<JobReply> {
  checkInteger('priority', priority);
  checkTexts('options', options, ['commandId']);
  const message = { ...target, priority, commandId: options.commandId ?? drawCommandId() };
  return jobReplyOf(await client.request<messages.JobReply>(reprioritize, message));
}

function listedOf(view: messages.JobView): ListedJob {
  const { position: _, result: __, resultBytes: ___, ...listed } = viewOf(view);
  return listed;
}
