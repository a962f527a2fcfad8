/** Decodes protobuf from clients and refuses fields that the message does not define. */
import protobuf from 'protobufjs/minimal.js';
import { reject, type Rejection } from '../protocols/errors.js';

/**
 * Counts what the generated code ignores: fields that are unknown or have another wire type, and the upper bits of
 * numbers that are longer than 32 bits.
 */
class StrictReader extends protobuf.BufferReader {
  skipped = 0;
  cut = 0;

  override skipType(...wire: Parameters<protobuf.Reader['skipType']>): protobuf.Reader {
    this.skipped += 1;
    return super.skipType(...wire);
  }

  override uint32(): number {
    const start = this.pos;
    const value = super.uint32();
    if (this.pos - start >= VARINT32_BYTES && !fitsIn32Bits(this.buf, start, this.pos)) this.cut += 1;
    return value;
  }
}

const VARINT32_BYTES = 5;

/** A byte has seven bits: of the fifth, four are in the number, and of those after it none. */
const fitsIn32Bits = (bytes: Uint8Array, start: number, end: number): boolean =>
  (bytes[start + VARINT32_BYTES - 1]! & 0x70) === 0
  && bytes.subarray(start + VARINT32_BYTES, end).every((byte) => (byte & 0x7f) === 0);

export interface Decoder<Message> {
  decode(reader: protobuf.Reader): Message;
}

const UNKNOWN_FIELDS = 'the protobuf message has unknown fields, or fields of a wrong type';
const TOO_MANY_BITS = 'the protobuf message has a number of more than 32 bits where the field has 32';

export function decodeStrictly<Message extends object>(
  decoder: Decoder<Message>, bytes: Uint8Array,
): Message | Rejection {
  const reader = new StrictReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  try {
    const message = decoder.decode(reader);
    if (reader.skipped > 0) return reject('INVALID_ARGUMENT', UNKNOWN_FIELDS);
    return reader.cut === 0 ? message : reject('INVALID_ARGUMENT', TOO_MANY_BITS);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return reject('MALFORMED', `not the protobuf message of this subject: ${why}`);
  }
}
