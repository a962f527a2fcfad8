/** Whether a filter is true of a job. Time and chance have no part in it, so everybody gets the same answer. */
import type { Choice, Filter, Range, TextKey } from './filter.js';

/** What a filter sees of a job. Only what it asks for is read. */
export interface Filterable {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly status: string;
  readonly key: string;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly submittedMs: number;
  /** 0: it has not ended. */
  readonly endedMs: number;
  readonly failure: { readonly code: string } | undefined;
}

/** The statuses that a filter without `status` means: jobs that can still be done, at once or by a retry. */
const BY_DEFAULT: ReadonlySet<string> = new Set(['ready', 'scheduled', 'running', 'retrying', 'failed']);

const VALUE: { readonly [K in Exclude<TextKey, 'status'>]: (job: Filterable) => string } = {
  id: ({ id }) => id,
  type: ({ type }) => type,
  queue: ({ queue }) => queue,
  code: ({ failure }) => failure?.code ?? '',
  key: ({ key }) => key,
};

type Test = (job: Filterable) => boolean;

/** The time that `after` and `before` compare: of the end of a job that has ended, of the submission of any other. */
export const sinceMs = ({ endedMs, submittedMs }: Pick<Filterable, 'endedMs' | 'submittedMs'>): number =>
  (endedMs > 0 ? endedMs : submittedMs);

/** The filter as a function, to be called for many jobs. */
export function testOf(filter: Filter): Test {
  const tests = [...testsOf(filter)];
  return (job) => {
    for (const test of tests) if (!test(job)) return false;
    return true;
  };
}

/** The cheap ones first. */
function* testsOf({ status, priority, labels, after, before, ...texts }: Filter): Generator<Test> {
  const hasStatus = status?.any?.length ? oneOf(status) : both((value) => BY_DEFAULT.has(value), oneOf(status ?? {}));
  yield (job) => hasStatus(job.status);
  for (const [key, value] of Object.entries(VALUE)) {
    const choice = texts[key as keyof typeof VALUE];
    if (choice === undefined) continue;
    const fits = oneOf(choice);
    yield (job) => fits(value(job));
  }
  if (priority) yield (job) => isWithin(job.priority, priority);
  if (after !== undefined) yield (job) => sinceMs(job) >= after;
  if (before !== undefined) yield (job) => sinceMs(job) < before;
  for (const [name, choice] of Object.entries(labels ?? {})) {
    const fits = oneOf(choice);
    // A label that is absent has no value: it is none of any, also not the empty one.
    yield ({ labels: of }) => (of && Object.hasOwn(of, name) ? fits(of[name]!) : choice.any === undefined);
  }
}

const both = (a: (value: string) => boolean, b: (value: string) => boolean) => (value: string): boolean =>
  a(value) && b(value);

function oneOf({ any, none }: Choice): (value: string) => boolean {
  const [wanted, unwanted] = [any && new Set(any), none && new Set(none)];
  return (value) => (wanted === undefined || wanted.has(value)) && !unwanted?.has(value);
}

function isWithin(value: number, { any, none }: Choice<Range>): boolean {
  const isIn = ({ from = -Infinity, to = Infinity }: Range): boolean => value >= from && value <= to;
  return (any === undefined || any.some(isIn)) && !none?.some(isIn);
}
