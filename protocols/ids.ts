/**
 * Ids are branded strings, each with one parser. A job's id is `<partition>-<16 characters of base32>`: it routes
 * without a look-up, and its 80 random bits depend on neither a position nor a key.
 */
import { createHash } from 'node:crypto';

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

export type JobId = Brand<'JobId'>;
export type WorkerId = Brand<'WorkerId'>;
export type Session = Brand<'Session'>;
export type Token = Brand<'Token'>;
export type LeaderId = Brand<'LeaderId'>;
export type JournalId = Brand<'JournalId'>;
export type Namespace = Brand<'Namespace'>;
/** A partition's number, from 0. */
export type Partition = number & { readonly [brand]: 'Partition' };

export const MAX_PARTITIONS = 256;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const SLASH = '/';
const RANDOM_BYTES = 10;
const JOB_ID = /^(0|[1-9]\d{0,2})-[0-9a-hjkmnp-tv-z]{16}$/;
const JOURNAL_ID = /^[0-9a-hjkmnp-tv-z]{16}$/;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const QUEUE = /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64})?$/;
const GROUP = /^[A-Za-z0-9_-]{1,64}\/$/;
const TYPE = /^[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,127}$/;

const named = <Id extends string>(text: string): Id | undefined => (NAME.test(text) ? (text as Id) : undefined);

export const parseWorkerId = (text: string): WorkerId | undefined => named<WorkerId>(text);
export const parseSession = (text: string): Session | undefined => named<Session>(text);
export const parseNamespace = (text: string): Namespace | undefined => named<Namespace>(text);
export const parseJournalId = (text: string): JournalId | undefined =>
  JOURNAL_ID.test(text) ? (text as JournalId) : undefined;
/** `name`, or `group/name`. */
export const isQueueName = (text: string): boolean => QUEUE.test(text);
/** `group/`: all queues of the group, and the queue of that name. */
export const isGroupName = (text: string): boolean => GROUP.test(text);
export const isJobType = (text: string): boolean => TYPE.test(text);

export function parsePartition(value: number): Partition | undefined {
  return Number.isInteger(value) && value >= 0 && value < MAX_PARTITIONS ? (value as Partition) : undefined;
}

export function parseJobId(text: string): JobId | undefined {
  return JOB_ID.test(text) ? (text as JobId) : undefined;
}

/** @param random at least 10 random bytes from `at` on */
export function jobId(partition: Partition, random: Uint8Array, at = 0): JobId {
  return `${partition}-${base32(random, at)}` as JobId;
}

const ID_DIGITS = (RANDOM_BYTES * 8) / 5;
const isDigit = (code: number): boolean => ALPHABET.includes(String.fromCharCode(code));
const IS_DIGIT: readonly boolean[] = Array.from({ length: 128 }, (_, code) => isDigit(code));
const DIGITS = new Uint8Array(128);
[...ALPHABET].forEach((digit, value) => (DIGITS[digit.charCodeAt(0)] = value));

/** Whether the text is the id of a job of that partition. Character by character: it is asked for every command id. */
export function isJobIdOf(partition: Partition, text: string): text is JobId {
  const prefix = `${partition}-`;
  if (text.length !== prefix.length + ID_DIGITS || !text.startsWith(prefix)) return false;
  for (let i = prefix.length; i < text.length; i += 1) if (!IS_DIGIT[text.charCodeAt(i)]) return false;
  return true;
}

/** Writes the 10 random bytes of a job's id to `at`, the inverse of {@link jobId}. */
export function writeRandomOf(id: JobId, into: Uint8Array, at: number): void {
  let [bits, value, to] = [0, 0, at];
  for (let i = id.length - ID_DIGITS; i < id.length; i += 1) {
    value = ((value & 0xff) << 5) | DIGITS[id.charCodeAt(i) & 127]!;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    into[to++] = (value >> bits) & 0xff;
  }
}

/** Writes the 80 random bits of a job's id as three numbers: 32 bits, 32 and 16. */
export function idWords(id: JobId, into: Uint32Array): void {
  const from = id.length - ID_DIGITS;
  let [high, middle, low] = [0, 0, 0];
  for (let i = from; i < from + 6; i += 1) high = (high << 5) | DIGITS[id.charCodeAt(i) & 127]!;
  for (let i = from + 6; i < from + 12; i += 1) middle = (middle << 5) | DIGITS[id.charCodeAt(i) & 127]!;
  for (let i = from + 12; i < from + ID_DIGITS; i += 1) low = (low << 5) | DIGITS[id.charCodeAt(i) & 127]!;
  // Six digits are 30 bits: the first two of the 14 bits that follow fill each word.
  into[0] = (high << 2) | (middle >>> 28);
  into[1] = (middle << 4) | (low >>> 16);
  into[2] = low & 0xffff;
}

/** The inverse of {@link idWords}. */
export function jobIdOfWords(partition: Partition, high: number, middle: number, low: number): JobId {
  let text = `${partition}-`;
  for (let shift = 27; shift >= 2; shift -= 5) text += ALPHABET[(high >>> shift) & 31]!;
  text += ALPHABET[((high & 3) << 3) | (middle >>> 29)]!;
  for (let shift = 24; shift >= 4; shift -= 5) text += ALPHABET[(middle >>> shift) & 31]!;
  text += ALPHABET[((middle & 15) << 1) | (low >>> 15)]!;
  for (let shift = 10; shift >= 0; shift -= 5) text += ALPHABET[(low >>> shift) & 31]!;
  return text as JobId;
}

export function partitionOfJob(id: JobId): Partition {
  return Number.parseInt(id, 10) as Partition;
}

/** Of a queue, the text before the slash, or its whole name; of `group/` the group. */
export function groupOf(queue: string): string {
  const end = queue.indexOf(SLASH);
  return end < 0 ? queue : queue.slice(0, end);
}

/**
 * The partition of a queue or group: that of the group, so that its queues are together. It depends on the number of
 * partitions.
 */
export function partitionOfQueue(queue: string, partitions: number): Partition {
  if (partitions === 1) return 0 as Partition;
  return (createHash('sha256').update(groupOf(queue)).digest().readUInt32BE(0) % partitions) as Partition;
}

/** The parts of a token. The signature proves that a broker gave it out; see proofs.ts. */
export interface TokenParts {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly lease: number;
  readonly signature: string;
}

const MOST_TOKEN_CHARACTERS = 96;
const MOST_DIGITS = 9;

/** Parsed by hand: it happens twice a job, and a regular expression takes four times as long. */
export function parseToken(text: string): TokenParts | undefined {
  if (text.length > MOST_TOKEN_CHARACTERS) return undefined;
  const first = text.indexOf(SLASH);
  const second = text.indexOf(SLASH, first + 1);
  const third = text.indexOf(SLASH, second + 1);
  const end = third < 0 ? text.length : third;
  const id = first > 0 && second > 0 ? parseJobId(text.slice(0, first)) : undefined;
  const [attempt, lease] = [countIn(text, first + 1, second), countIn(text, second + 1, end)];
  return id && attempt > 0 && lease > 0 ? { jobId: id, attempt, lease, signature: text.slice(end + 1) } : undefined;
}

/** The number from `from` to `to`, without a leading zero; 0 if there is none. */
function countIn(text: string, from: number, to: number): number {
  let value = 0;
  if (to - from > MOST_DIGITS) return 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9 || (digit === 0 && value === 0)) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/** @param random at least 10 random bytes */
export const leaderId = (random: Uint8Array): LeaderId => base32(random, 0) as LeaderId;
export const journalId = (random: Uint8Array): JournalId => base32(random, 0) as JournalId;
export const session = (random: Uint8Array): Session => base32(random, 0) as Session;

function base32(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let i = at; i < at + RANDOM_BYTES; i += 5) {
    const high = (bytes[i]! << 12) | (bytes[i + 1]! << 4) | (bytes[i + 2]! >> 4);
    const low = ((bytes[i + 2]! & 15) << 16) | (bytes[i + 3]! << 8) | bytes[i + 4]!;
    text +=
      ALPHABET[high >> 15]! + ALPHABET[(high >> 10) & 31]! + ALPHABET[(high >> 5) & 31]! + ALPHABET[high & 31]! +
      ALPHABET[low >> 15]! + ALPHABET[(low >> 10) & 31]! + ALPHABET[(low >> 5) & 31]! + ALPHABET[low & 31]!;
  }
  return text;
}
