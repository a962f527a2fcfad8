/** Ids of new jobs. */
import { hash, randomFillSync } from 'node:crypto';
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

/**
 * Ids of the jobs that a command of another partition makes. No two commands have the same origin and sequence, so they
 * need no chance: the command comes to the same ids when it is decided again.
 * @param origin id of the journal that the command was sent in
 */
export function jobIdsOf(origin: string, seq: number): (partition: Partition) => JobId {
  let nth = 0;
  return (partition) => jobId(partition, hash('sha256', `${origin} ${seq} ${partition} ${(nth += 1)}`, 'buffer'));
}
