/** Whether a worker can do what a job requires, and if not, what it lacks. The rules are those of docs/matching.md. */
import type { Capabilities } from './capability-shape.js';
import { indexOf } from './capability-index.js';
import type { Requirement } from './requirement.js';
import { termsOf, type Term } from './terms.js';

/** One thing that a requirement asks for and the worker does not have. */
export interface Lack {
  /** In the capabilities: `hardware.gpuMemoryGb`, `models`. */
  readonly path: string;
  /** `at least 16`. With the path it is the same for every worker that lacks the same. */
  readonly wanted: string;
  /** `8`, or `nothing`. */
  readonly found: string;
}

const compiled = new WeakMap<Requirement, readonly Term[]>();

function compiledOf(requirement: Requirement): readonly Term[] {
  const known = compiled.get(requirement);
  if (known !== undefined) return known;
  const terms = termsOf(requirement);
  compiled.set(requirement, terms);
  return terms;
}

export function matches(requirement: Requirement, capabilities: Capabilities): boolean {
  const index = indexOf(capabilities);
  for (const term of compiledOf(requirement)) {
    if (!term.holds(index)) return false;
  }
  return true;
}

/** Empty exactly if the worker matches. The terms are in one order for all workers. */
export function lacks(requirement: Requirement, capabilities: Capabilities): Lack[] {
  const index = indexOf(capabilities);
  return compiledOf(requirement)
    .filter((term) => !term.holds(index))
    .map(({ path, wanted, found }) => ({ path, wanted: wanted(), found: found(index) }));
}

/** `hardware.gpuMemoryGb: wants at least 16, has 8`. */
export const lackText = ({ path, wanted, found }: Lack): string => `${path}: wants ${wanted}, has ${found}`;
