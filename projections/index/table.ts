/**
 * Maps job ids to entries in one typed array: a hash table with open addressing and linear probing. An access touches
 * one cache line. Its memory is shared, so that another thread can read it while it is still in use here.
 */
import {
  entryAt, FIRST_HIGH_LAST_HIGH, FIRST_LOW, HALF, ID_HIGH, ID_LOW_STATUS, ID_MIDDLE, LAST_LOW, parseKey, WORDS,
  type Entry, type Key,
} from './entry.js';

const FULLEST = 0.7;
/** Growing moves every entry in one go. With this a table moves 2,867 entries once, and has its last capacity then. */
const GROWTH = 32;
const BYTES = 4;

const shared = (capacity: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(capacity * WORDS * BYTES));

/**
 * Memory of tables that are on disk by now, cleared. New memory is slow at first: the system provides it page by page.
 * For all indexes of this process.
 */
const spares: Uint32Array[] = [];
const SPARES = 2;

/** Status 0 marks a free slot. Nothing is ever removed. */
export class IndexTable {
  size = 0;
  slots: Uint32Array;
  private readonly key: Key = { high: 0, middle: 0, low: 0 };

  /** @param capacity in slots, a power of two; it grows */
  constructor(private capacity = 1 << 12) {
    const spare = spares.findIndex(({ length }) => length === capacity * WORDS);
    this.slots = spare < 0 ? shared(capacity) : spares.splice(spare, 1)[0]!;
  }

  /** Gives its memory to a later table. Nobody may use this one any more. */
  recycle(): void {
    if (spares.length === SPARES) return;
    spares.push(this.slots.fill(0));
    this.slots = new Uint32Array();
  }

  /** @param isFirst whether the job began in the commit at `seq` @param status from 1 to 65,535 */
  set(id: string, seq: number, status: number, isFirst: boolean): void {
    const { high, middle, low } = parseKey(id, this.key);
    const { slots } = this;
    const at = this.find();
    const lowStatus = slots[at + ID_LOW_STATUS]!;
    const seqHigh = Math.floor(seq / 2 ** 32);
    const highs = slots[at + FIRST_HIGH_LAST_HIGH]!;
    let [firstHigh, lastHigh] = [highs >>> 16, highs & HALF];
    if (lowStatus === 0) {
      slots[at + ID_HIGH] = high;
      slots[at + ID_MIDDLE] = middle;
      this.size += 1;
    }
    if (isFirst) {
      slots[at + FIRST_LOW] = seq;
      firstHigh = seqHigh;
    }
    const lastSeq = lastHigh * 2 ** 32 + slots[at + LAST_LOW]!;
    // Of two in one commit the one that is set later counts.
    if (seq >= lastSeq) {
      slots[at + ID_LOW_STATUS] = (low << 16) | status;
      slots[at + LAST_LOW] = seq;
      lastHigh = seqHigh;
    }
    slots[at + FIRST_HIGH_LAST_HIGH] = (firstHigh << 16) | lastHigh;
    if (this.size > this.capacity * FULLEST) this.grow();
  }

  get(id: string): Entry | undefined {
    parseKey(id, this.key);
    const at = this.find();
    return (this.slots[at + ID_LOW_STATUS]! & HALF) === 0 ? undefined : entryAt(this.slots, at);
  }

  /** The slot of the key, or the free slot where it belongs. */
  private find(): number {
    const { slots, capacity, key: { high, middle, low } } = this;
    for (let nth = high ^ Math.imul(middle, 0x9e3779b1); ; nth += 1) {
      const at = (nth & (capacity - 1)) * WORDS;
      const lowStatus = slots[at + ID_LOW_STATUS]!;
      if (lowStatus === 0) return at;
      if (slots[at + ID_HIGH] === high && slots[at + ID_MIDDLE] === middle && lowStatus >>> 16 === low) return at;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.capacity *= GROWTH;
    this.slots = shared(this.capacity);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + ID_LOW_STATUS] === 0) continue;
      this.key.high = old[at + ID_HIGH]!;
      this.key.middle = old[at + ID_MIDDLE]!;
      this.key.low = old[at + ID_LOW_STATUS]! >>> 16;
      const to = this.find();
      for (let word = 0; word < WORDS; word += 1) this.slots[to + word] = old[at + word]!;
    }
  }
}
