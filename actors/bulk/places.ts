/** Places in ascending order, as differences in varints. */
import protobuf from 'protobufjs/minimal.js';

/** @param from lower than the first place, or equal */
export function encodePlaces(from: number, places: readonly number[]): Uint8Array {
  const writer = protobuf.Writer.create();
  let before = from;
  for (const place of places) {
    writer.uint64(place - before);
    before = place;
  }
  return writer.finish();
}

/** Those from the nth one on, so many at most. */
export function decodePlaces(from: number, bytes: Uint8Array, nth: number, most: number): number[] {
  const reader = protobuf.Reader.create(bytes);
  const places: number[] = [];
  let place = from;
  for (let at = 0; reader.pos < reader.len && places.length < most; at += 1) {
    place += Number(reader.uint64());
    if (at >= nth) places.push(place);
  }
  return places;
}
