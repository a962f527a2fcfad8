/**
 * Decodes messages of a journal. Version 0.1.0 encoded half of a surrogate pair (in a key, a label or a command id)
 * as bytes that are not UTF-8, which the generated code refuses. Here they decode to U+FFFD, so old journals stay
 * readable.
 */
import protobuf from 'protobufjs/minimal.js';

class LenientReader extends protobuf.BufferReader {
  override stringVerify(): string {
    return this.string();
  }
}

interface Decoder<Message> {
  decode(reader: protobuf.Reader): Message;
}

/** @throws Error if the bytes are not that message for any other reason */
export function decodeLeniently<Message>(message: Decoder<Message>, bytes: Uint8Array): Message {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return message.decode(new LenientReader(buffer));
}
