/**
 * A name in words of 32 bits, as it lies in a row and as it is hashed: four ASCII characters a word if the name is
 * short enough for its row, and the 32 digits of a UUID in four words. The code says which, so no two names have equal
 * words and an equal code. Other names are objects beside their rows, and are packed for their hash only.
 */
import { keyedHash } from '../../protocols/keyed-hash.js';

/** Codes take 6 bits: the length of an ASCII name, or one of these. */
export const MOST_CODE = 63;
const BESIDE = MOST_CODE;
const UUID = 62;
const UUID_LENGTH = 36;
const UUID_WORDS = 4;
/** Of the canonical form, in small letters. */
const DASHES = [8, 13, 18, 23];
const DASH = 45;

/** The digit of a character code; 16 or more if it is none. */
const DIGITS = new Uint8Array(128).fill(255);
[...'0123456789abcdef'].forEach((digit, value) => (DIGITS[digit.charCodeAt(0)] = value));

export const isBeside = (code: number): boolean => code === BESIDE;
const wordsOf = (code: number): number => (code === UUID ? UUID_WORDS : (code + 3) >>> 2);

/** Of a name that is in its row. */
export const lengthOf = (code: number): number => (code === UUID ? UUID_LENGTH : code);
export const hashOf = (words: Uint32Array, from: number, code: number): number =>
  keyedHash(words, from, wordsOf(code), code);

/** Of a name that is in its row. @param bytes of its words @param from the first of them */
export function textOf(bytes: Buffer, words: Uint32Array, from: number, code: number): string {
  if (code !== UUID) return bytes.toString('latin1', from * 4, from * 4 + code);
  let digits = '';
  for (let nth = 0; nth < UUID_WORDS; nth += 1) digits += words[from + nth]!.toString(16).padStart(8, '0');
  return [0, 8, 12, 16, 20].map((at, nth, all) => digits.slice(at, all[nth + 1])).join('-');
}

/** The name that was packed last. It is looked up some times in a row, and packed once. */
export class PackedName {
  words: Uint32Array;
  text = '';
  code = 0;
  hash = 0;
  private readonly mostInRow: number;

  /** @param inRow words for a name in a row, 4 to 15 */
  constructor(private readonly inRow: number) {
    this.mostInRow = inRow * 4;
    this.words = new Uint32Array(inRow);
    this.hash = hashOf(this.words, 0, 0);
  }

  set(text: string): void {
    if (text === this.text) return;
    this.text = text;
    const { length } = text;
    if (length <= this.mostInRow && this.packAscii(text)) this.code = length;
    else if (length === UUID_LENGTH && this.packUuid(text)) this.code = UUID;
    else return this.packUnits(text);
    this.hash = hashOf(this.words, 0, this.code);
  }

  private packAscii(text: string): boolean {
    const { words, inRow } = this;
    const { length } = text;
    let [all, word] = [0, 0];
    for (let at = 0; at < length; at += 1) {
      const unit = text.charCodeAt(at);
      all |= unit;
      word |= unit << ((at & 3) << 3);
      if ((at & 3) < 3) continue;
      words[at >>> 2] = word;
      word = 0;
    }
    for (let nth = length >>> 2; nth < inRow; nth += 1, word = 0) words[nth] = word;
    return all < 128;
  }

  private packUuid(text: string): boolean {
    const { words, inRow } = this;
    for (let nth = 0; nth < inRow; nth += 1) words[nth] = 0;
    let digits = 0;
    for (let at = 0; at < UUID_LENGTH; at += 1) {
      const unit = text.charCodeAt(at);
      if (DASHES.includes(at)) {
        if (unit !== DASH) return false;
        continue;
      }
      const digit = unit < 128 ? DIGITS[unit]! : 255;
      if (digit > 15) return false;
      words[digits >>> 3] = (words[digits >>> 3]! << 4) | digit;
      digits += 1;
    }
    return true;
  }

  /** Two units of UTF-16 a word. */
  private packUnits(text: string): void {
    const count = (text.length + 1) >>> 1;
    if (this.words.length < count) this.words = new Uint32Array(count);
    const { words } = this;
    // The unit after an odd length is NaN, which is 0 here.
    for (let nth = 0; nth < count; nth += 1) {
      words[nth] = text.charCodeAt(2 * nth) | (text.charCodeAt(2 * nth + 1) << 16);
    }
    this.code = BESIDE;
    this.hash = keyedHash(words, 0, count, text.length * (MOST_CODE + 1) + BESIDE);
  }
}
