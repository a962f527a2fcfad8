/** A job by its id, or by queue and key. */
import { Invalid, jobIdOf, text } from '../../protocols/bounds.js';
import { partitionOfJob, partitionOfQueue, type JobId, type Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { ToOne } from '../command.js';
import { optionalText } from '../shapes.js';
import { SUBMIT } from './job.submit.js';

export type Target = { readonly jobId: JobId } | { readonly queue: string; readonly key: string };

export const targetShape = { jobId: optionalText, queue: optionalText, key: optionalText };

/** @throws Invalid */
export function checkTarget(message: { readonly jobId: string; readonly queue: string; readonly key: string }): Target {
  if (message.jobId !== '') {
    if (message.queue !== '' || message.key !== '') {
      throw new Invalid('INVALID_ARGUMENT', 'give jobId, or queue and key, not both');
    }
    return { jobId: jobIdOf(message.jobId) };
  }
  return { queue: SUBMIT.queue.check(message.queue), key: text('jobId or key', message.key, LIMITS.keyBytes, 1) };
}

/** To the partition that the job or its queue lives in. */
export const TO_TARGET: ToOne<{ readonly target: Target }> = {
  to: 'one',
  partitionOf: ({ target }, partitions): Partition =>
    ('jobId' in target ? partitionOfJob(target.jobId) : partitionOfQueue(target.queue, partitions)),
};
