/** What each event of a job changed, found by folding the events with the functions that the leader uses. Pure. */
import { applyJob } from '../actors/job/job.apply.js';
import { jobChart } from '../actors/job/job.chart.js';
import { JOB_EVENTS, type JobEvent } from '../actors/job/job.events.js';
import { decodeEvent, type Decoded } from '../actors/kind.js';
import type { Job } from '../actors/job/job.js';
import { contentText } from '../protocols/content.js';
import { RepriseError } from '../protocols/errors.js';
import type { JobId } from '../protocols/ids.js';
import type { journal } from '../protocols/messages.js';
import { oneLine, withMember } from '../protocols/json-text.js';
import type { Fact } from './history.js';

export interface Change {
  readonly before: unknown;
  readonly after: unknown;
}

/** On one line: JSON as it is stored, or a description. */
export interface Content {
  readonly of: 'payload' | 'result';
  readonly text: string;
  readonly isJson: boolean;
}

export interface Step {
  /** `seq.index`: the commit, and the event within it. */
  readonly position: string;
  readonly time: string;
  readonly event: string;
  readonly cause: { readonly type: string; readonly by: string; readonly commandId: string };
  readonly before: string;
  readonly after: string;
  readonly changed: Readonly<Record<string, Change>>;
  readonly content?: Content;
  /** Set if the content of the event was removed from the journal: the size that it had. */
  readonly removedBytes?: number;
  /** The failure that the event records. It may equal the previous one, and is then not in `changed`. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** The event does not follow from the status before: this journal cannot be folded by this version. */
  readonly complaint?: string;
}

/** Not listed as changes: shown elsewhere, of no use to readers, or (`place`) not known from one job's events. */
const NOT_LISTED: ReadonlySet<string> = new Set(['id', 'status', 'place', 'payload', 'result', 'failure', 'lastSeq']);
const SHORT = 400;

export class Steps {
  private job: Job | undefined;

  /** @param status of the job before the first event */
  constructor(
    private readonly id: JobId,
    private status = 'absent',
  ) {}

  next({ seq, index, nowMs, event: stored }: Fact): Step {
    const before = this.status;
    const { type, by, commandId } = stored.cause ?? {};
    const cause = { type: type ?? '', by: by ?? '', commandId: commandId ?? '' };
    const position = `${seq}.${index}`;
    const common = { position, time: new Date(nowMs).toISOString(), event: stored.type, cause, before };
    const event = known(stored, position);
    if (event === undefined) {
      return { ...common, after: before, changed: {}, complaint: 'this version does not know the event' };
    }
    const next = jobChart.next(before, event.type);
    const complaint =
      next === event.body.status ? {} : { complaint: `from ${before} the chart leads to ${next ?? 'no status'}` };
    const old = structuredClone(this.job);
    this.status = event.body.status;
    // Without its submission a job cannot be folded; its events are still listed.
    if (this.job !== undefined || event.type === 'JobSubmitted') {
      this.job = applyJob(this.job, event, this.id, { seq, index, nowMs, place: 0, content: undefined });
    }
    const changed = difference(old, this.job);
    return { ...common, after: event.body.status, changed, ...contents(event), ...complaint };
  }
}

function known(stored: journal.Event, position: string): (JobEvent & Decoded) | undefined {
  try {
    return decodeEvent<JobEvent>(JOB_EVENTS, stored, position);
  } catch (error) {
    if (error instanceof RepriseError && error.code === 'JOURNAL_TOO_NEW') return undefined;
    throw error;
  }
}

function contents(event: JobEvent & Decoded): Pick<Step, 'content' | 'failure' | 'removedBytes'> {
  const removed = event.isContentRemoved ? { removedBytes: event.content?.size ?? 0 } : {};
  return { ...removed, ...(event.isContentRemoved && hasBytes(event) ? {} : shown(event)) };
}

const hasBytes = ({ type }: JobEvent): boolean => type === 'JobSubmitted' || type === 'JobCompleted';

function shown(event: JobEvent): Pick<Step, 'content' | 'failure'> {
  if (event.type === 'JobSubmitted') {
    return { content: contentOf('payload', event.body.payload, event.body.contentType) };
  }
  if (event.type === 'JobCompleted') {
    return { content: contentOf('result', event.body.result, event.body.contentType) };
  }
  const failure = 'failure' in event.body ? event.body.failure : undefined;
  return failure ? { failure: { code: failure.code, message: failure.message } } : {};
}

function contentOf(of: Content['of'], bytes: Uint8Array, contentType: string): Content {
  const stored = contentText(bytes, contentType);
  if (stored === undefined) {
    return { of, text: `${bytes.length} bytes of ${contentType || 'invalid JSON'}`, isJson: false };
  }
  const text = oneLine(stored);
  if (text.length > SHORT) return { of, text: `${text.slice(0, SHORT)}… (${bytes.length} bytes)`, isJson: false };
  return { of, text, isJson: true };
}

/** The step as one line of JSON. */
export function stepJson({ content, ...rest }: Step & { readonly kind?: 'event' }): string {
  if (content === undefined) return JSON.stringify(rest);
  return withMember(rest, content.of, content.isJson ? content.text : JSON.stringify(content.text));
}

/** Field by field. For a new job: the fields that are not empty. */
function difference(before: Job | undefined, after: Job | undefined): Record<string, Change> {
  const changed: Record<string, Change> = {};
  for (const [field, value] of Object.entries(after ?? {})) {
    if (NOT_LISTED.has(field)) continue;
    const old: unknown = before && (before as unknown as Record<string, unknown>)[field];
    if (before ? same(old, value) : isEmpty(value)) continue;
    changed[field] = { before: old ?? null, after: (value as unknown) ?? null };
  }
  return changed;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const isEmpty = (value: unknown): boolean => value === undefined || value === '' || value === 0 || value === false;
