/** Capabilities as terms look at them: sets, and one map from every dotted path to what is there. */
import type { Capabilities, CustomerAccess, Isolation } from './capability-shape.js';

type Leaf = string | number | boolean | null | ReadonlySet<unknown>;

export interface Access {
  readonly isolation: Isolation;
  readonly allowed: ReadonlySet<string>;
  readonly denied: ReadonlySet<string>;
}

export interface CapabilityIndex {
  readonly services: ReadonlySet<string>;
  /** Of all services. */
  readonly models: ReadonlySet<string>;
  readonly compliance: ReadonlySet<string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly region: string | undefined;
  readonly access: Access;
  /** Lists as sets. Objects inside of lists are not reached. */
  readonly leaves: ReadonlyMap<string, Leaf>;
}

const indexes = new WeakMap<Capabilities, CapabilityIndex>();

/** @param twice is told a path that is there twice: nested, and with a dot in a name. The first one counts */
export function indexOf(of: Capabilities, twice: (path: string) => void = () => {}): CapabilityIndex {
  const known = indexes.get(of);
  if (known !== undefined) return known;
  const leaves = new Map<string, Leaf>();
  addLeaves(leaves, of, '', twice);
  const { services, models, compliance, labels, region, customerAccess } = fieldsOf(of);
  const made: CapabilityIndex = {
    services: new Set(services), models: new Set(Object.values(models ?? {}).flat()), compliance: new Set(compliance),
    labels: new Map(Object.entries(labels ?? {})), region, access: accessOf(customerAccess), leaves,
  };
  indexes.set(of, made);
  return made;
}

/** What is not a member of its own is absent: a document has whatever names a stranger chose. */
const fieldsOf = (of: Capabilities): Capabilities => Object.assign(Object.create(null) as object, of);

const accessOf = (access: CustomerAccess | undefined): Access => ({
  isolation: access?.isolation ?? 'none', allowed: new Set(access?.allowed), denied: new Set(access?.denied),
});

function addLeaves(to: Map<string, Leaf>, of: object, prefix: string, twice: (path: string) => void): void {
  for (const [name, value] of Object.entries(of) as [string, unknown][]) {
    const path = prefix + name;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      addLeaves(to, value, `${path}.`, twice);
    } else if (to.has(path)) {
      twice(path);
    } else {
      to.set(path, Array.isArray(value) ? new Set<unknown>(value) : (value as Leaf));
    }
  }
}
