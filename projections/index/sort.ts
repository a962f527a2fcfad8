/** Sorts a table's entries by id: first into buckets by the upper 16 bits, which are random, then within each. */
import { compareIds, HALF, ID_LOW_STATUS, WORDS } from './entry.js';

const BUCKETS = 1 << 16;

/** @returns where the entries begin in `slots` */
export function sortedSlots(slots: Uint32Array): Uint32Array {
  const ends = new Uint32Array(BUCKETS + 1);
  for (let at = 0; at < slots.length; at += WORDS) if (isTaken(slots, at)) ends[(slots[at]! >>> 16) + 1]! += 1;
  for (let bucket = 1; bucket <= BUCKETS; bucket += 1) ends[bucket]! += ends[bucket - 1]!;
  const order = new Uint32Array(ends[BUCKETS]!);
  const next = ends.slice();
  for (let at = 0; at < slots.length; at += WORDS) if (isTaken(slots, at)) order[next[slots[at]! >>> 16]!++] = at;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const [from, to] = [ends[bucket]!, ends[bucket + 1]!];
    if (to - from > 1) order.subarray(from, to).sort((a, b) => compareIds(slots, a, slots, b));
  }
  return order;
}

const isTaken = (slots: Uint32Array, at: number): boolean => (slots[at + ID_LOW_STATUS]! & HALF) !== 0;
