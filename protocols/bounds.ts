/**
 * Checks of single fields, shared by JSON and protobuf. A broken rule is thrown as {@link Invalid} and becomes a
 * rejection.
 */
import {
  isGroupName, isJobType, isQueueName, parseJobId, parseSession, parseToken, parseWorkerId,
  type JobId, type Session, type Token, type TokenParts, type WorkerId,
} from './ids.js';
import { reject, type Rejection, type RejectionCode } from './errors.js';
import { LIMITS } from './limits.js';

export class Invalid extends Error {
  constructor(
    readonly code: RejectionCode,
    message: string,
  ) {
    super(message);
  }
}

/** Runs a validation; what it throws as Invalid is the rejection. */
export function validated<T>(check: () => T): T | Rejection {
  try {
    return check();
  } catch (error) {
    if (error instanceof Invalid) return reject(error.code, error.message);
    throw error;
  }
}

const invalid = (message: string): never => {
  throw new Invalid('INVALID_ARGUMENT', message);
};

export function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return invalid(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

export function within(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  return invalid(`${name} must be a number from ${least} to ${most}, not ${value}`);
}

/**
 * Half of a surrogate pair, which JSON can escape, has no UTF-8 form: it would come back from the journal as another
 * text.
 */
const UNFIT = /[\p{Control}\p{Surrogate}]/u;

export function text(name: string, value: string, mostBytes: number, least = 0): string {
  if (value === '' && least === 0) return value;
  if (value.length < least) return invalid(`${name} must not be empty`);
  const bytes = Buffer.byteLength(value);
  if (bytes > mostBytes) return invalid(`${name} must have at most ${mostBytes} bytes, not ${bytes}`);
  return UNFIT.test(value) ? invalid(`${name} must not hold control characters or half of a surrogate pair`) : value;
}

/** A line separator would let a value look like another line of a list. */
const SEPARATOR = /[\u2028\u2029]/u;
/** Characters that a principal cannot hold. Format characters are not seen, and can change the order of the others. */
export const UNFIT_IN_PRINCIPAL = /[\p{Control}\p{Format}\p{Surrogate}\u2028\u2029]/u;

/** @param name what it is called in messages */
export function principal(name: string, value: string): string {
  const checked = text(name, value, LIMITS.principalBytes);
  if (!UNFIT_IN_PRINCIPAL.test(checked)) return checked;
  return invalid(`${name} must not hold format characters or line separators, not ${escaped(checked)}`);
}

/** Names that were valid before: a million jobs have a handful of them, and each is to be one string, not a million. */
function checkedName(isValid: (value: string) => boolean, rule: string): (value: string) => string {
  const names = new Map<string, string>();
  return (value) => {
    const known = names.get(value);
    if (known !== undefined) return known;
    if (!isValid(value)) return invalid(`${rule}, not ${show(value)}`);
    if (names.size < MOST_NAMES) names.set(value, value);
    return value;
  };
}
const MOST_NAMES = 1_000;

/** An ISO 8601 time in Unix milliseconds. `Date.parse` cuts off what is finer, so that is refused. */
export function timeOf(name: string, value: string): number {
  if (/\.\d{3}\d*[1-9]/.test(value)) return invalid(`${name} is finer than a millisecond`);
  return Date.parse(value);
}

/** The time as {@link timeOf} reads it. */
export const isoOf = (ms: number): string => new Date(ms).toISOString();

const NAME_RULE = 'must be 1 to 64 of A-Z a-z 0-9 _ -';
const QUEUE_RULE = `${NAME_RULE}, or a group and a name with / between them`;
const isQueueOrGroup = (value: string): boolean => isQueueName(value) || isGroupName(value);
export const queueName = checkedName(isQueueName, `queue ${QUEUE_RULE}`);
/** A queue, or with a slash at its end all queues of a group. */
export const queueOrGroup = checkedName(isQueueOrGroup, `queue ${QUEUE_RULE}, or a group with / at its end`);
/** The queue or group that a page begins after. */
export const afterQueue = checkedName(isQueueOrGroup, `after ${QUEUE_RULE}`);
export const jobType = checkedName(isJobType, 'type must be 1 to 128 of A-Z a-z 0-9 _ . : -');
export const jobIdOf = (value: string): JobId => parseJobId(value) ?? invalid(`jobId ${show(value)} is not a job id`);
export const workerIdOf = (value: string): WorkerId =>
  parseWorkerId(value) ?? invalid(`workerId ${NAME_RULE}, not ${show(value)}`);
export const sessionOf = (value: string): Session =>
  parseSession(value) ?? invalid(`session ${NAME_RULE}, not ${show(value)}`);
export const tokenParts = (value: string): TokenParts => parseToken(value) ?? invalid(`${show(value)} is not a token`);
export const tokenOf = (value: string): Token => (tokenParts(value), value as Token);

export function payload(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length <= LIMITS.payloadBytes) return bytes;
  throw new Invalid('TOO_LARGE', `${name} has ${bytes.length} bytes; the limit is ${LIMITS.payloadBytes}`);
}

export function atMost<T>(name: string, list: readonly T[], most: number): readonly T[] {
  return list.length <= most ? list : invalid(`${name} must have at most ${most} entries, not ${list.length}`);
}

/** Of a label. */
export const LABEL_NAME = /^[A-Za-z0-9][A-Za-z0-9_./-]{0,63}$/;
const LABEL_RULE = '1 to 64 of A-Z a-z 0-9 _ . / -, and begin with a letter or digit';

/** Of one label. @param name what it is called in messages */
export const labelName = (name: string, value: string): string =>
  (LABEL_NAME.test(value) ? value : invalid(`${name} must be the name of a label, ${LABEL_RULE}; not ${show(value)}`));

type Labels = Readonly<Record<string, string>>;

export function labels(name: string, map: Labels): Labels | undefined {
  const entries = atMost(name, Object.entries(map), LIMITS.labels);
  if (entries.length === 0) return undefined;
  for (const [key, value] of entries) {
    if (!LABEL_NAME.test(key)) return invalid(`${name}: the name ${show(key)} must be ${LABEL_RULE}`);
    text(`${name}.${key}`, value, LIMITS.labelBytes);
    if (SEPARATOR.test(value)) return invalid(`${name}.${key} must not hold line separators, not ${escaped(value)}`);
  }
  return Object.fromEntries(entries);
}

/** Hostile text in an error message is shown short and escaped. */
const show = (value: string): string => JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
/** As {@link show}, also of characters that JSON leaves as they are and that cannot be seen. */
const escaped = (value: string): string =>
  show(value).replaceAll(/[\p{Format}\u2028\u2029]/gu, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
