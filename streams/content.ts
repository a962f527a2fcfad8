/**
 * Content: the part of an event's body that can be removed later, such as a payload, a result or the text of an error.
 * The hash of a commit covers its salted hash and its size; its bytes follow the hashed part. See docs/adr/0015.
 */
import { hash } from 'node:crypto';

/** The number of random bytes before every content. Without them a short content could be guessed from its hash. */
export const SALT_BYTES = 16;
/** Length-delimited: `Commit.contents`, and the fields of a Content. */
export const CONTENTS = 11;
const CONTENTS_TAG = (CONTENTS << 3) | 2;
export const CONTENT_EVENT_TAG = 1 << 3;
export const CONTENT_SALTED_TAG = (2 << 3) | 2;

/** What remains of a content when its bytes are removed. */
export interface ContentRef {
  /** SHA-256, one character a byte. Version 2: of the salt and the content. Version 1: of the content. */
  readonly hash: string;
  readonly size: number;
}

/** Writes {@link SALT_BYTES} random bytes, which are used once. */
export type Salts = (into: Uint8Array, at: number) => void;

/** SHA-256 as a string of one character a byte: half the cost of a buffer, and comparable with `===`. */
export const contentHash = (bytes: Uint8Array): string => hash('sha256', bytes, 'binary');

/** A content that is part of the hashed body, as all were in version 1. Without a salt, so that every replay agrees. */
export const unsaltedRef = (content: Uint8Array): ContentRef => ({ hash: contentHash(content), size: content.length });

const INITIAL_BYTES = 64 * 1024;
/** Tags, lengths and the index of the event take less. */
const MOST_OVERHEAD_BYTES = 24;

/** Encodes the contents of a commit, one after another, as the commit has them. Reused for the next commit. */
export class ContentWriter {
  size = 0;
  private bytes = Buffer.allocUnsafe(INITIAL_BYTES);

  /** @param event index within the commit @returns the hash, as in {@link ContentRef} */
  add(event: number, content: Uint8Array, salts: Salts): string {
    const saltedBytes = SALT_BYTES + content.length;
    this.bytes = withRoom(this.bytes, this.size, saltedBytes + MOST_OVERHEAD_BYTES);
    const { bytes } = this;
    let at = this.size;
    bytes[at++] = CONTENTS_TAG;
    const indexBytes = event === 0 ? 0 : 1 + varintBytes(event);
    at = writeVarint(bytes, at, indexBytes + 1 + varintBytes(saltedBytes) + saltedBytes);
    if (event > 0) {
      bytes[at++] = CONTENT_EVENT_TAG;
      at = writeVarint(bytes, at, event);
    }
    bytes[at++] = CONTENT_SALTED_TAG;
    const start = writeVarint(bytes, at, saltedBytes);
    salts(bytes, start);
    bytes.set(content, start + SALT_BYTES);
    this.size = start + saltedBytes;
    // Half the cost of a `subarray`, which makes a Buffer.
    return contentHash(new Uint8Array(bytes.buffer, bytes.byteOffset + start, saltedBytes));
  }

  /** Copies everything written since the last call. */
  finishInto(target: Uint8Array, at: number): void {
    target.set(this.bytes.subarray(0, this.size), at);
    this.size = 0;
  }

  /** A copy of everything written since the last call. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.size);
    this.finishInto(taken, 0);
    return taken;
  }
}

/** @returns the bytes, or a larger copy of the first `used` of them if there is no room for so many more */
export function withRoom(bytes: Buffer<ArrayBuffer>, used: number, more: number): Buffer<ArrayBuffer> {
  const needed = used + more;
  if (needed <= bytes.length) return bytes;
  const larger = Buffer.allocUnsafe(Math.max(needed, 2 * bytes.length));
  larger.set(bytes.subarray(0, used));
  return larger;
}

/** Puts a content back: the body with one more field. Decoders merge the fields of a message that comes twice. */
export function wholeBody(body: Uint8Array, field: number, content: Uint8Array): Uint8Array {
  const tag = field * 8 + 2;
  const whole = Buffer.allocUnsafe(body.length + varintBytes(tag) + varintBytes(content.length) + content.length);
  whole.set(body);
  whole.set(content, writeVarint(whole, writeVarint(whole, body.length, tag), content.length));
  return whole;
}

/** @throws RangeError for what is no length or index: Infinity would never be divided down to one byte */
export function varintBytes(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be a varint`);
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** @returns where the next byte goes */
export function writeVarint(into: Uint8Array, from: number, value: number): number {
  let [rest, at] = [value, from];
  for (; rest > 127; rest = Math.floor(rest / 128)) into[at++] = (rest % 128) | 128;
  into[at++] = rest;
  return at;
}
