/** Salts for contents, taken from a pool: one call of the generator costs as much as a thousand salts. */
import { randomFillSync } from 'node:crypto';
import { SALT_BYTES, type Salts } from './content.js';

const POOL_BYTES = 1024 * SALT_BYTES;

export function randomSalts(): Salts {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (into, at) => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    for (let n = 0; n < SALT_BYTES; n += 1) into[at + n] = pool[used + n]!;
    used += SALT_BYTES;
  };
}
