/**
 * A message as bytes. All are written by one writer, which has grown by then, so that nothing is allocated but the bytes
 * themselves; a writer of its own starts at 128 bytes and doubles its way up, and is thrown away.
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
    // It may have stopped inside of a nested message.
    writer = protobuf.Writer.create();
    throw error;
  }
}
