/** Decodes protobuf from outside and refuses what the message does not define: a field nobody reads is a mistake. */
import protobuf from 'protobufjs/minimal.js';
import { reject, type Rejection } from '../../protocols/errors.js';

/** The generated code hands every field it does not know, or of another wire type, to `raw`. */
class StrictReader extends protobuf.BufferReader {
  unknown = 0;

  constructor(bytes: Buffer) {
    super(bytes);
    this.discardUnknown = false;
  }

  override raw(): Buffer {
    this.unknown += 1;
    return Buffer.alloc(0);
  }
}

export interface Decoder<Message> {
  decode(reader: protobuf.Reader): Message;
}

export function decodeStrictly<Message extends object>(decoder: Decoder<Message>, bytes: Uint8Array): Message | Rejection {
  const reader = new StrictReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  try {
    const message = decoder.decode(reader);
    return reader.unknown === 0 ? message : reject('INVALID_ARGUMENT', 'the protobuf message has unknown fields, or fields of a wrong type');
  } catch (error) {
    return reject('MALFORMED', `not the protobuf message of this subject: ${error instanceof Error ? error.message : String(error)}`);
  }
}
