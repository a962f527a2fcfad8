/**
 * Text that was encoded can be decoded. Half of a surrogate pair has no UTF-8 form; protobufjs writes it all the same
 * into texts below 40 characters, and refuses to read such a message. `Buffer` writes U+FFFD, and so do we.
 */
import protobuf from 'protobufjs/minimal.js';

const HALF = /\p{Surrogate}/u;
const HALVES = /\p{Surrogate}/gu;

export const isWellFormed = (text: string): boolean => !HALF.test(text);
export const wellFormed = (text: string): string => text.replaceAll(HALVES, '\ufffd');

/** For every message that this process writes from now on. */
export function encodeWellFormed(): void {
  const { write } = protobuf.util.utf8;
  Object.assign(protobuf.util.utf8, {
    write(text: string, buffer: Uint8Array, offset: number): number {
      const written = write(text, buffer, offset);
      // As many bytes as characters: ASCII.
      return written === text.length || isWellFormed(text) ? written : write(wellFormed(text), buffer, offset);
    },
  });
}
