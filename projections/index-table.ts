/**
 * Maps job ids to the positions of their first and last events, in one typed array: a million jobs take about 50 MB
 * instead of several hundred in a Map of objects, and an access touches one cache line. A hash table with open
 * addressing and linear probing; nothing is ever removed.
 */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGIT = new Uint8Array(128).fill(255);
for (let i = 0; i < ALPHABET.length; i += 1) DIGIT[ALPHABET.charCodeAt(i)] = i;

const ID_DIGITS = 16;
const FULLEST = 0.7;

/**
 * The 32-bit words of a slot. An id has 80 bits: 32, 32 and 16; a position is below 2^48: 32 and 16. Status 0 marks a
 * free slot.
 */
const WORDS = 6;
const ID_HIGH = 0;
const ID_MIDDLE = 1;
/** The id's last 16 bits above, the status below. */
const ID_LOW_STATUS = 2;
const FIRST_LOW = 3;
const LAST_LOW = 4;
/** The upper 16 bits of the first position above, those of the last position below. */
const FIRST_HIGH_LAST_HIGH = 5;
const HALF = 0xffff;

export interface Entry {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly status: number;
}

export class IndexTable {
  size = 0;
  private capacity: number;
  private slots: Uint32Array;
  private high = 0;
  private middle = 0;
  private low = 0;

  /** @param capacity a power of two */
  constructor(capacity = 1 << 12) {
    this.capacity = capacity;
    this.slots = new Uint32Array(capacity * WORDS);
  }

  /** @param id ends in 16 characters of base32 @param status from 1 to 65,535 */
  set(id: string, seq: number, status: number): void {
    this.parse(id);
    const { slots } = this;
    const at = this.find();
    const seqHigh = Math.floor(seq / 2 ** 32);
    let firstHigh = slots[at + FIRST_HIGH_LAST_HIGH]! >>> 16;
    if (slots[at + ID_LOW_STATUS] === 0) {
      slots[at + ID_HIGH] = this.high;
      slots[at + ID_MIDDLE] = this.middle;
      slots[at + FIRST_LOW] = seq;
      firstHigh = seqHigh;
      this.size += 1;
    }
    slots[at + ID_LOW_STATUS] = (this.low << 16) | status;
    slots[at + LAST_LOW] = seq;
    slots[at + FIRST_HIGH_LAST_HIGH] = (firstHigh << 16) | seqHigh;
    if (this.size > this.capacity * FULLEST) this.grow();
  }

  get(id: string): Entry | undefined {
    this.parse(id);
    const { slots } = this;
    const at = this.find();
    const status = slots[at + ID_LOW_STATUS]! & HALF;
    if (status === 0) return undefined;
    const highs = slots[at + FIRST_HIGH_LAST_HIGH]!;
    const firstSeq = (highs >>> 16) * 2 ** 32 + slots[at + FIRST_LOW]!;
    return { firstSeq, lastSeq: (highs & HALF) * 2 ** 32 + slots[at + LAST_LOW]!, status };
  }

  private parse(id: string): void {
    const from = id.length - ID_DIGITS;
    let [high, middle, low] = [0, 0, 0];
    for (let i = from; i < from + 6; i += 1) high = (high << 5) | DIGIT[id.charCodeAt(i) & 127]!;
    for (let i = from + 6; i < from + 12; i += 1) middle = (middle << 5) | DIGIT[id.charCodeAt(i) & 127]!;
    for (let i = from + 12; i < from + ID_DIGITS; i += 1) low = (low << 5) | DIGIT[id.charCodeAt(i) & 127]!;
    // Six digits are 30 bits, so four of the last 20 are moved up.
    this.high = ((high << 2) | ((low >>> 18) & 3)) >>> 0;
    this.middle = ((middle << 2) | ((low >>> 16) & 3)) >>> 0;
    this.low = low & HALF;
  }

  /** The slot of the id, or the free slot where it belongs. */
  private find(): number {
    const { slots, high, middle, low, capacity } = this;
    for (let nth = high ^ Math.imul(middle, 0x9e3779b1); ; nth += 1) {
      const at = (nth & (capacity - 1)) * WORDS;
      const lowStatus = slots[at + ID_LOW_STATUS]!;
      if (lowStatus === 0) return at;
      if (slots[at + ID_HIGH] === high && slots[at + ID_MIDDLE] === middle && lowStatus >>> 16 === low) return at;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.capacity *= 2;
    this.slots = new Uint32Array(this.capacity * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + ID_LOW_STATUS] === 0) continue;
      this.high = old[at + ID_HIGH]!;
      this.middle = old[at + ID_MIDDLE]!;
      this.low = old[at + ID_LOW_STATUS]! >>> 16;
      this.slots.set(old.subarray(at, at + WORDS), this.find());
    }
  }
}
