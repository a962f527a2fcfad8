/**
 * Reads a filter: `type:resize status:failed,expired -label.tenant:acme after:2h`. All terms must be true. Values with
 * a comma, and those of a key that is repeated, are alternatives; with `-` none of them may be true.
 */
import {
  Invalid, jobIdOf, jobType, LABEL_NAME, queueName, text as textOfBytes, timeOf,
} from '../../protocols/bounds.js';
import { LIMITS } from '../../protocols/limits.js';
import { JOB_STATUSES } from '../job/job.js';
import {
  KEYS, LABEL_PREFIX, TEXT_KEYS, TIME_KEYS, type Choice, type Filter, type Range, type TextKey,
} from './filter.js';
import { near } from '../matching/nearest.js';
import { refuse, shown, wordsOf, type Word } from './words.js';

type TimeKey = (typeof TIME_KEYS)[number];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const CHECKS: { readonly [K in TextKey]: (value: string) => string } = {
  id: jobIdOf,
  type: jobType,
  queue: queueName,
  status: checkStatus,
  code: (value) => textOfBytes('code', value, LIMITS.failureCodeBytes),
  key: (value) => textOfBytes('key', value, LIMITS.keyBytes),
};

/**
 * @param nowMs of the one who asks: ages like `2h` become times here, once
 * @throws Invalid naming the position, and the nearest key that there is
 */
export function parseFilter(text: string, nowMs: number): Filter {
  const filter: Mutable<Filter> = {};
  let values = 0;
  for (const word of wordsOf(text)) {
    values += word.values.length;
    if (values > LIMITS.filterValues) throw refuse(word.at, `a filter has at most ${LIMITS.filterValues} values`);
    add(filter, word, nowMs);
  }
  return filter;
}

function add(filter: Mutable<Filter>, word: Word, nowMs: number): void {
  const { key } = word;
  if (isOneOf(TEXT_KEYS, key)) filter[key] = joined(filter[key], word, CHECKS[key]);
  else if (key === 'priority') filter.priority = joined(filter.priority, word, rangeOf);
  else if (isOneOf(TIME_KEYS, key)) addTime(filter, key, word, nowMs);
  else if (key.startsWith(LABEL_PREFIX)) addLabel(filter, key.slice(LABEL_PREFIX.length), word);
  else throw unknownKey(word);
}

const isOneOf = <K extends string>(keys: readonly K[], key: string): key is K => keys.includes(key as K);

function joined<V>(before: Choice<V> | undefined, word: Word, check: (value: string) => V): Choice<V> {
  const checked = word.values.map((value) => within(value.at, () => check(value.text)));
  const side = word.isNegated ? 'none' : 'any';
  const all = [...(before?.[side] ?? []), ...checked];
  // Each value once, in the order of the canonical text.
  const sorted = [...new Map(all.map((value) => [JSON.stringify(value), value]))].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...before, [side]: sorted.map(([, value]) => value) };
}

function addLabel(filter: Mutable<Filter>, name: string, word: Word): void {
  if (!LABEL_NAME.test(name)) throw refuse(word.at, `${shown(name)} cannot be the name of a label`);
  const before = filter.labels && Object.hasOwn(filter.labels, name) ? filter.labels[name] : undefined;
  const choice = joined(before, word, (value) => textOfBytes('a label', value, LIMITS.labelBytes));
  filter.labels = Object.fromEntries([...Object.entries(filter.labels ?? {}), [name, choice]]);
}

function addTime(filter: Mutable<Filter>, key: TimeKey, { at, isNegated, values }: Word, nowMs: number): void {
  const other = key === 'after' ? 'before' : 'after';
  if (isNegated) throw refuse(at, `-${key} is not known: write ${other}`);
  if (values.length > 1 || filter[key] !== undefined) throw refuse(at, `${key} can be given once, with one time`);
  filter[key] = timeIn(values[0]!, nowMs);
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000,
};
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;
/** The end of the times that an ISO 8601 time of four digits can say. */
const LAST_MS = 253_402_300_799_999;

function timeIn({ at, text }: Word['values'][number], nowMs: number): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|[smhdw])$/.exec(text) ?? [];
  if (unit !== undefined) return Math.max(0, Math.round(nowMs - Number(amount) * UNITS[unit]!));
  const ms = ISO.test(text) ? within(at, () => timeOf('the time', text)) : Number.NaN;
  if (ms >= 0 && ms <= LAST_MS) return ms;
  const like = 'an age like 90s, 2h or 7d, or a time like 2026-03-01 or 2026-03-01T12:00:00Z';
  throw refuse(at, `${shown(text)} is no time: give ${like}`);
}

function rangeOf(text: string): Range {
  const [, low, dots, high] = /^(-?\d+)?(\.\.)?(-?\d+)?$/.exec(text) ?? [];
  const from = low === undefined ? undefined : Number(low);
  const to = high === undefined ? undefined : Number(high);
  const isRange = dots !== undefined && (from !== undefined || to !== undefined);
  const isOne = dots === undefined && from !== undefined && to === undefined;
  const fits = [from, to].every((each) => each === undefined || Number.isSafeInteger(each));
  const isEmpty = isRange && from !== undefined && to !== undefined && from > to;
  if (!fits || isEmpty || !(isRange || isOne)) {
    throw new Invalid('INVALID_ARGUMENT', `${shown(text)} is no priority: give a number, or a range like 5..10 or 5..`);
  }
  if (isOne) return { from: from! + 0, to: from! + 0 };
  return { ...(from !== undefined && { from: from + 0 }), ...(to !== undefined && { to: to + 0 }) };
}

function checkStatus(value: string): string {
  if (JOB_STATUSES.includes(value as never)) return value;
  const meant = near(value, JOB_STATUSES);
  const hint = meant === undefined ? `there are ${JOB_STATUSES.join(', ')}` : `did you mean ${meant}?`;
  throw new Invalid('INVALID_ARGUMENT', `there is no status ${shown(value)}; ${hint}`);
}

function unknownKey({ at, key }: Word): Invalid {
  const meant = near(key, KEYS.map((each) => (each.startsWith(LABEL_PREFIX) ? 'label' : each)));
  const named = meant === 'label' ? 'label.<name>' : meant;
  const hint = named === undefined ? `the keys are ${KEYS.join(', ')}` : `did you mean ${named}?`;
  return refuse(at, `there is no key ${shown(key)}; ${hint}`);
}

/** A broken rule of a value, with its position. */
function within<T>(at: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof Invalid) throw refuse(at, error.message);
    throw error;
  }
}
