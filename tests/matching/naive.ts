/**
 * A second matcher, for tests: slow, straight from the documents as they were given, and without any code of the first.
 */
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Document = { [name: string]: Json };

export function naiveMatches(require: unknown, capabilities: unknown): boolean {
  const { not = {}, ...wanted } = require as Document;
  const worker = capabilities as Document;
  if (!naiveCustomer(own(wanted, 'customer') as string | undefined, worker)) return false;
  for (const check of checks(wanted)) if (!check(worker)) return false;
  for (const check of checks(not as Document)) if (check(worker)) return false;
  return unwantedCompat(wanted).every((check) => !check(worker));
}

type Check = (worker: Document) => boolean;

/** The smallest parts of a document. */
function checks(of: Document): Check[] {
  const all: Check[] = [];
  for (const field of ['services', 'compliance'] as const) {
    for (const name of lined(own(of, field))) all.push((worker) => lined(own(worker, field)).includes(name));
  }
  for (const name of lined(own(of, 'models'))) all.push((worker) => modelsOf(worker).includes(name));
  const regions = lined(own(of, 'region'));
  if (regions.length > 0) all.push((worker) => regions.some((each) => own(worker, 'region') === each));
  for (const [path, want] of leavesOf(own(of, 'hardware') ?? {})) {
    all.push((worker) => {
      const has = at(own(worker, 'hardware') ?? {}, path);
      return typeof want === 'number' ? typeof has === 'number' && has >= want : has === want;
    });
  }
  for (const [name, rule] of Object.entries(own(of, 'labels') ?? {})) all.push(...labelChecks(name, rule));
  return [...all, ...compatChecks(own(own(of, 'compat') ?? {}, 'positive'))];
}

const unwantedCompat = (of: Document): Check[] => compatChecks(own(own(of, 'compat') ?? {}, 'negative'));

function labelChecks(name: string, rule: Json): Check[] {
  const label = (worker: Document): Json | undefined => own(own(worker, 'labels') ?? {}, name);
  if (typeof rule === 'string') return [(worker) => label(worker) === rule];
  const operators = rule as { in?: string[]; notIn?: string[]; exists?: boolean };
  const all: Check[] = [];
  if (operators.in) all.push((worker) => operators.in!.some((each) => each === label(worker)));
  if (operators.notIn) all.push((worker) => !operators.notIn!.some((each) => each === label(worker)));
  if (operators.exists !== undefined) all.push((worker) => (label(worker) !== undefined) === operators.exists);
  return all;
}

const compatChecks = (side: Json | undefined): Check[] => leavesOf(side ?? {}).flatMap(([path, want]): Check[] => {
  if (Array.isArray(want)) {
    return want.map((each) => (worker) => lined(at(worker, path)).includes(each));
  }
  return [(worker) => {
    const has = at(worker, path);
    if (Array.isArray(has)) return has.includes(want);
    return typeof want === 'number' ? typeof has === 'number' && has >= want : has === want;
  }];
});

function naiveCustomer(customer: string | undefined, worker: Document): boolean {
  const access = (own(worker, 'customerAccess') ?? {}) as { isolation?: string; allowed?: string[]; denied?: string[] };
  if (customer !== undefined && access.denied?.includes(customer)) return false;
  if (access.isolation !== 'strict') return true;
  return customer !== undefined && (access.allowed ?? []).includes(customer);
}

function modelsOf(worker: Document): Json[] {
  const models = own(worker, 'models') ?? [];
  return Array.isArray(models) ? models : Object.values(models).flatMap(lined);
}

/** A member of its own, not one of every object's. */
const own = (of: Json, name: string): Json | undefined =>
  (typeof of === 'object' && of !== null && !Array.isArray(of) && Object.hasOwn(of, name) ? of[name] : undefined);

const lined = (value: Json | undefined): Json[] =>
  (value === undefined ? [] : Array.isArray(value) ? value : [value]);

const isDocument = (value: Json): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function leavesOf(of: Json): [path: string, value: Json][] {
  return Object.entries(of as Document).flatMap(([name, value]): [string, Json][] =>
    (isDocument(value) ? leavesOf(value).map(([path, leaf]) => [`${name}.${path}`, leaf]) : [[name, value]]));
}

/** Tries every member whose name the path is or begins with. */
function at(of: Json, path: string): Json | undefined {
  if (!isDocument(of)) return undefined;
  for (const [name, value] of Object.entries(of)) {
    if (path === name && !isDocument(value)) return value;
    const inner = path.startsWith(`${name}.`) ? at(value, path.slice(name.length + 1)) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}
