/**
 * The settings of a queue or group as data: each once, with its bounds, its flag and its line in docs/queues.md. JSON,
 * checks, the client's types and the command line are derived from this table. What they mean together is checked in
 * check-settings.ts.
 */
import { labelName } from '../../protocols/bounds.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';
import {
  copyOf, Decimal, Flag, Group, List, Name, named, Numbers, Time, Whole, type Fields, type Given,
} from '../fields.js';
import { SUBMIT } from '../job/job.submit.js';

const NONE = 'none';

const concurrency = (about: string, flag: readonly [string, string]): Whole =>
  new Whole(1, LIMITS.concurrency, 0, { byDefault: 'no limit', about, flag });

const rate = (about: string) => new Group({
  count: new Whole(1, LIMITS.rateCount, 0, { byDefault: NONE, about }),
  perMs: new Time(1, 0, { byDefault: NONE, about: 'in this time' }),
  burst: new Whole(1, LIMITS.rateCount, 0, { byDefault: '`count`', about: 'how many of them at once, at most' }),
});

const label = (name: string, about: string, flag: readonly [string, string]): Name =>
  new Name((value) => labelName(name, value), { byDefault: NONE, about, flag });

export const SETTINGS = named({
  concurrency: concurrency('leases at the same time', ['--concurrency <count>', 'so many leases at the same time']),
  rate: rate('leases'),
  perKey: new Group({
    label: label('perKey.label', 'the label whose values are limited, each by itself',
      ['--per-key <label>', 'limit each value of this label']),
    concurrency: concurrency('leases at the same time, for each value',
      ['--per-key-concurrency <count>', 'so many leases at the same time for each value']),
    rate: rate('leases, for each value'),
    byType: new Flag({
      byDefault: 'false', about: 'each job type counts apart', flag: ['--per-key-by-type', 'count each job type apart'],
    }),
  }),
  fair: new Group({
    label: label('fair.label', 'the label whose values share the queue: that of `perKey`, if both are set',
      ['--fair <label>', 'share the queue between the values of this label']),
    weights: new Numbers(1, LIMITS.weight, LIMITS.weights, {
      byDefault: '1 each', about: 'by value of the label',
      flag: ['--weight <value=number>', 'the share of a value (default: 1); may be given several times'],
    }),
  }),
  ageingPerMinute: new Decimal(0, LIMITS.ageingPerMinute, 0, {
    about: 'points of priority that a waiting job gains in a minute',
    flag: ['--ageing <points>', 'points of priority that a waiting job gains in a minute'],
  }),
  priority: new Group({
    rules: new List({
      label: label('priority.rules.label', 'of jobs that give no priority',
        ['--priority-label <label>', 'the label that gives the priority of a job without one']),
      values: new Numbers(LIMITS.leastPriority, LIMITS.mostPriority, LIMITS.weights, {
        byDefault: NONE, about: 'points by value of the label',
        flag: ['--priority-value <value=number>', 'points of a value; may be given several times'],
      }),
    }, LIMITS.priorityRules),
    deadlines: new List({
      withinMs: new Time(1, 0, {
        byDefault: NONE, about: 'from when the job may start to the end of `timeouts.totalMs`, at most',
      }),
      priority: new Whole(LIMITS.leastPriority, LIMITS.mostPriority, 0, { about: 'points' }),
    }, LIMITS.priorityRules),
  }),
  unworkableAfterMs: new Time(1, 0, {
    byDefault: 'never', about: 'a job that no registered worker could do ends after this time',
    flag: ['--unworkable-after <time>', 'end jobs that no registered worker could do after this time'],
  }),
  defaults: new Group({ retry: copyOf(SUBMIT.retry), timeouts: copyOf(SUBMIT.timeouts) }),
  failedKept: new Whole(0, LIMITS.failedKept, 0, {
    byDefault: `${DEFAULTS.failedKept}`,
    about: 'so many of its failed jobs stay with the leader, to be listed and retried',
    flag: ['--failed-kept <count>', 'so many failed jobs stay with the leader'],
  }),
} satisfies Fields);

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** As they may be given. */
export type GivenSettings = Given<typeof SETTINGS>;

export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
  readonly burst: number;
}

export interface PerKeyLimit {
  readonly label: string;
  readonly concurrency?: number;
  readonly rate?: RateLimit;
  /** Absent: false. */
  readonly byType?: boolean;
}

export interface FairShares {
  readonly label: string;
  /** By value of the label; 1 for others. */
  readonly weights?: Readonly<Record<string, number>>;
}

export interface PriorityPolicy {
  readonly rules?: readonly { readonly label: string; readonly values: Readonly<Record<string, number>> }[];
  /** The nearest first. */
  readonly deadlines?: readonly { readonly withinMs: number; readonly priority: number }[];
}

/** As they are recorded and folded: checked, complete and plain data. What is absent is not set. */
export interface QueueSettings extends Pick<GivenSettings, 'defaults'> {
  readonly concurrency?: number;
  readonly rate?: RateLimit;
  readonly perKey?: PerKeyLimit;
  readonly fair?: FairShares;
  /** 0: none. */
  readonly ageingPerMinute?: number;
  readonly priority?: PriorityPolicy;
  readonly unworkableAfterMs?: number;
  readonly failedKept?: number;
}

/** Of a group. The others concern the order within one queue, or end its jobs. */
export const GROUP_SETTINGS: ReadonlySet<SettingName> = new Set(['concurrency', 'rate', 'perKey', 'defaults']);
