/** The cast of brokers that host counters: each rings by submitting a job with a key, but the first goes astray. */
import { KINDS } from '../../actors/kinds.js';
import type { CastMember } from '../../actors/cast.js';
import type { Partition } from '../../protocols/ids.js';
import { job } from '../../protocols/messages.js';
import { queuesOf } from '../broker.js';
import { counters } from './counter.js';

export const CAST_PARTITIONS = 3;
export const QUEUES = queuesOf(CAST_PARTITIONS);

function submitOf(id: string, nth: number, to: Partition): Uint8Array {
  const queue = QUEUES[(nth === 1 ? to + 1 : to) % CAST_PARTITIONS];
  const jobs = [{ type: 'count', queue, key: `${id}-${nth}`, payload: Buffer.from(String(nth)) }];
  return job.SubmitJobs.encode({ jobs }).finish();
}

export const kinds: readonly CastMember[] = [...KINDS, counters(submitOf)];
