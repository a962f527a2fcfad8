/** What a bulk does with one of its members: what the command to one job would do. */
import type { Rejection } from '../../protocols/errors.js';
import {
  decideCancel, decideDiscard, decideReprioritize, decideRetry,
} from '../job/job.decide.js';
import type { JobEvent } from '../job/job.events.js';
import type { Job } from '../job/job.js';
import { jobKind } from '../job/job.kind.js';
import { keyName } from '../job/keys.js';
import type { Cause, Step } from '../step.js';
import type { Action, Bulk } from './bulk.js';

export const CAUSE: Readonly<Record<Action, string>> = {
  retry: 'RetryJob', discard: 'DiscardJob', cancel: 'CancelJob', reprioritize: 'ReprioritizeJob',
};

/** @returns whether the job was changed: it may have left, or may not be changed so any more */
export function actOn(step: Step, bulk: Readonly<Bulk>, place: number, cause: Cause): boolean {
  const job = step.read(jobKind).at(place);
  const event = job && decide(step, bulk, job);
  if (job === undefined || event === undefined || event === 'repeated' || 'code' in event) return false;
  step.emit(jobKind, job.id, event, cause);
  return true;
}

/** At most, of what its event may have beside what every event has. */
export function bytesOf(step: Step, place: number): number {
  const job = step.read(jobKind).at(place);
  return job?.labels ? Buffer.byteLength(JSON.stringify(job.labels)) : 0;
}

function decide(step: Step, bulk: Readonly<Bulk>, job: Readonly<Job>): JobEvent | Rejection | 'repeated' | undefined {
  const { action, priority, reason } = bulk;
  switch (action) {
    case 'retry': return retry(step, job);
    case 'discard': return decideDiscard(job, reason);
    case 'cancel': return decideCancel(job, reason);
    case 'reprioritize': return decideReprioritize(job, priority);
    default: return action satisfies never;
  }
}

function retry(step: Step, job: Readonly<Job>): JobEvent | Rejection | undefined {
  const { key, queue } = job;
  const entry = key === '' ? undefined : step.read(jobKind).keys.find(keyName(queue, key), step.nowMs);
  if (entry && entry.jobId !== job.id) return undefined;
  const fingerprint = entry && Buffer.from(entry.fingerprint, 'hex');
  return decideRetry(job, { payload: undefined, fingerprint }, step.nowMs);
}
