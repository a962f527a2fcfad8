/**
 * The view of a job: every field once. Leader and archive make it from a {@link Job}. The client and the command line
 * use the list of fields.
 */
import type { job as messages } from '../../protocols/messages.js';
import { withContent } from '../content-json.js';
import { jobChart } from './job.chart.js';
import { attemptsOf, type Job } from './job.js';
import { positionJson } from './reply-json.js';

type View = messages.JobView;

/** Not part of the job: the position that the view is based on, and volatile knowledge of the leader. */
type Beside = 'position' | 'progress' | 'progressMessage' | 'noWorker' | 'setAside';
/** The result, which is read from the journal, and its type. */
type Result = 'result' | 'contentType';
export type ViewField = Exclude<keyof View, Beside | Result | '$unknowns'>;

const VIEW: { readonly [F in ViewField]: (job: Readonly<Job>) => View[F] } = {
  jobId: (job) => job.id,
  type: (job) => job.type,
  queue: (job) => job.queue,
  status: (job) => job.status,
  priority: (job) => job.priority,
  key: (job) => job.key,
  attempt: (job) => job.attempt,
  maxAttempts: attemptsOf,
  crashes: (job) => job.crashes ?? 0,
  returns: (job) => job.returns ?? 0,
  maxCrashes: (job) => job.policy.maxCrashes ?? 0,
  submittedMs: (job) => job.submittedMs,
  dueMs: (job) => job.dueMs,
  startDueMs: (job) => job.startDueMs ?? 0,
  endedMs: (job) => job.endedMs,
  workerId: (job) => job.workerId,
  cancelling: (job) => job.cancelling && job.status === 'running',
  labels: (job) => ({ ...job.labels }),
  require: (job) => job.require ?? '',
  prefer: (job) => job.prefer ?? '',
  failure: ({ failure }) => (failure ? { code: failure.code, message: failure.message } : null),
  firstSeq: (job) => job.firstSeq,
  lastSeq: (job) => job.lastSeq,
  generation: (job) => job.retried?.generation ?? 0,
};

export const VIEW_FIELDS = Object.keys(VIEW) as readonly ViewField[];

/** The view without the result, which is read from the journal. */
export function viewOf(job: Readonly<Job>, position: messages.Position.$Properties): messages.JobView.$Properties {
  const view = Object.fromEntries(VIEW_FIELDS.map((field) => [field, VIEW[field](job)]));
  return { ...view, position };
}

/** Empty fields are left out. */
export function viewJson(view: messages.JobView.$Properties): string {
  const { position, result, contentType, require, prefer, ...rest } = view;
  const fields = { ...rest, require: documentIn(require), prefer: documentIn(prefer) };
  const known = Object.fromEntries(Object.entries(fields).filter(([name, value]) => !isEmpty(value, name)));
  return withContent({ ...known, position: positionJson(position) }, 'result', result, contentType);
}

/** In JSON a document is an object. */
const documentIn = (text: string | null | undefined): unknown => (text ? JSON.parse(text) : undefined);

const isEmpty = (value: unknown, name: string): boolean =>
  value === null || value === undefined || value === '' || (value === 0 && name === 'generation');

export const hasEnded = (status: string): boolean => jobChart.isFinal(status);

const ENDING: ReadonlySet<string> = new Set(
  jobChart.arrows.filter(({ to }) => jobChart.isFinal(to)).map(({ event }) => event),
);
/** Whether a job has ended once an event of this type has happened to it. */
export const endsJob = (type: string): boolean => ENDING.has(type);
