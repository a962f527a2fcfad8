/** The flags of `reprise queues set`: made from the table of settings.ts, and read into settings. */
import { InvalidArgumentError, Option } from 'commander';
import { leavesOf } from '../../actors/fields.js';
import { SETTINGS, type GivenSettings } from '../../actors/queue/settings.js';
import { duration, jsonObject, pairOf, whole } from '../arguments.js';
import { optionOf } from '../field-flags.js';

/** Path within the settings, option, and the value at that path. A number in the path is a place in a list. */
interface SettingFlag {
  readonly path: readonly (string | number)[];
  readonly option: Option;
}

/** Anew for each command: an option keeps what it was given. */
function* settingFlags(): Generator<SettingFlag> {
  for (const field of leavesOf(SETTINGS)) {
    const option = optionOf(field);
    const path = field.name.replace('priority.rules.', 'priority.rules.0.').split('.')
      .map((each) => (each === '0' ? 0 : each));
    if (option) yield { path, option };
  }
  const of = (path: readonly string[], name: string, about: string): SettingFlag[] => {
    const atOnce = new Option(`--${name}burst <count>`, 'how many of them at once (default: count)');
    const inTime = new Option(`--${name}rate <count/time>`, `${about}, like 100/1m`);
    return [{ path, option: inTime.argParser(rate) }, { path, option: atOnce.argParser(burst) }];
  };
  yield* of(['rate'], '', 'so many leases in a time');
  yield* of(['perKey', 'rate'], 'per-key-', 'so many leases in a time for each value');
  const within = new Option('--deadline <time=points>', 'points of priority, with so little time to its end');
  yield { path: ['priority', 'deadlines'], option: within.argParser(deadlines) };
}

function rate(text: string): object {
  const found = /^(\d+)\/(.+)$/.exec(text);
  if (!found) throw new InvalidArgumentError('A rate is a count and a time, like 100/1m.');
  return { count: whole(1)(found[1]!), perMs: duration(found[2]!) };
}

const burst = (text: string): object => ({ burst: whole(1)(text) });

function deadlines(text: string, before: readonly object[] = []): object[] {
  const [time, points] = pairOf(text);
  return [...before, { withinMs: duration(time), priority: whole(-(2 ** 31), 2 ** 31 - 1)(points) }];
}

export const settingOptions = (): Option[] => [...settingFlags()].map(({ option }) => option);

/** @param flags as commander has read them, by the names of their attributes @param from what they are added to */
export function settingsOfFlags(flags: Readonly<Record<string, unknown>>, from: GivenSettings = {}): GivenSettings {
  const settings = structuredClone(from);
  for (const { path, option } of settingFlags()) {
    const value = flags[option.attributeName()];
    if (value !== undefined) put(settings as Record<string, unknown>, path, value);
  }
  return settings;
}

type Into = Record<string | number, unknown>;

/** What a rate and its burst have is one object. */
function put(into: Into, [name, ...rest]: readonly (string | number)[], value: unknown): void {
  const isObject = typeof value === 'object' && !Array.isArray(value);
  if (rest.length > 0) put((into[name!] ??= rest[0] === 0 ? [] : {}) as Into, rest, value);
  else into[name!] = isObject ? { ...(into[name!] as object | undefined), ...value } : value;
}

/** JSON of settings, for those that have no flag. */
export const settingsJson = (text: string): GivenSettings => jsonObject(text);
