/**
 * Makes sure that every text that protobufjs encodes can be decoded. Half of a surrogate pair has no UTF-8 form. In
 * texts below 40 characters protobufjs encodes it all the same, and then cannot decode that message. `Buffer` writes
 * U+FFFD instead, and so do we.
 */
import protobuf from 'protobufjs/minimal.js';

const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;

export const isWellFormed = (text: string): boolean => !LONE_SURROGATE.test(text);
export const wellFormed = (text: string): string => text.replaceAll(LONE_SURROGATES, '\ufffd');

/** At most `mostBytes` of UTF-8, cut between characters; lone surrogates, which cannot be decoded, are replaced. */
export function bounded(text: unknown, mostBytes: number): string {
  const whole = wellFormed(String(text).slice(0, mostBytes));
  if (whole.length * 3 <= mostBytes) return whole;
  const bytes = Buffer.from(whole);
  if (bytes.length <= mostBytes) return whole;
  let end = mostBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/**
 * Applies to every message that this process encodes from now on. It replaces a function of protobufjs for the whole
 * process, because the generated code makes its writers itself, and because only this function knows the length in
 * bytes: a writer of our own would have to scan every text twice. Other users of protobufjs in the process (a
 * performer, say) are affected only where their message could not have been decoded.
 */
export function encodeWellFormed(): void {
  const { write } = protobuf.util.utf8;
  Object.assign(protobuf.util.utf8, {
    write(text: string, buffer: Uint8Array, offset: number): number {
      const written = write(text, buffer, offset);
      // As many bytes as characters means ASCII.
      return written === text.length || isWellFormed(text) ? written : write(wellFormed(text), buffer, offset);
    },
  });
}
