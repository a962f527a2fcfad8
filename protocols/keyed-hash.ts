/**
 * HalfSipHash-1-3 with a key that every process draws for itself. Clients choose names, and cannot choose such that
 * collide without the key. It places entries in tables of this process, and is in no state and no message.
 */
import { randomFillSync } from 'node:crypto';

const KEY = randomFillSync(new Int32Array(2));
const [K0, K1] = [KEY[0]!, KEY[1]!];
const FINAL_ROUNDS = 3;

/**
 * @param words `count` words from `from` on, of 32 bits each
 * @param last one more word. Lists of different lengths or kinds must differ in it
 * @returns 32 bits, with a sign
 */
export function keyedHash(words: Uint32Array, from: number, count: number, last: number): number {
  let [v0, v1, v2, v3] = [K0, K1, K0 ^ 0x6c796765, K1 ^ 0x74656462];
  const rounds = count + 1 + FINAL_ROUNDS;
  for (let nth = 0; nth < rounds; nth += 1) {
    const word = nth < count ? words[from + nth]! | 0 : nth === count ? last : 0;
    if (nth === count + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
