/** What the settings of a queue or group become by a change, and whether they fit to those of its group. */
import { reject, type Rejection } from '../../protocols/errors.js';
import { groupOf, isGroupName } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { whyNotTogether, type SettingsChange } from './check-settings.js';
import type { QueuesReading } from './queues.js';
import type { QueueSettings } from './settings.js';

/** @returns all of the settings after the change, or why it cannot be made */
export function configured(
  queues: QueuesReading, name: string, { settings, unset }: SettingsChange,
): QueueSettings | Rejection {
  const after: QueueSettings = { ...queues.settingsOf(name), ...settings };
  for (const each of unset) delete after[each];
  const why = whyNotTogether(after) ?? whyNotOneLabel(queues, name, after) ?? whyTooMany(queues, name);
  return why === undefined ? after : reject('INVALID_ARGUMENT', why);
}

/** The lines of ready jobs are split by the values of one label. */
const labelOf = ({ perKey, fair }: QueueSettings = {}): string | undefined => (perKey ?? fair)?.label;

function whyNotOneLabel(queues: QueuesReading, name: string, after: QueueSettings): string | undefined {
  const label = labelOf(after);
  if (label === undefined) return undefined;
  const group = `${groupOf(name)}/`;
  const others = isGroupName(name) ? [...queues.configured].filter((each) => `${groupOf(each)}/` === group) : [group];
  const other = others.find((each) => each !== name && (labelOf(queues.settingsOf(each)) ?? label) !== label);
  if (other === undefined) return undefined;
  const theirs = labelOf(queues.settingsOf(other));
  return `a group and its queues must have one label in perKey and fair: ${other} has ${theirs}, not ${label}`;
}

/** Settings are part of the state, so their number is bounded. */
function whyTooMany({ configured: names }: QueuesReading, name: string): string | undefined {
  if (names.has(name) || names.size < LIMITS.queuesWithSettings) return undefined;
  return `this partition has ${names.size} queues with settings; unset those of one, or set them for a group`;
}
