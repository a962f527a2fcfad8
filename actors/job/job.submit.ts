/**
 * The fields of a submit: each once, with its bounds, its default, its flag and its line in docs/protocol.md. JSON,
 * protobuf, the client's types and checks, and the command line are derived from this table.
 */
import { Invalid, jobType, queueName } from '../../protocols/bounds.js';
import { JSON_TYPE } from '../../protocols/content.js';
import type { JobId } from '../../protocols/ids.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';
import type { job as messages } from '../../protocols/messages.js';
import {
  Content, Document, Name, named, Pairs, Text, Time, Whole, type AnyField, type Given,
} from '../fields.js';
import type { At } from '../kind.js';
import { requirement, requirementText } from '../matching/requirement.js';
import { storedBytes, type Job } from './job.js';
import { MOST_KEYS } from './keys.js';
import { sharedPolicy } from './policies.js';
import { policyOf, RETRY, TIMEOUTS } from './policy-fields.js';

const checked = (_: string, text: string): string => requirementText(requirement(text));

export const SUBMIT = named({
  type: new Name(jobType, { about: 'which performer: 1 to 128 of `A-Z a-z 0-9 _ . : -`, not beginning with a dot' }),
  queue: new Name(queueName, {
    byDefault: `\`${DEFAULTS.queue}\``,
    about: '1 to 64 of `A-Z a-z 0-9 _ -`, perhaps with a group in front: `group/name`; strictly ordered by priority, '
      + 'then by submission',
    flag: ['--queue <name>', `the queue (default: "${DEFAULTS.queue}")`],
  }, DEFAULTS.queue),
  /**
   * The client sends a Uint8Array as it is and everything else as JSON. A Uint8Array with the content type
   * `application/json` must contain JSON.
   */
  payload: new Content({ byDefault: '`null`', about: 'opaque; any JSON value, or bytes' }),
  contentType: new Text(LIMITS.contentTypeBytes, { byDefault: 'JSON', about: 'of the payload' }),
  priority: new Whole(LIMITS.leastPriority, LIMITS.mostPriority, 0, {
    byDefault: 'by the [policy of the queue](queues.md#priority), else 0', about: 'higher goes first',
    flag: ['--priority <number>', 'higher goes first (default: 0)'],
  }),
  key: new Text(LIMITS.keyBytes, {
    about: `unique in the queue until the job has ended and ${DEFAULTS.keyTtlMs / 3_600_000} h more, or until `
      + `${MOST_KEYS.toLocaleString('en')} younger keys of ended jobs came. `
      + 'The same key with another payload is `KEY_CONFLICT`, compared byte by byte',
    flag: ['--key <text>', 'unique in its queue: the same key is the same job'],
  }),
  /** Drawn by the client if it is not given, so that a repeated request makes no second job. */
  commandId: new Text(LIMITS.commandIdBytes, {
    about: 'makes the submit repeatable: [how long](#repeating)',
    flag: ['--command-id <text>', 'makes the command repeatable: the same id is the same job (default: drawn)'],
  }),
  delayMs: new Time(0, 0, {
    byDefault: 'now',
    about: 'not before, by the time of the journal ([ADR 14](adr/0014-a-journal-keeps-its-own-time.md))',
    flag: ['--delay <time>', 'not before this time has passed: 500ms, 5s, 2m, 1h'],
  }),
  runAtMs: new Time(0, 0, {
    byDefault: 'now', about: 'instead of `delayMs`: in JSON `runAt`, an ISO 8601 time or Unix milliseconds',
  }, Number.MAX_SAFE_INTEGER),
  retry: RETRY,
  timeouts: TIMEOUTS,
  require: new Document(checked, {
    about: 'what a worker must be able to do to get the job ([matching](matching.md)). In protobuf `require_json`',
    flag: ['--require <json>', 'what a worker must be able to do: a JSON object, see docs/matching.md'],
  }),
  prefer: new Document(checked, {
    about: 'of the workers that wait for jobs, those that match get it first; it waits for none of them',
    flag: ['--prefer <json>', 'workers that get it first, if they wait for jobs: a JSON object as in --require'],
  }),
  labels: new Pairs({
    about: `up to ${LIMITS.labels} pairs; shown, not interpreted. A name is 1 to 64 of `
      + '`A-Z a-z 0-9 _ . / -` and begins with a letter or digit; a value is a text of at most '
      + `${LIMITS.labelBytes} bytes without control characters or line separators`,
    flag: ['--label <name=value>', 'a label; may be given several times'],
  }),
} satisfies Record<Exclude<keyof Plain<messages.SubmitJob>, AsText> | 'prefer', AnyField>);

/** In protobuf: a document as its text. */
type AsText = 'requireJson' | 'preferJson';

/** The fields of a message. */
type Plain<Message> = Omit<Message, '$unknowns'>;

/** Fields that a checked job has in another form: as a policy and times, or not at all. */
type Digested = 'retry' | 'timeouts';

/** A job as a client gives it. */
export type JobToSubmit = { readonly type: string } & Omit<Given<typeof SUBMIT>, 'type'>;

type Checked = Readonly<ReturnType<typeof submitJob>>;

/** A job as the decision gets it: checked, with every default that its queue's settings do not change: fill-in.ts. */
export type SubmitJob = Omit<Checked, 'asked'> & Partial<Pick<Checked, 'asked'>>;

/** What a submit gives itself of what a queue has defaults for. */
export interface Asked {
  readonly priority?: number | null | undefined;
  readonly retry?: messages.RetryPolicy.$Properties | null | undefined;
  readonly timeouts?: messages.Timeouts.$Properties | null | undefined;
}

/** @throws Invalid */
export function submitJob(each: messages.SubmitJob, nowMs: number) {
  if (each.delayMs > 0 && each.runAtMs > 0) {
    throw new Invalid('INVALID_ARGUMENT', 'delayMs and runAt exclude each other');
  }
  for (const _ in each.require) throw new Invalid('UNSUPPORTED', 'a requirement is a JSON text in require_json');
  return {
    type: SUBMIT.type.check(each.type),
    queue: SUBMIT.queue.check(each.queue),
    payload: SUBMIT.payload.check(each.payload),
    contentType: checkContentType(each.contentType),
    priority: SUBMIT.priority.check(each.priority),
    key: SUBMIT.key.check(each.key),
    commandId: SUBMIT.commandId.check(each.commandId),
    delayMs: SUBMIT.delayMs.check(each.delayMs),
    /** 0: not given. */
    runAtMs: SUBMIT.runAtMs.check(each.runAtMs, nowMs + LIMITS.delayMs),
    policy: each.retry || each.timeouts ? policyOf(each.retry ?? {}, each.timeouts ?? {}) : DEFAULT_POLICY,
    /** 0: none. */
    startMs: TIMEOUTS.fields.startMs.check(each.timeouts?.startMs),
    /** 0: none. */
    totalMs: TIMEOUTS.fields.totalMs.check(each.timeouts?.totalMs),
    require: SUBMIT.require.check(each.requireJson),
    prefer: SUBMIT.prefer.check(each.preferJson),
    labels: SUBMIT.labels.check(each.labels),
    /** undefined: nothing. */
    asked: isAsking(each) ? (each as Asked) : undefined,
  } satisfies Record<Exclude<keyof typeof SUBMIT, Digested> | 'policy' | 'startMs' | 'totalMs' | 'asked', unknown>;
}

const isAsking = ({ priority, retry, timeouts }: messages.SubmitJob): boolean =>
  typeof priority === 'number' || !!retry || !!timeouts;

/** JSON is the default and is stored as an empty text. */
export const checkContentType = (given: string): string => (given === JSON_TYPE ? '' : SUBMIT.contentType.check(given));

/** One object for all requests without a policy of their own. */
const DEFAULT_POLICY = policyOf({}, {});

/** The body of the event. */
export function submittedBody(
  command: SubmitJob, fingerprint: Uint8Array | undefined, { totalDueMs, startDueMs }: Deadlines,
) {
  const { type, queue, payload, contentType, priority, key, policy, labels, require, prefer } = command;
  return {
    status: 'ready' as const, jobType: type, queue, payload, contentType, priority, key, fingerprint, policy, labels,
    totalDueMs, startDueMs, require, prefer,
  } satisfies Record<keyof Plain<messages.JobSubmitted>, unknown>;
}

/** 0: never. */
interface Deadlines {
  readonly totalDueMs: number;
  readonly startDueMs: number;
}

export type SubmittedBody = ReturnType<typeof submittedBody>;
type Hashed = Omit<SubmittedBody, 'payload'>;

/** The body as it is hashed. Field by field: it runs for every job, and a spread costs ten times as much. */
export function withoutPayload(body: Readonly<SubmittedBody>): Hashed {
  const { status, queue, contentType, priority, key, fingerprint, policy, labels } = body;
  const { totalDueMs, startDueMs, require, prefer } = body;
  return {
    status, jobType: body.jobType, queue, contentType, priority, key, fingerprint, policy, labels, totalDueMs,
    startDueMs, require, prefer,
  } satisfies Record<keyof Hashed, unknown>;
}

/** The command that made the event. It is not delayed: the event that follows says whether it was. */
export function commandOf(body: Readonly<SubmittedBody>, commandId: string, nowMs: number): SubmitJob {
  const { queue, payload, contentType, priority, key, policy, labels, totalDueMs, startDueMs, require, prefer } = body;
  const totalMs = totalDueMs === 0 ? 0 : totalDueMs - nowMs;
  const startMs = startDueMs === 0 ? 0 : startDueMs - nowMs;
  return {
    type: body.jobType, queue, payload, contentType, priority, key, policy, labels, commandId, totalMs, require, prefer,
    startMs, delayMs: 0, runAtMs: 0,
  };
}

/** How many bytes a job may take in a commit, beside what every event takes. */
export const bytesOf = ({ payload, labels, require, prefer }: SubmitJob): number =>
  payload.length + (labels ? Buffer.byteLength(JSON.stringify(labels)) : 0) + require.length + prefer.length;

/** The job that the event makes. */
export function newJob(id: JobId, body: Readonly<SubmittedBody>, at: At): Job {
  return {
    id, type: body.jobType, queue: body.queue, priority: body.priority, key: body.key, labels: kept(body.labels),
    require: body.require || undefined, prefer: body.prefer || undefined, policy: sharedPolicy(body.policy),
    place: at.place, submittedMs: at.nowMs, totalDueMs: body.totalDueMs, startDueMs: body.startDueMs || undefined,
    payload: storedBytes(body.contentType, at), firstSeq: at.seq,
    status: body.status, attempt: 0, lease: 0, workerId: '', session: '', pullSeq: 0, dueMs: 0, attemptDueMs: 0,
    reported: false, cancelling: false, cancelReason: undefined, failure: undefined, result: undefined, endedMs: 0,
    kept: undefined, retried: undefined, lastSeq: at.seq, crashes: undefined, returns: undefined,
  };
}

/** Decoded messages have prototypes. The state is plain data. */
export function kept(labels: SubmittedBody['labels']): Job['labels'] {
  for (const _ in labels) return { ...labels };
  return undefined;
}
