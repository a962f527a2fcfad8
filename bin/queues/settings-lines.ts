/** Settings of queues as people read them. */
import type { QueueSettings } from '../../sdk/queues.js';
import { countText, durationText } from '../figures.js';
import { visible } from '../terminal.js';

type Rate = NonNullable<QueueSettings['rate']>;
type PerKey = NonNullable<QueueSettings['perKey']>;

/** With more, their number is shown. */
const MOST_PAIRS = 8;

/** Name and value of each, in words. */
export function* settingLines(settings: QueueSettings): Generator<readonly [name: string, value: string]> {
  const { concurrency, rate, perKey, fair, ageingPerMinute, priority, ...more } = settings;
  const { unworkableAfterMs, defaults, failedKept } = more;
  if (concurrency !== undefined) yield ['concurrency', countText(concurrency)];
  if (rate) yield ['rate', rateText(rate)];
  if (perKey) yield ['per key', perKeyText(perKey)];
  if (fair) yield ['fair', `${fair.label}${fair.weights ? `: ${pairs(fair.weights)}, others 1` : ''}`];
  if (ageingPerMinute !== undefined) yield ['ageing', `${ageingPerMinute} points a minute`];
  for (const { label, values } of priority?.rules ?? []) yield ['priority', `by ${label}: ${pairs(values)}`];
  for (const { withinMs, priority: points } of priority?.deadlines ?? []) {
    yield ['priority', `${points} within ${durationText(withinMs)} of its end`];
  }
  if (unworkableAfterMs !== undefined) yield ['unworkable', `ends after ${durationText(unworkableAfterMs)}`];
  if (defaults) yield ['defaults', visible(JSON.stringify(defaults))];
  if (failedKept !== undefined) yield ['failed kept', countText(failedKept)];
}

const rateText = ({ count, perMs, burst }: Rate): string =>
  `${countText(count)} in ${durationText(perMs)}, at most ${countText(burst)} at once`;

const perKeyText = ({ label, concurrency, rate, byType }: PerKey): string =>
  `${label}: ${[
    ...(concurrency === undefined ? [] : [`concurrency ${countText(concurrency)}`]), ...(rate ? [rateText(rate)] : []),
    ...(byType ? ['each job type apart'] : []),
  ].join(', ')}`;

function pairs(map: Readonly<Record<string, number>>): string {
  const all = Object.entries(map);
  if (all.length > MOST_PAIRS) return `${all.length} values`;
  return all.map(([name, value]) => `${visible(name)}=${value}`).join(' ');
}
