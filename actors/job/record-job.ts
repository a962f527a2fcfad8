/** Records a submitted job, unless its key or command id is known. */
import { createHash } from 'node:crypto';
import { reject, type Rejection } from '../../protocols/errors.js';
import type { JobId } from '../../protocols/ids.js';
import type { Cause, Step } from '../step.js';
import type { JobAnswer } from './answers.js';
import { decideSubmit } from './job.decide.js';
import { jobKind } from './job.kind.js';
import type { SubmitJob } from './job.submit.js';
import { keyName, MOST_KEYS } from './keys.js';
import { sharedPolicy } from './policies.js';
import { currentAnswer } from './waits.js';

export function recordJob(step: Step, id: JobId, job: SubmitJob, sharedCause: Cause): JobAnswer {
  const fingerprint = job.key !== '' || job.commandId !== '' ? fingerprintOf(job) : undefined;
  const before = fingerprint && seenBefore(step, job, Buffer.from(fingerprint).toString('hex'));
  if (before) return before;
  const hold = step.holdOf(job.queue);
  if (hold) return refused(reject('QUEUE_PAUSED', `queue ${job.queue} takes no jobs: ${hold.reason}`));
  step.makeRoom(job.payload.length + labelBytes(job));
  const cause = job.commandId === '' ? sharedCause : { ...sharedCause, commandId: job.commandId };
  const [submitted, delayed] = decideSubmit(job, fingerprint, step.nowMs, sharedPolicy(job.policy));
  const made = step.emit(jobKind, id, submitted!, cause);
  return currentAnswer(step, delayed ? step.emit(jobKind, id, delayed, cause) : made);
}

/** The command id is looked up first: it identifies the request, the key only the job. */
function seenBefore(step: Step, job: SubmitJob, fingerprint: string): JobAnswer | undefined {
  const command = job.commandId === '' ? undefined : step.seen(job.commandId);
  if (command) {
    const isSame = command.type === 'SubmitJob' && command.fingerprint === fingerprint;
    if (isSame) return duplicate(step, command.id as JobId);
    return refused(reject('COMMAND_CONFLICT', `commandId ${job.commandId} was used for another ${command.type}`));
  }
  if (job.key === '') return undefined;
  const { keys } = step.read(jobKind);
  const entry = keys.find(keyName(job.queue, job.key), step.nowMs);
  if (entry?.fingerprint === fingerprint) return duplicate(step, entry.jobId);
  if (entry) {
    const message = `key ${job.key} is taken by ${entry.jobId}, which has another type or payload`;
    return refused(reject('KEY_CONFLICT', message));
  }
  return keys.isFull ? refused(reject('KEYS_EXHAUSTED', `the partition remembers ${MOST_KEYS} keys`)) : undefined;
}

function duplicate(step: Step, jobId: JobId): JobAnswer {
  const job = step.read(jobKind).get(jobId);
  return job ? currentAnswer(step, job, true) : { kind: 'archived', jobId, duplicate: true };
}

const refused = (rejection: Rejection): JobAnswer => ({ kind: 'refused', rejection });

function fingerprintOf(job: SubmitJob): Uint8Array {
  return createHash('sha256').update(`${job.type}\n${job.contentType}\n`).update(job.payload).digest();
}

function labelBytes({ labels }: SubmitJob): number {
  return labels ? JSON.stringify(labels).length : 0;
}
