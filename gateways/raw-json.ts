/**
 * Reads the envelope of a JSON request: its fields become values, and opaque ones stay the bytes that were sent.
 * `JSON.parse` has accepted the request before, so the grammar is valid. Refused here is what `JSON.parse` changes
 * silently: a name that is given twice, and a number that a double does not represent.
 */
import { Invalid } from '../protocols/bounds.js';

/** No valid envelope is deeper. The limit of the stack is somewhere above 1,000. */
const MOST_DEPTH = 8;
/** A double needs 24 characters at most. */
const MOST_DIGITS = 32;
const MOST_SHOWN = 128;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const SPACE = 0x20;

/**
 * @param opaque names of opaque fields, in the request itself and in the entries of its lists
 * @throws Invalid naming the field
 */
export const readEnvelope = (bytes: Buffer, opaque: ReadonlySet<string>): unknown => new Envelope(bytes, opaque).read();

class Envelope {
  private readonly path: (string | number)[] = [];
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly opaqueNames: ReadonlySet<string>,
  ) {}

  read(): unknown {
    return this.value(true);
  }

  /** @param holder whether it may hold payloads: the request and the entries of its lists */
  private value(holder: boolean): unknown {
    if (this.path.length > MOST_DEPTH) throw this.invalid('is nested too deeply');
    switch (this.peek()) {
      case OPENING_BRACE: return this.object(holder);
      case OPENING_BRACKET: return this.list(this.path.length === 1);
      case QUOTE: return this.string();
      default: return this.scalar();
    }
  }

  private object(holder: boolean): object {
    const object: Record<string, unknown> = {};
    this.each(CLOSING_BRACE, () => {
      this.peek();
      const name = this.string();
      this.path.push(name);
      if (Object.hasOwn(object, name)) throw this.invalid('is given twice');
      if (name === '__proto__') throw this.invalid('is not allowed as a name');
      this.skip(COLON);
      object[name] = holder && this.opaqueNames.has(name) ? this.opaque() : this.value(false);
      this.path.pop();
    });
    return object;
  }

  private list(holders: boolean): unknown[] {
    const list: unknown[] = [];
    this.each(CLOSING_BRACKET, () => {
      this.path.push(list.length);
      list.push(this.value(holders));
      this.path.pop();
    });
    return list;
  }

  private each(closing: number, read: () => void): void {
    this.at += 1;
    while (this.peek() !== closing) {
      read();
      this.skip(COMMA);
    }
    this.at += 1;
  }

  private string(): string {
    const start = this.at;
    this.at = endOfString(this.bytes, start);
    const inside = this.bytes.toString('utf8', start + 1, this.at - 1);
    return inside.includes('\\') ? (JSON.parse(`"${inside}"`) as string) : inside;
  }

  private scalar(): unknown {
    const start = this.at;
    this.at = endOfScalar(this.bytes, start);
    const text = this.bytes.toString('latin1', start, this.at);
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'number' && !isKept(text, value)) {
      throw this.invalid(`cannot be kept to the last digit: ${text.slice(0, MOST_DIGITS)}`);
    }
    return value;
  }

  /** From the first byte of the value to its last. */
  private opaque(): Buffer {
    this.peek();
    const start = this.at;
    this.at = endOfValue(this.bytes, start);
    return this.bytes.subarray(start, this.at);
  }

  /** The byte that follows white space. */
  private peek(): number {
    while (this.bytes[this.at]! <= SPACE) this.at += 1;
    if (this.at === this.bytes.length) throw this.invalid('is not complete');
    return this.bytes[this.at]!;
  }

  private skip(byte: number): void {
    if (this.peek() === byte) this.at += 1;
  }

  private invalid(why: string): Invalid {
    return new Invalid('INVALID_ARGUMENT', `${this.path.join('.').slice(0, MOST_SHOWN) || 'request'} ${why}`);
  }
}

/** Without recursion: an opaque value may be nested to any depth. */
function endOfValue(bytes: Buffer, start: number): number {
  if (bytes[start] === QUOTE) return endOfString(bytes, start);
  if (!isOpening(bytes[start]!)) return endOfScalar(bytes, start);
  let depth = 0;
  let at = start;
  do {
    const byte = bytes[at]!;
    if (isOpening(byte)) depth += 1;
    else if (isClosing(byte)) depth -= 1;
    at = byte === QUOTE ? endOfString(bytes, at) : at + 1;
  } while (depth > 0 && at < bytes.length);
  return at;
}

const isOpening = (byte: number): boolean => byte === OPENING_BRACE || byte === OPENING_BRACKET;
const isClosing = (byte: number): boolean => byte === CLOSING_BRACE || byte === CLOSING_BRACKET;

function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === QUOTE) return at + 1;
    if (bytes[at] === BACKSLASH) at += 1;
  }
  return bytes.length;
}

/** Of a number, true, false or null. */
function endOfScalar(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte <= SPACE || byte === COMMA || isClosing(byte)) return at;
  }
  return bytes.length;
}

/** Whether a double represents the number in the text. A fraction may be rounded, a whole number may not. */
function isKept(text: string, value: number): boolean {
  if (text.length > MOST_DIGITS || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false;
  return !Number.isInteger(value) || decimal(text) === decimal(String(value));
}

/** Digits and power of ten in normal form, without sign: 1.50e3 and 1500 are both 15e2. */
function decimal(text: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return significant === '' ? '0' : `${significant}e${power}`;
}
