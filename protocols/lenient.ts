/**
 * Decodes what lies in a journal. Version 0.1.0 wrote half of a surrogate pair in a key, a label or a command id as bytes
 * that are no UTF-8, which the generated code refuses to read. Here they read as U+FFFD: what was written stays readable.
 */
import protobuf from 'protobufjs/minimal.js';

class LenientReader extends protobuf.BufferReader {
  override stringVerify(): string {
    return this.string();
  }
}

/** @throws Error if the bytes are not that message for another reason */
export function decodeLeniently<Message>(message: { decode(reader: protobuf.Reader): Message }, bytes: Uint8Array): Message {
  return message.decode(new LenientReader(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}
