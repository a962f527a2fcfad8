/**
 * Encodes messages with one shared writer. Its buffer has grown to the size of earlier messages, so only the result is
 * allocated; a new writer for each message would start at 128 bytes and grow by doubling.
 */
import protobuf from 'protobufjs/minimal.js';

export interface Encoder<Properties> {
  encode(message: Properties, writer: protobuf.Writer): protobuf.Writer;
}

let writer = protobuf.Writer.create();

export function encoded<Properties>(message: Encoder<Properties>, of: Properties): Uint8Array {
  try {
    return message.encode(of, writer.reset()).finish();
  } catch (error) {
    // The writer may have stopped inside a nested message, and cannot be reset.
    writer = protobuf.Writer.create();
    throw error;
  }
}
