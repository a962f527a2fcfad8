/** Checks settings that are given: what one field alone does not say. */
import { Invalid, atMost } from '../../protocols/bounds.js';
import { isGroupName } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { queue as messages } from '../../protocols/messages.js';
import { givenIn } from '../fields.js';
import { meant } from '../shapes.js';
import {
  GROUP_SETTINGS, SETTING_NAMES, SETTINGS, type GivenSettings, type QueueSettings, type SettingName,
} from './settings.js';

export interface SettingsChange {
  readonly settings: QueueSettings;
  readonly unset: readonly SettingName[];
}

const refuse = (why: string): never => {
  throw new Invalid('INVALID_ARGUMENT', why);
};

/** @param queue whose settings they are, or group @throws Invalid */
export function checkSettings(queue: string, message: object, unset: readonly string[]): SettingsChange {
  const settings = completed(givenIn(SETTINGS, message));
  const names = atMost('unset', unset, SETTING_NAMES.length).map(settingName);
  const given = Object.keys(settings) as SettingName[];
  if (given.length === 0 && names.length === 0) refuse('nothing is set and nothing unset');
  const both = names.find((name) => given.includes(name));
  if (both !== undefined) refuse(`${both} cannot be set and unset at once`);
  const ofQueue = isGroupName(queue) ? given.find((name) => !GROUP_SETTINGS.has(name)) : undefined;
  if (ofQueue !== undefined) {
    refuse(`${ofQueue} is a setting of queues; a group has ${[...GROUP_SETTINGS].join(', ')}`);
  }
  return { settings, unset: names };
}

function settingName(name: string): SettingName {
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName;
  return refuse(`unset: there is no setting ${JSON.stringify(name.slice(0, 64))}; ${meant([name], SETTING_NAMES)}`);
}

/** Encoded. */
export const bytesOf = (settings: QueueSettings): number =>
  messages.QueueSettings.encode(settings as messages.QueueSettings.$Properties).finish().length;

/** @returns what is wrong with them as a whole; undefined if nothing is */
export function whyNotTogether(settings: QueueSettings): string | undefined {
  const { perKey, fair } = settings;
  if (perKey && fair && perKey.label !== fair.label) {
    return `perKey and fair must have one label, not ${perKey.label} and ${fair.label}`;
  }
  const bytes = bytesOf(settings);
  return bytes > LIMITS.settingsBytes
    ? `settings must have at most ${LIMITS.settingsBytes} bytes, not ${bytes}` : undefined;
}

/** With what fields need of each other, and without what is empty. @throws Invalid */
function completed({ rate, perKey, fair, priority, defaults, ...plain }: GivenSettings): QueueSettings {
  return {
    ...plain,
    ...(rate && { rate: rateOf('rate', rate) }),
    ...(perKey && { perKey: perKeyOf(perKey) }),
    ...(fair && { fair: { ...fair, label: needed('fair.label', fair.label) } }),
    ...(priority && { priority: priorityOf(priority) }),
    ...(defaults && { defaults: defaultsOf(defaults) }),
  };
}

const needed = <T>(name: string, value: T | undefined): T =>
  (value === undefined ? refuse(`${name} is missing`) : value);

function rateOf(name: string, { count, perMs, burst }: NonNullable<GivenSettings['rate']>): QueueSettings['rate'] & {} {
  const most = needed(`${name}.count`, count);
  return { count: most, perMs: needed(`${name}.perMs`, perMs), burst: burst ?? most };
}

function perKeyOf({ label, concurrency, rate, byType }: NonNullable<GivenSettings['perKey']>): QueueSettings['perKey'] {
  if (concurrency === undefined && rate === undefined) refuse('perKey needs a concurrency or a rate');
  return {
    label: needed('perKey.label', label),
    ...(concurrency !== undefined && { concurrency }),
    ...(rate && { rate: rateOf('perKey.rate', rate) }),
    ...(byType && { byType }),
  };
}

function priorityOf({ rules, deadlines }: NonNullable<GivenSettings['priority']>): QueueSettings['priority'] {
  if (!rules && !deadlines) refuse('priority needs rules or deadlines');
  const byTime = deadlines?.map(({ withinMs, priority }) => ({
    withinMs: needed('priority.deadlines.withinMs', withinMs),
    priority: needed('priority.deadlines.priority', priority),
  })).sort((a, b) => a.withinMs - b.withinMs);
  const twice = byTime?.find(({ withinMs }, nth) => nth > 0 && byTime[nth - 1]!.withinMs === withinMs);
  if (twice) refuse(`priority.deadlines has withinMs ${twice.withinMs} twice`);
  return {
    ...(rules && {
      rules: rules.map(({ label, values }) => ({
        label: needed('priority.rules.label', label), values: needed('priority.rules.values', values),
      })),
    }),
    ...(byTime && { deadlines: byTime }),
  };
}

function defaultsOf(defaults: NonNullable<GivenSettings['defaults']>): QueueSettings['defaults'] {
  const { backoff } = defaults.retry ?? {};
  const isEmpty = Object.keys({ ...defaults.retry, ...defaults.timeouts }).length === 0
    || (backoff && Object.keys(backoff).length === 0);
  return isEmpty ? refuse('defaults must not be empty; unset it instead') : defaults;
}
