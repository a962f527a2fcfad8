/** Random access to an encoded commit without decoding it. Version 1 is supported too; it has no separate contents. */
import { journal } from '../protocols/messages.js';
import { CONTENT_EVENT_TAG, CONTENT_SALTED_TAG, CONTENTS, SALT_BYTES } from './content.js';
import { varintBytes, wholeBody, writeVarint } from './content.js';
import { Fields } from './fields.js';

const EVENTS = 10;
const EVENT_BODY = 6;
const EVENT_CONTENT = 7;
const EVENT_BODY_TAG = (EVENT_BODY << 3) | 2;
/** The first two bytes of a commit of version 2: the tag of `version`, and 2. */
const VERSION_TAG = 8;
const WITH_CONTENTS = 2;
/** No field has this number. */
const NEVER = -1;

export class EncodedCommit {
  /** How many of the bytes the hash covers, from the first. */
  readonly hashedBytes: number;
  readonly eventCount: number;
  /** What is wrong with the part that the hash does not cover; undefined if it is well-formed. */
  problem: string | undefined;
  /** Where each event begins and ends, in pairs. */
  private readonly events: Uint32Array;
  /** Where the salted content of each event begins and ends, in pairs; 0 and 0 if it has none. */
  private readonly salted: Uint32Array;

  /** @throws RangeError if these are not the bytes of a commit, or if something other than contents follows contents */
  constructor(readonly bytes: Uint8Array) {
    const fields = new Fields(bytes, 0, bytes.length);
    const firstBeside = bytes[0] === VERSION_TAG && bytes[1] === WITH_CONTENTS ? CONTENTS : NEVER;
    const events: number[] = [];
    let field = fields.next();
    for (; field !== 0 && field !== firstBeside; field = fields.next()) {
      if (field === EVENTS) events.push(fields.start, fields.end);
    }
    // Commits are cached for long, and the garbage collector does not scan typed arrays.
    this.events = Uint32Array.from(events);
    this.eventCount = this.events.length / 2;
    this.hashedBytes = field === 0 ? bytes.length : fields.tagAt;
    this.salted = new Uint32Array(field === 0 ? 0 : this.events.length);
    if (field !== 0) this.readContents(fields);
  }

  /** The event as it is hashed. @returns undefined if there is no such event */
  event(index: number): Uint8Array | undefined {
    if (index >= this.eventCount) return undefined;
    return this.bytes.subarray(this.events[2 * index], this.events[2 * index + 1]);
  }

  /** The content of an event with its salt. @returns undefined if it has none, or if it was removed */
  saltedContent(index: number): Uint8Array | undefined {
    const end = this.salted[2 * index + 1] ?? 0;
    return end === 0 ? undefined : this.bytes.subarray(this.salted[2 * index], end);
  }

  content(index: number): Uint8Array | undefined {
    const end = this.salted[2 * index + 1] ?? 0;
    return end === 0 ? undefined : this.bytes.subarray((this.salted[2 * index] ?? 0) + SALT_BYTES, end);
  }

  /** The body of an event as it is hashed. */
  body(index: number): Uint8Array | undefined {
    return this.fieldOf(index, EVENT_BODY);
  }

  /** Hash and size of an event's content. @returns undefined if the event has no content outside its body */
  leaf(index: number): journal.ContentHash | undefined {
    const leaf = this.fieldOf(index, EVENT_CONTENT);
    return leaf && journal.ContentHash.decode(leaf);
  }

  /** The event with its content put back into its body, encoded. If that was removed, the event as it is hashed. */
  wholeEvent(index: number): Uint8Array {
    const event = this.event(index) ?? new Uint8Array();
    const content = this.content(index);
    const leaf = content && this.leaf(index);
    if (content === undefined || !leaf) return event;
    const parts: Uint8Array[] = [];
    const fields = new Fields(event, 0, event.length);
    let copied = 0;
    for (let field = fields.next(); field !== 0; field = fields.next()) {
      if (field !== EVENT_BODY && field !== EVENT_CONTENT) continue;
      parts.push(event.subarray(copied, fields.tagAt));
      const body = event.subarray(fields.start, fields.end);
      if (field === EVENT_BODY) parts.push(delimited(EVENT_BODY_TAG, wholeBody(body, leaf.field, content)));
      copied = fields.end;
    }
    return Buffer.concat([...parts, event.subarray(copied)]);
  }

  /** The commit without the contents of some events. */
  without(removed: ReadonlySet<number>): Uint8Array {
    const parts = [this.bytes.subarray(0, this.hashedBytes)];
    const fields = new Fields(this.bytes, this.hashedBytes, this.bytes.length);
    while (fields.seek(CONTENTS)) {
      const event = this.eventOf(fields.start);
      if (!removed.has(event)) parts.push(this.bytes.subarray(fields.tagAt, fields.end));
    }
    return Buffer.concat(parts);
  }

  private fieldOf(index: number, wanted: number): Uint8Array | undefined {
    const [from, to] = [this.events[2 * index], this.events[2 * index + 1]];
    if (from === undefined || to === undefined) return undefined;
    const fields = new Fields(this.bytes, from, to);
    return fields.seek(wanted) ? this.bytes.subarray(fields.start, fields.end) : undefined;
  }

  private readContents(fields: Fields): void {
    let end = fields.tagAt;
    let last = -1;
    for (let field: number = CONTENTS; field !== 0; field = fields.next()) {
      // The cursor skips fields that are not length-delimited, which leaves a gap.
      if (field !== CONTENTS || fields.tagAt !== end) throw new RangeError(`no content at byte ${end}`);
      end = fields.end;
      const event = this.eventOf(fields.start);
      const from = this.saltedFrom(fields.start, fields.end, event);
      if (from === 0 || event <= last || event >= this.eventCount) {
        this.problem ??= `the content at byte ${fields.tagAt} cannot be read or belongs to no event`;
        continue;
      }
      last = event;
      this.salted[2 * event] = from;
      this.salted[2 * event + 1] = fields.end;
    }
    if (end !== this.bytes.length) throw new RangeError(`no content at byte ${end}`);
  }

  /** @param start of an encoded Content @returns Infinity if its index cannot be read */
  private eventOf(start: number): number {
    return this.bytes[start] === CONTENT_EVENT_TAG ? this.varint(start + 1) : 0;
  }

  /** Accepts only the encoding that we write: the hash does not cover it. @returns where the salt begins, or 0 */
  private saltedFrom(start: number, end: number, event: number): number {
    if (event === Infinity) return 0;
    const at = this.bytes[start] === CONTENT_EVENT_TAG ? start + 1 + varintBytes(event) : start;
    if (this.bytes[at] !== CONTENT_SALTED_TAG) return 0;
    const size = this.varint(at + 1);
    if (size === Infinity) return 0;
    const from = at + 1 + varintBytes(size);
    return size >= SALT_BYTES && from + size === end ? from : 0;
  }

  /** @returns Infinity for more bytes than we write, which protobuf decoders accept */
  private varint(from: number): number {
    let value = 0;
    for (let [at, scale] = [from, 1]; scale <= 2 ** 28; at += 1, scale *= 128) {
      const byte = this.bytes[at] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return Infinity;
  }
}

function delimited(tag: number, bytes: Uint8Array): Uint8Array {
  const field = Buffer.allocUnsafe(varintBytes(tag) + varintBytes(bytes.length) + bytes.length);
  field.set(bytes, writeVarint(field, writeVarint(field, 0, tag), bytes.length));
  return field;
}
