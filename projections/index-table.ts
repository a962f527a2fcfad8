/**
 * A table from job ids to where their first and latest events lie, in typed arrays: a million jobs take some 50 MB,
 * where a Map of objects takes several hundred. Open addressing with linear probing; nothing is ever removed.
 */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGIT = new Uint8Array(128).fill(255);
for (let i = 0; i < ALPHABET.length; i += 1) DIGIT[ALPHABET.charCodeAt(i)] = i;

const KEY_WORDS = 3;
const FULLEST = 0.7;

export interface Entry {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly status: number;
}

/** Journal positions below 2^48, in six bytes each. */
class Positions {
  private readonly low: Uint32Array;
  private readonly high: Uint16Array;

  constructor(capacity: number) {
    this.low = new Uint32Array(capacity);
    this.high = new Uint16Array(capacity);
  }

  get(at: number): number {
    return this.high[at]! * 2 ** 32 + this.low[at]!;
  }

  set(at: number, seq: number): void {
    this.low[at] = seq;
    this.high[at] = seq / 2 ** 32;
  }
}

export class IndexTable {
  size = 0;
  private capacity: number;
  private keys: Uint32Array;
  private firstSeqs: Positions;
  private lastSeqs: Positions;
  /** 0 marks a free place, so statuses count from 1. */
  private statuses: Uint8Array;
  private readonly key = new Uint32Array(KEY_WORDS);

  constructor(capacity = 1 << 12) {
    this.capacity = capacity;
    this.keys = new Uint32Array(capacity * KEY_WORDS);
    this.firstSeqs = new Positions(capacity);
    this.lastSeqs = new Positions(capacity);
    this.statuses = new Uint8Array(capacity);
  }

  /** @param random the 16 base32 characters of a job id @param status from 1 to 255 */
  set(random: string, seq: number, status: number): void {
    this.parse(random);
    const at = this.find();
    if (this.statuses[at] === 0) {
      this.keys.set(this.key, at * KEY_WORDS);
      this.firstSeqs.set(at, seq);
      this.size += 1;
    }
    this.lastSeqs.set(at, seq);
    this.statuses[at] = status;
    if (this.size > this.capacity * FULLEST) this.grow();
  }

  get(random: string): Entry | undefined {
    this.parse(random);
    const at = this.find();
    const status = this.statuses[at]!;
    return status === 0 ? undefined : { firstSeq: this.firstSeqs.get(at), lastSeq: this.lastSeqs.get(at), status };
  }

  /** 80 bits: 32 + 32 + 16. */
  private parse(random: string): void {
    const digit = (at: number): number => DIGIT[random.charCodeAt(at) & 127]!;
    let high = 0;
    for (let i = 0; i < 6; i += 1) high = (high << 5) | digit(i);
    let middle = 0;
    for (let i = 6; i < 12; i += 1) middle = (middle << 5) | digit(i);
    let low = 0;
    for (let i = 12; i < 16; i += 1) low = (low << 5) | digit(i);
    this.key[0] = high;
    this.key[1] = middle;
    this.key[2] = low;
  }

  private find(): number {
    const { keys, key, statuses, capacity } = this;
    let at = (key[0]! ^ Math.imul(key[1]!, 0x9e3779b1)) & (capacity - 1);
    while (statuses[at] !== 0) {
      const word = at * KEY_WORDS;
      if (keys[word] === key[0] && keys[word + 1] === key[1] && keys[word + 2] === key[2]) break;
      at = (at + 1) & (capacity - 1);
    }
    return at;
  }

  private grow(): void {
    const old = { keys: this.keys, firstSeqs: this.firstSeqs, lastSeqs: this.lastSeqs, statuses: this.statuses, capacity: this.capacity };
    this.capacity *= 2;
    this.keys = new Uint32Array(this.capacity * KEY_WORDS);
    this.firstSeqs = new Positions(this.capacity);
    this.lastSeqs = new Positions(this.capacity);
    this.statuses = new Uint8Array(this.capacity);
    for (let i = 0; i < old.capacity; i += 1) {
      if (old.statuses[i] === 0) continue;
      this.key.set(old.keys.subarray(i * KEY_WORDS, (i + 1) * KEY_WORDS));
      const at = this.find();
      this.keys.set(this.key, at * KEY_WORDS);
      this.firstSeqs.set(at, old.firstSeqs.get(i));
      this.lastSeqs.set(at, old.lastSeqs.get(i));
      this.statuses[at] = old.statuses[i]!;
    }
  }
}
