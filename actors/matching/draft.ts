/** A requirement while it is read: sets and maps, before it is put in order. */
import type { Scalar } from './reader.js';

/** What may stand in a requirement as well as in its `not`. Paths are dotted. */
export interface Parts {
  readonly services: Set<string>;
  readonly models: Set<string>;
  readonly compliance: Set<string>;
  /** One of them. Empty: not asked for. */
  readonly region: Set<string>;
  readonly hardware: Map<string, Scalar>;
  readonly compat: Map<string, Scalar | readonly Scalar[]>;
}

export interface LabelDraft {
  in: Set<string> | undefined;
  readonly notIn: Set<string>;
  exists: boolean | undefined;
}

export interface Draft {
  readonly wanted: Parts;
  readonly unwanted: Parts;
  /** An unwanted label is a wanted one with the opposite operator. */
  readonly labels: Map<string, LabelDraft>;
  /** '': none. */
  customer: string;
}

const parts = (): Parts => ({
  services: new Set(), models: new Set(), compliance: new Set(), region: new Set(), hardware: new Map(),
  compat: new Map(),
});

export const draft = (): Draft => ({ wanted: parts(), unwanted: parts(), labels: new Map(), customer: '' });

export function labelOf(of: Draft, name: string): LabelDraft {
  const known = of.labels.get(name);
  if (known !== undefined) return known;
  const made: LabelDraft = { in: undefined, notIn: new Set(), exists: undefined };
  of.labels.set(name, made);
  return made;
}
