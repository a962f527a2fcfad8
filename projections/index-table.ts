/**
 * A table from job ids to where their first and last events lie. One typed array: a million jobs take some 50 MB, where a
 * Map of objects takes several hundred, and a place is one line of the processor's cache, because that is what an access
 * costs. Open addressing with linear probing; nothing is ever removed.
 */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGIT = new Uint8Array(128).fill(255);
for (let i = 0; i < ALPHABET.length; i += 1) DIGIT[ALPHABET.charCodeAt(i)] = i;

const ID_DIGITS = 16;
const FULLEST = 0.7;

/** The words of a place. An id is 80 bits: 32, 32 and 16; a position below 2^48 is 32 and 16. Status 0 marks a free place. */
const WORDS = 6;
const ID_HIGH = 0;
const ID_MIDDLE = 1;
/** The id's last 16 bits above, the status below. */
const ID_LOW_STATUS = 2;
const FIRST_LOW = 3;
const LAST_LOW = 4;
/** The first position's upper 16 bits above, the last one's below. */
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
  private places: Uint32Array;
  private high = 0;
  private middle = 0;
  private low = 0;

  /** @param capacity a power of two */
  constructor(capacity = 1 << 12) {
    this.capacity = capacity;
    this.places = new Uint32Array(capacity * WORDS);
  }

  /** @param id ends in 16 characters of base32 @param status from 1 to 65,535 */
  set(id: string, seq: number, status: number): void {
    this.parse(id);
    const { places } = this;
    const at = this.find();
    const seqHigh = Math.floor(seq / 2 ** 32);
    let firstHigh = places[at + FIRST_HIGH_LAST_HIGH]! >>> 16;
    if (places[at + ID_LOW_STATUS] === 0) {
      places[at + ID_HIGH] = this.high;
      places[at + ID_MIDDLE] = this.middle;
      places[at + FIRST_LOW] = seq;
      firstHigh = seqHigh;
      this.size += 1;
    }
    places[at + ID_LOW_STATUS] = (this.low << 16) | status;
    places[at + LAST_LOW] = seq;
    places[at + FIRST_HIGH_LAST_HIGH] = (firstHigh << 16) | seqHigh;
    if (this.size > this.capacity * FULLEST) this.grow();
  }

  get(id: string): Entry | undefined {
    this.parse(id);
    const { places } = this;
    const at = this.find();
    const status = places[at + ID_LOW_STATUS]! & HALF;
    if (status === 0) return undefined;
    const highs = places[at + FIRST_HIGH_LAST_HIGH]!;
    const firstSeq = (highs >>> 16) * 2 ** 32 + places[at + FIRST_LOW]!;
    return { firstSeq, lastSeq: (highs & HALF) * 2 ** 32 + places[at + LAST_LOW]!, status };
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

  /** Where the id lies, or the free place where it would. */
  private find(): number {
    const { places, high, middle, low, capacity } = this;
    for (let nth = high ^ Math.imul(middle, 0x9e3779b1); ; nth += 1) {
      const at = (nth & (capacity - 1)) * WORDS;
      const lowStatus = places[at + ID_LOW_STATUS]!;
      if (lowStatus === 0 || (places[at + ID_HIGH] === high && places[at + ID_MIDDLE] === middle && lowStatus >>> 16 === low)) return at;
    }
  }

  private grow(): void {
    const old = this.places;
    this.capacity *= 2;
    this.places = new Uint32Array(this.capacity * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + ID_LOW_STATUS] === 0) continue;
      this.high = old[at + ID_HIGH]!;
      this.middle = old[at + ID_MIDDLE]!;
      this.low = old[at + ID_LOW_STATUS]! >>> 16;
      this.places.set(old.subarray(at, at + WORDS), this.find());
    }
  }
}
