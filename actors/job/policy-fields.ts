/** The fields of a submit that say how a job is retried and timed, and the policy that they make. */
import { Invalid } from '../../protocols/bounds.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';
import type { job as messages } from '../../protocols/messages.js';
import { Decimal, Group, Name, Texts, Time, Times, Whole } from '../fields.js';
import type { Policy } from './job.js';
import { presetName, PRESETS, presetOf, type Preset, type PresetName } from './presets.js';

const { backoff: BACKOFF } = DEFAULTS;

export const RETRY = new Group({
  preset: new Name<PresetName>(presetName, {
    about: 'a [policy by name](#retries); the other fields take the place of its own',
    flag: ['--preset <name>', `a policy by name: ${Object.keys(PRESETS).join(', ')}`],
  }),
  maxAttempts: new Whole(1, LIMITS.maxAttempts, DEFAULTS.maxAttempts, {
    about: 'how often it is tried at most; lost leases do not count',
    flag: ['--attempts <count>', `how often it is tried at most (default: ${DEFAULTS.maxAttempts})`],
  }),
  maxCrashes: new Whole(1, LIMITS.maxCrashes, DEFAULTS.maxCrashes, {
    about: 'as many lost leases end it as `failed` with `CRASH_LOOP`',
    flag: ['--max-crashes <count>', `how many lost leases end it (default: ${DEFAULTS.maxCrashes})`],
  }),
  backoff: new Group({
    initialMs: new Time(0, BACKOFF.initialMs, { about: 'wait before the second attempt' }),
    factor: new Decimal(1, LIMITS.backoffFactor, BACKOFF.factor, {
      about: 'by which each wait is longer than the one before',
    }),
    maxMs: new Time(0, BACKOFF.maxMs, { about: 'longest wait' }),
    fixedMs: new Time(0, 0, { byDefault: '', about: 'instead of these three: the same wait each time' }),
    listMs: new Times(LIMITS.backoffWaits, {
      about: 'instead of these: the waits before the second attempt, the third, and so on; the last one repeats',
      flag: ['--backoff <times>', 'waits between attempts, the last one repeats: 10s, or 1s,5s,1m'],
    }),
    jitter: new Decimal(0, 1, BACKOFF.jitter, {
      byDefault: `${BACKOFF.jitter}; with \`fixedMs\` or \`listMs\` 0`,
      about: 'by which share of itself a wait is changed, up or down',
    }),
  }),
  nonRetryable: new Texts(LIMITS.nonRetryable, LIMITS.failureCodeBytes, {
    about: 'failure codes that end the job at once',
  }),
});

export const TIMEOUTS = new Group({
  attemptMs: new Time(0, DEFAULTS.attemptMs, {
    about: 'of one attempt; 0: none',
    flag: ['--timeout <time>', 'how long one attempt may take (default: 30m; 0: no limit)'],
  }),
  startMs: new Time(0, 0, {
    about: 'to the start of the first attempt, from submit or from the end of the delay; 0: none. It ends as '
      + '`expired` with `START_TIMED_OUT`',
    flag: ['--expires <time>', 'ends as expired if it has not started by then (default: never)'],
  }),
  totalMs: new Time(0, 0, { about: 'from submit to the end; 0: none' }),
  heartbeatMs: new Time(LIMITS.heartbeatMinMs, DEFAULTS.heartbeatMs, {
    about: 'the lease: how long a worker may be silent',
  }),
});

const isGiven = (value: number | null | undefined): boolean => value !== undefined && value !== null;

/** With every default filled in. @throws Invalid */
export function policyOf(retry: messages.RetryPolicy.$Properties, timeouts: messages.Timeouts.$Properties): Policy {
  const { maxAttempts, maxCrashes, nonRetryable } = RETRY.fields;
  const { attemptMs, heartbeatMs } = TIMEOUTS.fields;
  const preset = presetOf(RETRY.fields.preset.check(retry.preset ?? ''));
  return {
    // Protobuf has 0 where nothing was given.
    maxAttempts: maxAttempts.check(retry.maxAttempts || preset.maxAttempts),
    maxCrashes: maxCrashes.check(retry.maxCrashes || preset.maxCrashes),
    ...backoffOf(retry.backoff ?? {}, preset.backoff),
    nonRetryable: nonRetryable.check(retry.nonRetryable),
    attemptMs: attemptMs.check(timeouts.attemptMs),
    heartbeatMs: heartbeatMs.check(timeouts.heartbeatMs),
  };
}

function backoffOf(given: messages.Backoff.$Properties, preset: Preset['backoff']) {
  const { initialMs, factor, maxMs, fixedMs, listMs, jitter } = RETRY.fields.backoff.fields;
  const list = isGiven(given.fixedMs) ? [fixedMs.check(given.fixedMs)] : listMs.check(given.listMs);
  const isGrowing = isGiven(given.initialMs) || isGiven(given.factor) || isGiven(given.maxMs);
  if (list && (isGrowing || (isGiven(given.fixedMs) && given.listMs?.length))) {
    const message = 'retry.backoff: fixedMs, listMs, and initialMs, factor and maxMs exclude each other';
    throw new Invalid('INVALID_ARGUMENT', message);
  }
  return {
    backoffInitialMs: initialMs.check(given.initialMs ?? preset?.initialMs),
    backoffFactor: factor.check(given.factor ?? preset?.factor),
    backoffMaxMs: maxMs.check(given.maxMs ?? preset?.maxMs),
    backoffJitter: jitter.check(given.jitter ?? (list && 0)),
    backoffListMs: list,
  } satisfies Partial<Policy>;
}
