/** Reads a `require` document into a draft: every field and operator, each with its types and bounds. */
import { MATCHING } from './bounds.js';
import { byUnits, canonicalJson } from './canonical-json.js';
import { draft, labelOf, type Draft, type Parts } from './draft.js';
import { Reader, shown, type Entry, type Scalar } from './reader.js';

export const REQUIRE_FIELDS = [
  'services', 'hardware', 'models', 'labels', 'region', 'compliance', 'customer', 'compat', 'not',
] as const;
/** `not` has no `not`, and whom a job belongs to cannot be unwanted. */
export const NOT_FIELDS = ['services', 'hardware', 'models', 'labels', 'region', 'compliance', 'compat'] as const;
const OUTSIDE_NOT = new Set<string>(['not', 'customer'] satisfies Field[]);
export const LABEL_OPERATORS = ['in', 'notIn', 'exists'] as const;
/** In a label of `not`, `notIn` would be a second negation. */
export const NOT_LABEL_OPERATORS = ['in', 'exists'] as const;
export const COMPAT_SIDES = ['positive', 'negative'] as const;

type Field = (typeof REQUIRE_FIELDS)[number];

interface Place {
  readonly reader: Reader;
  readonly draft: Draft;
  readonly isNot: boolean;
  readonly parts: Parts;
  readonly path: string;
  /** Of the values of the fields. */
  readonly depth: number;
}

/** @throws Invalid */
export function readRequirement(reader: Reader, given: unknown): Draft {
  const read = draft();
  const entries = reader.document('require', given, MATCHING.requirementGivenBytes);
  const place = { reader, draft: read, isNot: false, parts: read.wanted, path: 'require', depth: 2 };
  readFields(place, entries, REQUIRE_FIELDS);
  return read;
}

function readFields(place: Place, entries: readonly Entry[], known: readonly Field[]): void {
  for (const [name, value] of entries) {
    if (place.isNot && OUTSIDE_NOT.has(name)) place.reader.refuse(place.path, `must not have a field ${shown(name)}`);
    const field = place.reader.known(place.path, name, known, 'field');
    READ[field]({ ...place, path: `${place.path}.${field}` }, value);
  }
}

const addNames = (field: 'services' | 'models' | 'compliance') => (place: Place, value: unknown) => {
  for (const name of place.reader.names(place.path, value, place.depth)) place.parts[field].add(name);
};

const READ: Readonly<Record<Field, (place: Place, value: unknown) => void>> = {
  services: addNames('services'),
  models: addNames('models'),
  compliance: addNames('compliance'),
  region: readRegion,
  hardware: readHardware,
  labels: readLabels,
  customer: (place, value) => {
    place.draft.customer = place.reader.name(place.path, value);
  },
  compat: readCompat,
  not: (place, value) => {
    const entries = place.reader.object(place.path, value, place.depth);
    const inside = { ...place, isNot: true, parts: place.draft.unwanted, depth: place.depth + 1 };
    readFields(inside, entries, NOT_FIELDS);
  },
};

function readRegion({ reader, path, parts, depth }: Place, value: unknown): void {
  if (typeof value === 'string') return void parts.region.add(reader.name(path, value));
  if (!Array.isArray(value)) reader.refuse(path, `must be a text or a list of texts, not ${shown(value)}`);
  const regions = reader.names(path, value, depth);
  if (regions.length === 0) reader.refuse(path, 'must not be an empty list: no worker is in one of no regions');
  for (const region of regions) parts.region.add(region);
}

function readHardware(place: Place, value: unknown): void {
  leaves(place, value, (path, leaf, at) => {
    give(place, place.parts.hardware, path, hardwareOf(place.reader, at, leaf), at);
  });
}

function hardwareOf(reader: Reader, path: string, value: unknown): Scalar {
  if (typeof value === 'number' && (!Number.isFinite(value) || value < 0 || value > MATCHING.number)) {
    reader.refuse(path, `must be a number from 0 to ${MATCHING.number}, not ${shown(value)}`);
  }
  return scalar(reader, path, value);
}

function scalar(reader: Reader, path: string, value: unknown): Scalar {
  if (typeof value === 'string') return reader.text(path, value);
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'number') {
    return reader.refuse(path, `must be a number, a text, true or false, not ${shown(value)}`);
  }
  if (Math.abs(value) <= MATCHING.number) return value === 0 ? 0 : value;
  return reader.refuse(path, `must be a number from -${MATCHING.number} to ${MATCHING.number}, not ${shown(value)}`);
}

/** Nested and dotted names lead to the same path. `at` is the path with where it is in the document. */
type Leaf = (path: string, leaf: unknown, at: string) => void;

function leaves(place: Place, value: unknown, each: Leaf, prefix = '', depth = place.depth): void {
  const at = prefix === '' ? place.path : `${place.path}.${prefix}`;
  for (const [name, inner] of place.reader.object(at, value, depth)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const innerAt = `${place.path}.${path}`;
    place.reader.text(`the path ${innerAt}`, path, MATCHING.pathBytes);
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      leaves(place, inner, each, path, depth + 1);
    } else {
      place.reader.visit(innerAt, depth);
      each(path, inner, innerAt);
    }
  }
}

function give<V>(place: Place, to: Map<string, V>, path: string, value: V, at: string): void {
  const before = to.get(path);
  if (before !== undefined && canonicalJson(before) !== canonicalJson(value)) {
    place.reader.refuse(at, 'is given twice, with different values');
  }
  to.set(path, value);
}

function readLabels(place: Place, value: unknown): void {
  for (const [name, rule] of place.reader.object(place.path, value, place.depth)) {
    const label = { ...place, path: `${place.path}.${name}`, depth: place.depth + 1 };
    if (typeof rule === 'string') labelIn(label, name, [place.reader.text(label.path, rule)]);
    else readRule(label, name, rule);
  }
}

function readRule(place: Place, name: string, rule: unknown): void {
  const { reader, path, depth } = place;
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    reader.refuse(path, `must be a text (equals) or an object of operators, not ${shown(rule)}`);
  }
  const entries = reader.object(path, rule, depth);
  if (entries.length === 0) reader.refuse(path, `must have one of the operators ${LABEL_OPERATORS.join(', ')}`);
  for (const [given, value] of entries) {
    if (place.isNot && given === 'notIn') reader.refuse(path, 'is a second negation: write `in` outside of `not`');
    const operator = reader.known(path, given, place.isNot ? NOT_LABEL_OPERATORS : LABEL_OPERATORS, 'operator');
    const at = { ...place, path: `${path}.${operator}`, depth: depth + 1 };
    if (operator === 'exists') labelExists(at, name, value);
    else if (operator === 'in') labelIn(at, name, labelValues(at, value));
    else for (const each of labelValues(at, value)) labelOf(place.draft, name).notIn.add(each);
  }
}

function labelValues({ reader, path, depth }: Place, value: unknown): string[] {
  const values = reader.list(path, value, depth).map((each, nth) => {
    reader.visit(path, depth);
    return reader.text(`${path}[${nth}]`, each);
  });
  return values.length > 0 ? values : reader.refuse(path, 'must not be an empty list');
}

function labelIn(place: Place, name: string, values: readonly string[]): void {
  const label = labelOf(place.draft, name);
  if (place.isNot) for (const each of values) label.notIn.add(each);
  else label.in = new Set(label.in === undefined ? values : values.filter((each) => label.in!.has(each)));
}

function labelExists(place: Place, name: string, value: unknown): void {
  if (typeof value !== 'boolean') return place.reader.refuse(place.path, `must be true or false, not ${shown(value)}`);
  const label = labelOf(place.draft, name);
  const exists = value !== place.isNot;
  if (label.exists !== undefined && label.exists !== exists) {
    place.reader.refuse(place.path, 'contradicts `labels`: the label cannot be there and not be there',
      'REQUIREMENT_CONTRADICTORY');
  }
  label.exists = exists;
}

function readCompat(place: Place, value: unknown): void {
  const { reader, path, depth } = place;
  const sides = place.isNot ? COMPAT_SIDES.slice(0, 1) : COMPAT_SIDES;
  for (const [given, inner] of reader.object(path, value, depth)) {
    const side = reader.known(path, given, sides, 'field');
    const to = side === 'negative' || place.isNot ? place.draft.unwanted : place.draft.wanted;
    leaves({ ...place, path: `${path}.${side}`, depth: depth + 1 }, inner, (name, leaf, at) => {
      const rule = Array.isArray(leaf) ? compatSet(reader, at, leaf) : scalar(reader, at, leaf);
      if (!Array.isArray(rule) || rule.length > 0) give(place, to.compat, name, rule, at);
    });
  }
}

/** A list of one text is that text: both ask whether the worker has it. Of a number, a list asks for exactly it. */
function compatSet(reader: Reader, path: string, list: readonly unknown[]): Scalar | readonly Scalar[] {
  const set = new Set(list.map((each, nth) => {
    reader.visit(path, 1);
    return scalar(reader, `${path}[${nth}]`, each);
  }));
  const [only] = set;
  if (set.size === 1 && typeof only !== 'number') return only!;
  return [...set].sort((one, other) => byUnits(JSON.stringify(one), JSON.stringify(other)));
}
