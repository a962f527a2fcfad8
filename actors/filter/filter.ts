/**
 * A filter of jobs: plain data with absolute times, so whoever applies it reads no clock. It is written as text
 * ({@link textOf}) and read from it (parse.ts): one grammar for the command line, requests and bulk.
 */
import { isoOf } from '../../protocols/bounds.js';

/** The values of one key. A job must have one of `any`, if there are some, and none of `none`. */
export interface Choice<V = string> {
  readonly any?: readonly V[];
  readonly none?: readonly V[];
}

/** Whole numbers, both ends included; without an end it is open. */
export interface Range {
  readonly from?: number;
  readonly to?: number;
}

export const TEXT_KEYS = ['id', 'type', 'queue', 'status', 'code', 'key'] as const;
export type TextKey = (typeof TEXT_KEYS)[number];
export const TIME_KEYS = ['after', 'before'] as const;
/** In the order of the canonical text, which has the labels between priority and times. */
export const KEYS = [...TEXT_KEYS, 'priority', 'label.<name>', ...TIME_KEYS] as const;
export const LABEL_PREFIX = 'label.';

/** All of it must be true of a job. An empty filter is true of every job. */
export interface Filter extends Readonly<Partial<Record<TextKey, Choice>>> {
  readonly priority?: Choice<Range>;
  readonly labels?: Readonly<Record<string, Choice>>;
  /** Unix milliseconds, of {@link Filterable.sinceMs}: from there on. */
  readonly after?: number;
  /** Before, which is not included. */
  readonly before?: number;
}

/** The canonical text: equal for filters that say the same in another order. It can be parsed at any time. */
export function textOf(filter: Filter): string {
  const labels = Object.entries(filter.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...TEXT_KEYS.flatMap((key) => choiceText(key, filter[key], quoted)),
    ...choiceText('priority', filter.priority, rangeText),
    ...labels.flatMap(([name, choice]) => choiceText(LABEL_PREFIX + name, choice, quoted)),
    ...TIME_KEYS.flatMap((key) => (filter[key] === undefined ? [] : [`${key}:${isoOf(filter[key])}`])),
  ].join(' ');
}

function choiceText<V>(key: string, choice: Choice<V> | undefined, text: (value: V) => string): string[] {
  const list = (values: readonly V[]): string => [...new Set(values.map(text))].sort().join(',');
  return [
    ...(choice?.any?.length ? [`${key}:${list(choice.any)}`] : []),
    ...(choice?.none?.length ? [`-${key}:${list(choice.none)}`] : []),
  ];
}

/** What ends a value, or begins a quoted one. */
export const NEEDS_QUOTES = /^$|[\s",\\]/;
const quoted = (value: string): string =>
  (NEEDS_QUOTES.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value);

const rangeText = ({ from, to }: Range): string =>
  (from === to && from !== undefined ? String(from) : `${from ?? ''}..${to ?? ''}`);
