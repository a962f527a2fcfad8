/**
 * Reads a document that a stranger wrote. What breaks a rule is refused with one code and a message that begins with
 * the path.
 */
import { Invalid } from '../../protocols/bounds.js';
import { messageOf, type RejectionCode } from '../../protocols/errors.js';
import { MATCHING } from './bounds.js';
import { nearest } from './nearest.js';

export type Scalar = string | number | boolean;

/** Most texts are, and are checked in a fraction of the time. */
const PLAIN = /^[ -~]*$/;
const UNFIT = /[\p{Control}\p{Surrogate}\u2028\u2029]/u;
const SURROGATE = /\p{Surrogate}/u;
const SHOWN = 64;

/** Characters that JSON leaves as they are and that cannot be seen, or change how others are shown. */
const UNSEEN = /[\p{Control}\p{Format}\u2028\u2029]/gu;
const escaped = (text: string): string => (PLAIN.test(text) ? text
  : text.replaceAll(UNSEEN, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`));

/** A text in full, as JSON. */
export const quoted = (text: string): string => escaped(JSON.stringify(text));

/** A value in a message: as JSON, short. */
export function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
  if (value === null || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value;
}

/** A path may hold names that a stranger chose. */
const shownPath = (path: string): string =>
  (path.length > MATCHING.pathBytes || !PLAIN.test(path) && UNFIT.test(path) ? shown(path) : path);

export class Reader {
  private nodes = 0;

  constructor(
    private readonly code: RejectionCode,
    private readonly mostNodes: number,
  ) {}

  /** @throws Invalid always */
  refuse(path: string, rule: string, code: RejectionCode = this.code): never {
    throw new Invalid(code, `${shownPath(path)} ${rule}`);
  }

  /** @param given JSON text, where '' is an empty object; or what it was parsed to */
  document(name: string, given: unknown, mostBytes: number): Entry[] {
    if (typeof given !== 'string') return this.object(name, given, 1);
    const bytes = Buffer.byteLength(given);
    if (bytes > mostBytes) return this.refuse(name, `must have at most ${mostBytes} bytes, not ${bytes}`);
    return this.object(name, given.trim() === '' ? {} : this.parsed(name, given), 1);
  }

  private parsed(name: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      return this.refuse(name, `is not JSON: ${escaped(messageOf(error))}`);
    }
  }

  /** Counts what is read, so that no document costs more than its bound. */
  visit(path: string, depth: number): void {
    if (depth > MATCHING.depth) this.refuse(path, `is nested deeper than ${MATCHING.depth}`);
    this.nodes += 1;
    if (this.nodes > this.mostNodes) this.refuse(path, `is one of more than ${this.mostNodes} values`);
  }

  /** The members of an object, whose names are checked. */
  object(path: string, value: unknown, depth: number): Entry[] {
    this.visit(path, depth);
    if (!isObject(value)) {
      const isForeign = typeof value === 'object' && value !== null && !Array.isArray(value);
      return this.refuse(path, `must be an object, not ${isForeign ? 'an instance of a class' : shown(value)}`);
    }
    const entries = Object.entries(value);
    for (const [name] of entries) this.text(`the name of a member of ${path}`, name, MATCHING.pathBytes, 1);
    return entries;
  }

  list(path: string, value: unknown, depth: number): unknown[] {
    this.visit(path, depth);
    return Array.isArray(value) ? value : this.refuse(path, `must be a list, not ${shown(value)}`);
  }

  /** A list of names, each of which counts once. */
  names(path: string, value: unknown, depth: number): string[] {
    const names = this.list(path, value, depth).map((each, nth) => {
      this.visit(path, depth);
      return this.name(`${path}[${nth}]`, each);
    });
    return [...new Set(names)].sort();
  }

  name(path: string, value: unknown): string {
    return this.text(path, value, MATCHING.textBytes, 1);
  }

  text(path: string, value: unknown, mostBytes: number = MATCHING.textBytes, least = 0): string {
    if (typeof value !== 'string') return this.refuse(path, `must be a text, not ${shown(value)}`);
    if (value.length < least) return this.refuse(path, 'must not be empty');
    const bytes = Buffer.byteLength(value);
    if (bytes > mostBytes) return this.refuse(path, `must have at most ${mostBytes} bytes, not ${bytes}`);
    if (PLAIN.test(value) || !UNFIT.test(value)) return value;
    return this.refuse(path, 'must not hold control characters, line separators or half of a surrogate pair');
  }

  /** A text that is shown to nobody as it is. It must only come back from UTF-8 unchanged. */
  freeText(path: string, value: string): void {
    if (!PLAIN.test(value) && SURROGATE.test(value)) this.refuse(path, 'must not hold half of a surrogate pair');
  }

  /** @throws Invalid if the name is unknown. The message has the nearest known one */
  known<Name extends string>(path: string, name: string, known: readonly Name[], what: string): Name {
    if (known.includes(name as Name)) return name as Name;
    const near = `the nearest known one is ${JSON.stringify(nearest(name, known))}`;
    return this.refuse(path, `has no ${what} ${shown(name)}; ${near} (known: ${known.join(', ')})`);
  }
}

export type Entry = [name: string, value: unknown];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
