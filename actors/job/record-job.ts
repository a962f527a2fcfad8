/** Records one job that is submitted, unless its key or command id was seen before. */
import { hash } from 'node:crypto';
import { reject, type Rejection } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import type { JobId } from '../../protocols/ids.js';
import { refuseAside } from '../actor/aside.js';
import type { Cause, Step } from '../step.js';
import type { JobAnswer } from './answers.js';
import { queueKind } from '../queue/queue.kind.js';
import { filledIn } from './fill-in.js';
import { decideSubmit } from './job.decide.js';
import { jobKind } from './job.kind.js';
import { bytesOf, type SubmitJob } from './job.submit.js';
import { keyName, MOST_KEYS } from './keys.js';
import { currentAnswer } from './waits.js';

export function recordJob(step: Step, id: JobId, job: SubmitJob, sharedCause: Cause): JobAnswer {
  const fingerprint = job.key !== '' || job.commandId !== '' ? fingerprintOf(job) : undefined;
  const before = fingerprint && seenBefore(step, job, fingerprint);
  if (before) return before;
  if (step.isHeld(job.queue)) {
    return refused(reject('QUEUE_PAUSED', `queue ${job.queue} takes no jobs: ${step.whyHeld(job.queue)}`));
  }
  const { classes } = step.read(jobKind).lines;
  if (job.require !== '' && classes.size >= LIMITS.requirementClasses && !classes.has(job.require)) {
    return refused(reject('CLASSES_EXHAUSTED', `${classes.size} different requirements are waiting`));
  }
  const queues = step.read(queueKind);
  const filled = queues.configured.size === 0 ? job : filledIn(job, queues, step.nowMs);
  if ('code' in filled) return refused(filled);
  step.makeRoom(bytesOf(job));
  const cause = job.commandId === '' ? sharedCause : { ...sharedCause, commandId: job.commandId };
  const [submitted, delayed] = decideSubmit(filled, fingerprint, step.nowMs);
  const made = step.emit(jobKind, id, submitted!, cause);
  return currentAnswer(step, delayed ? step.emit(jobKind, made, delayed, cause) : made);
}

/** The command id is looked up first: it names this very request, the key only what the request is about. */
function seenBefore(step: Step, job: SubmitJob, fingerprint: Buffer): JobAnswer | undefined {
  const command = job.commandId === '' ? undefined : step.seen(job.commandId);
  if (command) {
    // Whose event was not folded: what the command was is not known.
    const aside = command.type === 'SubmitJob' ? step.setAside.get(jobKind.name, command.id) : undefined;
    if (aside) return refused(refuseAside(aside));
    const isRepeated = command.type === 'SubmitJob' && command.fingerprint === fingerprint.toString('hex');
    if (isRepeated) return duplicate(step, command.id as JobId);
    return refused(reject('COMMAND_CONFLICT', `commandId ${job.commandId} was used for another ${command.type}`));
  }
  if (job.key === '') return undefined;
  const { keys } = step.read(jobKind);
  const entry = keys.find(keyName(job.queue, job.key), step.nowMs);
  if (entry && entry.fingerprint === fingerprint.toString('hex')) return duplicate(step, entry.jobId);
  if (entry) {
    const message = `key ${job.key} is taken by ${entry.jobId}, which has another type or payload`;
    return refused(reject('KEY_CONFLICT', message));
  }
  return keys.isFull ? refused(reject('KEYS_EXHAUSTED', `the partition remembers ${MOST_KEYS} keys`)) : undefined;
}

function duplicate(step: Step, jobId: JobId): JobAnswer {
  const job = step.read(jobKind).get(jobId);
  if (job) return currentAnswer(step, job, true);
  const aside = step.setAside.get(jobKind.name, jobId);
  return aside ? refused(refuseAside(aside)) : { kind: 'archived', jobId, duplicate: true };
}

const refused = (rejection: Rejection): JobAnswer => ({ kind: 'refused', rejection });

/**
 * Of type, content type and payload: what must be equal for a job to be the same. Hashed in one piece, which takes half
 * the time.
 */
export function fingerprintOf(
  { type, contentType, payload }: Pick<SubmitJob, 'type' | 'contentType' | 'payload'>,
): Buffer {
  const names = `${type}\n${contentType}\n`;
  const most = names.length * MOST_BYTES_PER_CHARACTER + payload.length;
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  const at = bytes.write(names);
  bytes.set(payload, at);
  return hash('sha256', bytes.subarray(0, at + payload.length), 'buffer');
}

const MOST_BYTES_PER_CHARACTER = 3;
const scratch = Buffer.alloc(4_096);
