/** Decodes protobuf from outside and refuses what the message does not define: a field nobody reads is a mistake. */
import protobuf from 'protobufjs/minimal.js';
import { reject, type Rejection } from '../../protocols/errors.js';

/** The generated code skips every field that it does not know, or that has another wire type. */
class StrictReader extends protobuf.BufferReader {
  skipped = 0;

  override skipType(...wire: Parameters<protobuf.Reader['skipType']>): protobuf.Reader {
    this.skipped += 1;
    return super.skipType(...wire);
  }
}

export interface Decoder<Message> {
  decode(reader: protobuf.Reader): Message;
}

export function decodeStrictly<Message extends object>(decoder: Decoder<Message>, bytes: Uint8Array): Message | Rejection {
  const reader = new StrictReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  try {
    const message = decoder.decode(reader);
    return reader.skipped === 0 ? message : reject('INVALID_ARGUMENT', 'the protobuf message has unknown fields, or fields of a wrong type');
  } catch (error) {
    return reject('MALFORMED', `not the protobuf message of this subject: ${error instanceof Error ? error.message : String(error)}`);
  }
}
