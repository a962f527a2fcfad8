/**
 * What a worker has: a nested JSON document. The fields that `require` knows are checked; all others are the worker's
 * own, and `compat` reaches them by their paths.
 */
import { MATCHING } from './bounds.js';
import { byUnits, canonicalJson, frozen } from './canonical-json.js';
import { indexOf } from './capability-index.js';
import { ISOLATIONS, type Capabilities, type CustomerAccess } from './capability-shape.js';
import { alike } from './nearest.js';
import { Reader, shown, type Entry } from './reader.js';

export { NO_CAPABILITIES, type Capabilities, type CustomerAccess, type Isolation } from './capability-shape.js';

export const CAPABILITY_FIELDS = [
  'services', 'models', 'hardware', 'labels', 'region', 'compliance', 'customerAccess',
] as const;
const ACCESS = ['isolation', 'allowed', 'denied'] as const;

/**
 * @param given the document as JSON text ('' for none) or as what that was parsed to
 * @throws Invalid with CAPABILITIES_INVALID and a message that begins with the path
 */
export function capabilities(given: unknown): Capabilities {
  const reader = new Reader('CAPABILITIES_INVALID', MATCHING.capabilitiesNodes);
  const entries = reader.document('capabilities', given, MATCHING.capabilitiesBytes);
  const fields = entries.map(([name, value]): Entry => [name, fieldOf(reader, name, value)]);
  const made = frozen(Object.fromEntries(fields)) as Capabilities;
  indexOf(made, (path) => reader.refuse(`capabilities.${path}`, 'is given twice: nested, and with a dot in a name'));
  const bytes = Buffer.byteLength(capabilitiesText(made));
  if (bytes <= MATCHING.capabilitiesBytes) return made;
  return reader.refuse('capabilities', `must have at most ${MATCHING.capabilitiesBytes} bytes, not ${bytes}`);
}

const texts = new WeakMap<Capabilities, string>();

/** Canonical JSON: equal for equal capabilities. '' for a worker that says nothing about itself. */
export function capabilitiesText(of: Capabilities): string {
  const known = texts.get(of);
  if (known !== undefined) return known;
  const json = canonicalJson(of);
  const text = json === '{}' ? '' : json;
  texts.set(of, text);
  return text;
}

function fieldOf(reader: Reader, name: string, value: unknown): unknown {
  const path = `capabilities.${name}`;
  switch (name) {
    case 'services':
    case 'compliance': return reader.names(path, value, 2);
    case 'models': return modelsOf(reader, path, value);
    case 'hardware': return own(reader, path, Object.fromEntries(reader.object(path, value, 2)), 2);
    case 'labels': return labelsOf(reader, path, value);
    case 'region': return reader.name(path, value);
    case 'customerAccess': return accessOf(reader, path, value);
    default: return ownField(reader, name, path, value);
  }
}

/** A field that is spelled almost as a known one would be taken for the worker's own, and not be honoured. */
function ownField(reader: Reader, name: string, path: string, value: unknown): unknown {
  const meant = CAPABILITY_FIELDS.find((each) => alike(each, name));
  return meant === undefined ? own(reader, path, value, 2) : reader.refuse(path, `must be spelled ${meant}`);
}

function modelsOf(reader: Reader, path: string, value: unknown): unknown {
  if (Array.isArray(value)) return reader.names(path, value, 2);
  if (typeof value !== 'object' || value === null) {
    return reader.refuse(path, `must be a list, or an object that has a list for each service, not ${shown(value)}`);
  }
  return members(reader.object(path, value, 2), (name, each) => reader.names(`${path}.${name}`, each, 3));
}

const labelsOf = (reader: Reader, path: string, value: unknown): unknown =>
  members(reader.object(path, value, 2), (name, each) => {
    reader.visit(path, 2);
    return reader.text(`${path}.${name}`, each);
  });

function accessOf(reader: Reader, path: string, value: unknown): CustomerAccess {
  const read = members(reader.object(path, value, 2), (given, each) => {
    const field = reader.known(path, given, ACCESS, 'field');
    if (field !== 'isolation') return reader.names(`${path}.${field}`, each, 3);
    if (ISOLATIONS.some((one) => one === each)) return each;
    return reader.refuse(`${path}.isolation`, `must be ${ISOLATIONS.join(', ')}, not ${shown(each)}`);
  }) as CustomerAccess;
  const both = read.allowed?.find((each) => read.denied?.includes(each));
  return both === undefined ? read : reader.refuse(path, `has ${shown(both)} both in allowed and in denied`);
}

/** Any JSON within the bounds. */
function own(reader: Reader, path: string, value: unknown, depth: number): unknown {
  if (Array.isArray(value)) {
    return reader.list(path, value, depth).map((each, nth) => own(reader, `${path}[${nth}]`, each, depth + 1));
  }
  if (typeof value === 'object' && value !== null) {
    return members(reader.object(path, value, depth), (name, each) => own(reader, `${path}.${name}`, each, depth + 1));
  }
  reader.visit(path, 1);
  if (typeof value === 'string') reader.freeText(path, value);
  else if (typeof value === 'number' && !Number.isFinite(value)) reader.refuse(path, `must be finite, not ${value}`);
  else if (typeof value !== 'number' && typeof value !== 'boolean' && value !== null) {
    reader.refuse(path, `must be a JSON value, not ${shown(value)}`);
  }
  return value === 0 ? 0 : value;
}

const members = (entries: readonly Entry[], each: (name: string, value: unknown) => unknown): object =>
  Object.fromEntries([...entries].sort(([one], [other]) => byUnits(one, other))
    .map(([name, value]) => [name, each(name, value)]));
