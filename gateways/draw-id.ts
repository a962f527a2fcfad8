/** Ids of new jobs. */
import { randomFillSync } from 'node:crypto';
import { jobId, type JobId, type Partition } from '../protocols/ids.js';

const POOL_BYTES = 10 * 400;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** Random bytes come from a pool: one call of the generator serves 400 ids. */
export function drawJobId(partition: Partition): JobId {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const id = jobId(partition, pool, used);
  used += 10;
  return id;
}
