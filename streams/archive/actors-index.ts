/**
 * The index of a segment by actor: which commits may have events of an actor. An actor is a hash of 28 bits of its kind
 * and id, so that one of 100,000 actors is mistaken for another one in 2,700 times: readers check what they find.
 *
 *     the lengths of 256 buckets, one for each value of the hash's low byte; then the buckets
 *     bucket: of each hash in order: its other 20 bits less those before; then of each position in order: its distance
 *             to the one before (the first: to the segment's first position), doubled, plus 1 if another one follows
 */
import { setImmediate } from 'node:timers/promises';
import { ByteReader, ByteWriter } from './varints.js';

const BUCKETS = 256;
/** A position within a segment takes less; hash and position together are a safe integer. */
const POSITIONS = 2 ** 32;

/** FNV-1a with a final mix, over kind, a zero, and id. */
export function actorHash(bytes: Uint8Array, kindFrom: number, kindTo: number, idFrom: number, idTo: number): number {
  let value = 0x811c9dc5;
  for (let at = kindFrom; at < kindTo; at += 1) value = Math.imul(value ^ bytes[at]!, 0x01000193);
  value = Math.imul(value, 0x01000193);
  for (let at = idFrom; at < idTo; at += 1) value = Math.imul(value ^ bytes[at]!, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 4;
}

export function hashOfActor(kind: string, id: string): number {
  const [encodedKind, encodedId] = [Buffer.from(kind), Buffer.from(id)];
  const bytes = Buffer.concat([encodedKind, encodedId]);
  return actorHash(bytes, 0, encodedKind.length, encodedKind.length, bytes.length);
}

export class ActorsIndexWriter {
  /** Of each bucket: the other bits of a hash and a position, in one number. */
  private readonly buckets: number[][] = Array.from({ length: BUCKETS }, () => []);

  /** @param position within the segment, from 0 */
  add(actor: number, position: number): void {
    const bucket = this.buckets[actor % BUCKETS]!;
    const entry = Math.floor(actor / BUCKETS) * POSITIONS + position;
    // The events of one actor in one commit often follow each other.
    if (bucket[bucket.length - 1] !== entry) bucket.push(entry);
  }

  /** Never blocks for longer than a few buckets take. */
  async finish(): Promise<Uint8Array> {
    const [lengths, all] = [new ByteWriter(), new ByteWriter()];
    for (const [nth, bucket] of this.buckets.entries()) {
      const before = all.size;
      writeBucket(Float64Array.from(bucket).sort(), all);
      lengths.varint(all.size - before);
      if (nth % 8 === 7) await setImmediate();
    }
    return Buffer.concat([lengths.take(), all.take()]);
  }
}

function writeBucket(entries: Float64Array, into: ByteWriter): void {
  let [hashBefore, last] = [0, 0];
  for (let nth = 0; nth < entries.length; nth += 1) {
    const entry = entries[nth]!;
    if (entry === entries[nth - 1]) continue;
    const [hashed, position] = [Math.floor(entry / POSITIONS), entry % POSITIONS];
    const isFirst = nth === 0 || Math.floor(entries[nth - 1]! / POSITIONS) !== hashed;
    if (isFirst) into.varint(hashed - hashBefore);
    const follows = Math.floor((entries[lastOf(entries, nth) + 1] ?? -1) / POSITIONS) === hashed;
    into.varint((position - (isFirst ? 0 : last)) * 2 + (follows ? 1 : 0));
    [hashBefore, last] = [hashed, position];
  }
}

/** The last of equal entries. */
function lastOf(entries: Float64Array, nth: number): number {
  let last = nth;
  while (entries[last + 1] === entries[nth]) last += 1;
  return last;
}

/** @returns positions within the segment, from 0, in order @throws RangeError if it is no index */
export function positionsIn(index: Uint8Array, actor: number): number[] {
  const reader = new ByteReader(index);
  const lengths = Array.from({ length: BUCKETS }, () => reader.varint());
  const bucket = actor % BUCKETS;
  const from = reader.at + lengths.slice(0, bucket).reduce((sum, length) => sum + length, 0);
  return positionsInBucket(new ByteReader(index, from, from + lengths[bucket]!), Math.floor(actor / BUCKETS));
}

function positionsInBucket(reader: ByteReader, wanted: number): number[] {
  let hashed = 0;
  while (!reader.isAtEnd) {
    hashed += reader.varint();
    const positions: number[] = [];
    let [position, entry] = [0, 1];
    while (entry % 2 === 1) {
      entry = reader.varint();
      position += Math.floor(entry / 2);
      if (hashed === wanted) positions.push(position);
    }
    if (hashed >= wanted) return positions;
  }
  return [];
}
