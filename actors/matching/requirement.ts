/**
 * What a job requires of a worker: the `require` document of docs/matching.md, checked and in canonical form.
 * Documents that mean the same become equal requirements with the same text, which names the class of their jobs.
 */
import { MATCHING } from './bounds.js';
import { byUnits, canonicalJson, frozen } from './canonical-json.js';
import type { Draft, LabelDraft } from './draft.js';
import { readRequirement } from './read-requirement.js';
import { Reader, type Scalar } from './reader.js';
import { settle } from './settle.js';
import { TextCache } from './text-cache.js';

export type LabelRule =
  | string
  | { readonly in: readonly string[] }
  | { readonly notIn: readonly string[]; readonly exists?: true }
  | { readonly exists: boolean };

/** Plain, frozen data, which is itself a `require` document. Paths are dotted, lists sorted without doubles. */
export interface Requirement {
  readonly services?: readonly string[];
  readonly hardware?: Readonly<Record<string, Scalar>>;
  readonly models?: readonly string[];
  readonly labels?: Readonly<Record<string, LabelRule>>;
  /** One of them. */
  readonly region?: string | readonly string[];
  readonly compliance?: readonly string[];
  readonly customer?: string;
  readonly compat?: {
    readonly positive?: Readonly<Record<string, Scalar | readonly Scalar[]>>;
    readonly negative?: Readonly<Record<string, Scalar | readonly Scalar[]>>;
  };
  /** Unwanted labels are in `labels`, and unwanted `compat` in `compat.negative`. */
  readonly not?: Pick<Requirement, 'services' | 'hardware' | 'models' | 'region' | 'compliance'>;
}

/** Asks for nothing. A worker with strict customer isolation does not match even this: see docs/matching.md. */
export const NO_REQUIREMENT: Requirement = Object.freeze({});

const cache = new TextCache<Requirement>(MATCHING.cached, MATCHING.cachedUnits);

/**
 * Equal requirements are the same object as long as it is kept, so what is worked out for one is worked out once.
 * @param given the document as JSON text ('' for none) or as what that was parsed to
 * @throws Invalid with REQUIREMENT_INVALID or REQUIREMENT_CONTRADICTORY, and a message that begins with the path
 */
export function requirement(given: unknown): Requirement {
  if (given === '') return NO_REQUIREMENT;
  const known = typeof given === 'string' ? cache.get(given) : undefined;
  if (known !== undefined) return known;
  const made = kept(checked(given));
  if (typeof given === 'string') cache.set(given, made);
  return made;
}

function kept(made: Requirement): Requirement {
  const text = requirementText(made);
  if (text === '') return NO_REQUIREMENT;
  const known = cache.get(text);
  if (known === undefined) cache.set(text, made);
  return known ?? made;
}

function checked(given: unknown): Requirement {
  const reader = new Reader('REQUIREMENT_INVALID', MATCHING.terms * 4);
  const draft = readRequirement(reader, given);
  settle(reader, draft);
  const terms = termsIn(draft);
  if (terms > MATCHING.terms) reader.refuse('require', `asks for ${terms} things; the most is ${MATCHING.terms}`);
  const made = frozen(documentOf(draft));
  const bytes = Buffer.byteLength(requirementText(made));
  if (bytes <= MATCHING.requirementBytes) return made;
  return reader.refuse('require', `has ${bytes} bytes in canonical form; the most is ${MATCHING.requirementBytes}`);
}

const texts = new WeakMap<Requirement, string>();

/** Canonical JSON: equal for requirements that mean the same. '' for one that asks for nothing. */
export function requirementText(of: Requirement): string {
  const known = texts.get(of);
  if (known !== undefined) return known;
  const json = canonicalJson(of);
  const text = json === '{}' ? '' : json;
  texts.set(of, text);
  return text;
}

/**
 * The requirement of a text of {@link requirementText}. Texts are in journals: what was accepted once must be accepted
 * by every later version.
 * @throws Invalid if the text is not one
 */
export const requirementOf = (text: string): Requirement => requirement(text);

function termsIn({ wanted, unwanted, labels, customer }: Draft): number {
  let count = labels.size + (customer === '' ? 0 : 1);
  for (const parts of [wanted, unwanted]) {
    count += parts.services.size + parts.models.size + parts.compliance.size + parts.region.size + parts.hardware.size;
    for (const rule of parts.compat.values()) count += Array.isArray(rule) ? rule.length : 1;
  }
  return count;
}

function documentOf({ wanted, unwanted, labels, customer }: Draft): Requirement {
  const compat = filled({ positive: record(wanted.compat), negative: record(unwanted.compat) });
  const not = filled(fieldsOf(unwanted));
  const rules = record(new Map([...labels].map(([name, label]) => [name, ruleOf(label)])));
  return filled({
    ...fieldsOf(wanted), labels: rules, customer: customer === '' ? undefined : customer, compat, not,
  }) ?? {};
}

const fieldsOf = (parts: Draft['wanted']) => ({
  services: list(parts.services),
  hardware: record(parts.hardware),
  models: list(parts.models),
  region: parts.region.size === 1 ? [...parts.region][0] : list(parts.region),
  compliance: list(parts.compliance),
});

function ruleOf(label: LabelDraft): LabelRule {
  if (label.in !== undefined) return label.in.size === 1 ? [...label.in][0]! : { in: [...label.in].sort(byUnits) };
  if (label.notIn.size === 0) return { exists: label.exists! };
  const notIn = [...label.notIn].sort(byUnits);
  return label.exists === true ? { notIn, exists: true } : { notIn };
}

const list = (set: ReadonlySet<string>): readonly string[] | undefined =>
  (set.size === 0 ? undefined : [...set].sort(byUnits));

/** `Object.fromEntries` makes a member of any name, `__proto__` included. */
function record<V>(map: ReadonlyMap<string, V>): Readonly<Record<string, V>> | undefined {
  if (map.size === 0) return undefined;
  return Object.fromEntries([...map].sort(([one], [other]) => byUnits(one, other)));
}

/** Without what is absent; `undefined` if nothing is left. */
function filled<T extends object>(fields: T): Filled<T> | undefined {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return present.length === 0 ? undefined : Object.fromEntries(present) as Filled<T>;
}

type Filled<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
