/**
 * Fills in what a submit left out from the settings of its queue and of the group of that. What comes out is recorded,
 * so neither folding nor deciding again needs the settings.
 */
import { validated } from '../../protocols/bounds.js';
import type { Rejection } from '../../protocols/errors.js';
import { groupOf } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { recordedIn } from '../fields.js';
import type { QueuesReading } from '../queue/queues.js';
import type { PriorityPolicy, QueueSettings } from '../queue/settings.js';
import type { Asked, SubmitJob } from './job.submit.js';
import { policyOf, RETRY, TIMEOUTS } from './policy-fields.js';

type Defaults = NonNullable<QueueSettings['defaults']>;
type Backoff = NonNullable<NonNullable<Defaults['retry']>['backoff']>;
type Terms = Pick<SubmitJob, 'policy' | 'startMs' | 'totalMs'>;

/** @returns a refusal where what the job and its queue give does not go together */
export function filledIn(job: SubmitJob, queues: QueuesReading, nowMs: number): SubmitJob | Rejection {
  const own = queues.settingsOf(job.queue);
  const defaults = [queues.settingsOf(`${groupOf(job.queue)}/`)?.defaults, own?.defaults].filter((each) => !!each);
  if (defaults.length === 0 && own?.priority === undefined) return job;
  return validated(() => {
    const { policy, startMs, totalMs } = defaults.length === 0 ? job : termsOf(job.asked, defaults);
    const filled = { ...job, policy, startMs, totalMs };
    const isGiven = typeof job.asked?.priority === 'number' || own?.priority === undefined;
    return isGiven ? filled : { ...filled, priority: priorityBy(own.priority, filled, nowMs) };
  });
}

/** Of jobs that give nothing themselves, by the defaults that apply. Settings are never changed in place. */
const known = new WeakMap<Defaults, { readonly before: Defaults | undefined; readonly terms: Terms }>();

/** @param defaults at least one, the last goes first */
function termsOf(asked: Asked | undefined, defaults: readonly Defaults[]): Terms {
  if (asked?.retry || asked?.timeouts) return merged([...defaults, givenBy(asked)]);
  const [last, before] = [defaults.at(-1)!, defaults.at(-2)];
  const found = known.get(last);
  if (found && found.before === before) return found.terms;
  const terms = merged(defaults);
  known.set(last, { before, terms });
  return terms;
}

const givenBy = ({ retry, timeouts }: Asked): Defaults => ({
  retry: recordedIn(RETRY.fields, retry ?? {}), timeouts: recordedIn(TIMEOUTS.fields, timeouts ?? {}),
});

/** Field by field, each from the last that gives it. A preset takes the place of all that was given before. */
function merged(all: readonly Defaults[]): Terms {
  const from = Math.max(0, all.findLastIndex((each) => each.retry?.preset));
  const given = all.slice(from).map((each) => each.retry ?? {});
  const backoff = given.map((each) => each.backoff ?? {}).reduce(backoffOver, {});
  const retry = Object.assign({}, ...given, { backoff }) as NonNullable<Defaults['retry']>;
  const timeouts = Object.assign({}, ...all.map((each) => each.timeouts)) as NonNullable<Defaults['timeouts']>;
  const { startMs, totalMs } = TIMEOUTS.fields;
  return {
    policy: policyOf(retry as Parameters<typeof policyOf>[0], timeouts),
    startMs: startMs.check(timeouts.startMs), totalMs: totalMs.check(timeouts.totalMs),
  };
}

/** Waits that grow, and waits as they are listed, exclude each other: the last that is given counts. */
function backoffOver(before: Backoff, given: Backoff): Backoff {
  const { fixedMs, listMs, jitter, ...growing } = before;
  const isGrowing = Object.keys(given).some((key) => key === 'initialMs' || key === 'factor' || key === 'maxMs');
  const isListed = given.fixedMs !== undefined || given.listMs !== undefined;
  const kept = isListed ? {} : isGrowing ? growing : { ...growing, fixedMs, listMs };
  return { ...(jitter !== undefined && { jitter }), ...kept, ...given } as Backoff;
}

/** The points of all rules whose label the job has, and those of the nearest deadline that it keeps within. */
function priorityBy(
  { rules = [], deadlines = [] }: PriorityPolicy,
  { labels, totalMs, delayMs, runAtMs }: Pick<SubmitJob, 'labels' | 'totalMs' | 'delayMs' | 'runAtMs'>, nowMs: number,
): number {
  let points = 0;
  for (const { label, values } of rules) {
    const value = labels && Object.hasOwn(labels, label) ? labels[label]! : undefined;
    if (value !== undefined && Object.hasOwn(values, value)) points += values[value]!;
  }
  const waitMs = runAtMs > 0 ? Math.max(0, runAtMs - nowMs) : delayMs;
  const near = totalMs > 0 ? deadlines.find(({ withinMs }) => totalMs - waitMs <= withinMs) : undefined;
  points += near?.priority ?? 0;
  return Math.min(LIMITS.mostPriority, Math.max(LIMITS.leastPriority, points));
}
