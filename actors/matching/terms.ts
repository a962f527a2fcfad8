/** A requirement as a list of terms, each a single thing that it asks for. */
import type { Access, CapabilityIndex } from './capability-index.js';
import { quoted, shown, type Scalar } from './reader.js';
import type { LabelRule, Requirement } from './requirement.js';

export interface Term {
  /** As in the capabilities: `hardware.gpuMemoryGb`. */
  readonly path: string;
  /** For people. With the path it names the term. */
  readonly wanted: () => string;
  readonly holds: (index: CapabilityIndex) => boolean;
  readonly found: (index: CapabilityIndex) => string;
}

const ABSENT = 'nothing';
const MOST_SHOWN = 8;

/** Terms of equal requirements are equal and in the same order. */
export function termsOf(of: Requirement): Term[] {
  const { labels = {}, compat = {}, not = {} } = of;
  return [
    customerTerm(of.customer),
    ...partTerms(of),
    ...Object.entries(labels).flatMap(([name, rule]) => labelTerms(name, rule)),
    ...compatTerms(compat.positive),
    ...[...partTerms(not), ...compatTerms(compat.negative)].map(negated),
  ];
}

const negated = ({ path, wanted, holds, found }: Term): Term =>
  ({ path, wanted: () => `not ${wanted()}`, holds: (index) => !holds(index), found });

/** Each region of `not` is a part of its own, which is the same as one of them. */
function partTerms({ services, hardware, models, region, compliance }: Requirement): Term[] {
  return [
    ...setTerms('services', services), ...setTerms('models', models), ...setTerms('compliance', compliance),
    ...(region === undefined ? [] : [regionTerm(typeof region === 'string' ? [region] : region)]),
    ...Object.entries(hardware ?? {}).map(([path, want]) => hardwareTerm(`hardware.${path}`, want)),
  ];
}

const setTerms = (field: 'services' | 'models' | 'compliance', names: readonly string[] = []): Term[] =>
  names.map((name) => ({
    path: field,
    wanted: () => quoted(name),
    holds: (index) => index[field].has(name),
    found: (index) => listed([...index[field]]),
  }));

function regionTerm(names: readonly string[]): Term {
  const regions = new Set(names);
  return {
    path: 'region',
    wanted: () => oneOf(names),
    holds: ({ region }) => region !== undefined && regions.has(region),
    found: ({ region }) => (region === undefined ? ABSENT : shown(region)),
  };
}

const hardwareTerm = (path: string, want: Scalar): Term => ({
  path,
  wanted: () => (typeof want === 'number' ? `at least ${want}` : exactly(want)),
  holds: typeof want === 'number'
    ? ({ leaves }) => isAtLeast(leaves.get(path), want)
    : ({ leaves }) => leaves.get(path) === want,
  found: foundAt(path),
});

const isAtLeast = (value: unknown, least: number): boolean => typeof value === 'number' && value >= least;

function labelTerms(name: string, rule: LabelRule): Term[] {
  const path = `labels.${name}`;
  const term = (wanted: () => string, holds: (value: string | undefined) => boolean): Term => ({
    path, wanted,
    holds: ({ labels }) => holds(labels.get(name)),
    found: ({ labels }) => (labels.has(name) ? shown(labels.get(name)) : ABSENT),
  });
  const terms: Term[] = [];
  if (typeof rule === 'string') return [term(() => quoted(rule), (value) => value === rule)];
  if ('in' in rule) {
    const wanted = new Set(rule.in);
    terms.push(term(() => oneOf(rule.in), (value) => value !== undefined && wanted.has(value)));
  }
  if ('notIn' in rule) {
    const unwanted = new Set(rule.notIn);
    terms.push(term(() => `not ${oneOf(rule.notIn)}`, (value) => value === undefined || !unwanted.has(value)));
  }
  if (!('exists' in rule)) return terms;
  const { exists } = rule;
  return [...terms, term(() => (exists === true ? 'any value' : ABSENT), (value) => (value !== undefined) === exists)];
}

/** Whether the worker takes jobs of this customer, or of nobody in particular. */
const customerTerm = (customer: string | undefined): Term => ({
  path: 'customerAccess',
  wanted: () => (customer === undefined ? 'access without a customer' : `access for customer ${quoted(customer)}`),
  holds: ({ access }) => admits(access, customer),
  found: ({ access: { isolation, allowed, denied } }) => [
    `isolation ${isolation}`,
    ...(isolation === 'strict' ? [`allowed: ${listed([...allowed])}`] : []),
    ...(denied.size > 0 ? [`denied: ${listed([...denied])}`] : []),
  ].join(', '),
});

function admits({ isolation, allowed, denied }: Access, customer: string | undefined): boolean {
  if (customer === undefined) return isolation !== 'strict';
  return !denied.has(customer) && (isolation !== 'strict' || allowed.has(customer));
}

const compatTerms = (side: Readonly<Record<string, Scalar | readonly Scalar[]>> = {}): Term[] =>
  Object.entries(side).flatMap(([path, want]) => {
    if (typeof want === 'number') return [compatNumber(path, want)];
    return (Array.isArray(want) ? want as readonly Scalar[] : [want as Scalar]).map((each) => compatValue(path, each));
  });

const compatNumber = (path: string, want: number): Term => ({
  path,
  wanted: () => `at least ${want}`,
  holds: ({ leaves }) => {
    const value = leaves.get(path);
    return value instanceof Set ? value.has(want) : isAtLeast(value, want);
  },
  found: foundAt(path),
});

/** A list has the value, or what is there equals it. */
const compatValue = (path: string, want: Scalar): Term => ({
  path,
  wanted: () => (typeof want === 'number' ? `exactly ${want}` : exactly(want)),
  holds: ({ leaves }) => {
    const value = leaves.get(path);
    return value instanceof Set ? value.has(want) : value === want;
  },
  found: foundAt(path),
});

const foundAt = (path: string) => ({ leaves }: CapabilityIndex): string => {
  const value = leaves.get(path);
  return value === undefined ? ABSENT : value instanceof Set ? listed([...value]) : shown(value);
};

const exactly = (want: Scalar): string => (typeof want === 'string' ? quoted(want) : String(want));

const oneOf = (names: readonly string[]): string =>
  (names.length === 1 ? quoted(names[0]!) : `one of ${listed(names)}`);

function listed(values: readonly unknown[]): string {
  if (values.length === 0) return ABSENT;
  const more = values.length > MOST_SHOWN ? ` and ${values.length - MOST_SHOWN} more` : '';
  return values.slice(0, MOST_SHOWN).map(shown).join(', ') + more;
}
