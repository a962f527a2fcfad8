/**
 * Lists jobs by a filter, in pages by their place. A step looks at a bounded number of jobs, whatever the filter: a
 * page may have fewer jobs than were asked for, or none, and the next one goes on behind what was looked at.
 */
import { Invalid } from '../../protocols/bounds.js';
import type { Partition } from '../../protocols/ids.js';
import { testOf } from '../filter/filterable.js';
import type { Filter } from '../filter/filter.js';
import type { Step } from '../step.js';
import type { Job } from './job.js';
import { jobKind } from './job.kind.js';
import { detached } from './job-copy.js';

/** Jobs that one step looks at: a few milliseconds. */
const LOOKED_AT = 20_000;
/** A reply is at most 1 MiB with most servers. Protobuf takes less than JSON. */
export const PAGE_BYTES = 512 * 1024;
/** Of a job in JSON at most, beside its key, its labels and its failure. */
const JOB_BYTES = 1_536;

/** At which place the page begins, by partition. A partition that is missing has no more. */
export type Cursor = ReadonlyMap<Partition, number>;

export interface ListJobs {
  readonly filter: Filter;
  /** undefined: the first page. */
  readonly after: Cursor | undefined;
  readonly limit: number;
}

export interface Page {
  readonly jobs: readonly Job[];
  /** Where the next page begins; undefined: this is the last. */
  readonly next: { readonly place: number; readonly upToMs: number } | undefined;
}

const CURSOR = /^\d{1,4}:\d{1,15}(\.\d{1,4}:\d{1,15})*$/;
const CURSOR_CHARACTERS = 16_384;

/** @throws Invalid */
export function cursorOf(text: string): Cursor | undefined {
  if (text === '') return undefined;
  if (text.length > CURSOR_CHARACTERS || !CURSOR.test(text)) {
    throw new Invalid('INVALID_ARGUMENT', 'after must be the next of a page');
  }
  return new Map(text.split('.').map((each) => each.split(':').map(Number) as [Partition, number]));
}

/** Empty: no partition has more. */
export const cursorText = (cursor: Cursor): string => [...cursor].map((entry) => entry.join(':')).join('.');

/** Of this partition. */
export function pageOf(step: Step, { filter, after, limit }: ListJobs): Page {
  const from = after === undefined ? 0 : after.get(step.partition);
  if (from === undefined) return { jobs: [], next: undefined };
  const fits = testOf(filter);
  const jobs: Job[] = [];
  let [looked, bytes, upToMs] = [0, 0, 0];
  for (const job of step.read(jobKind).after(from - 1)) {
    const isIn = fits(job);
    if (isIn) bytes += bytesOf(job.key, job.labels, job.failure?.message);
    const isFull = isIn && jobs.length > 0 && (jobs.length === limit || bytes > PAGE_BYTES);
    if (isFull || looked === LOOKED_AT) return { jobs, next: { place: job.place, upToMs } };
    looked += 1;
    upToMs = job.submittedMs;
    if (isIn) jobs.push(detached(job));
  }
  return { jobs, next: undefined };
}

/** Of what may be long. */
export const bytesOf = (...texts: readonly unknown[]): number =>
  JOB_BYTES + (texts.some(Boolean) ? Buffer.byteLength(JSON.stringify(texts)) : 0);
