/** job.retry: JobRetried. A job that has ended is ready again. One that has left the state is read before. */
import { z } from 'zod';
import { text } from '../../../protocols/bounds.js';
import { reject } from '../../../protocols/errors.js';
import { LIMITS } from '../../../protocols/limits.js';
import { job } from '../../../protocols/messages.js';
import { REMOVED } from '../../../streams/payloads.js';
import { refuseAside } from '../../actor/aside.js';
import type { Command, Reading } from '../../command.js';
import { contentFrom } from '../../content-json.js';
import { contentShape, optionalText } from '../../shapes.js';
import { conflictOf } from '../conflict.js';
import { describe, findJob } from '../find.js';
import { decideRetry } from '../job.decide.js';
import type { Job } from '../job.js';
import { jobKind } from '../job.kind.js';
import type { NewPayload } from '../job.retry.js';
import { checkContentType, SUBMIT } from '../job.submit.js';
import { keyName } from '../keys.js';
import { fingerprintOf } from '../record-job.js';
import { jobReplyJson, receivedReply, refusalOf } from '../reply-json.js';
import { oneJobReply } from '../replies.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';
import { currentAnswer } from '../waits.js';
import type { Step } from '../../step.js';

export interface Retry {
  readonly target: Target;
  /** undefined: the one that the job has. */
  readonly payload: NewPayload | undefined;
  readonly commandId: string;
  /** As it was read: a job that has left the state. */
  readonly left?: Left | undefined;
}

interface Left {
  readonly job: Readonly<Job>;
  /** undefined: it was removed. */
  readonly payload: Uint8Array | undefined;
}

type JsonRetry = Readonly<Record<string, unknown>>;

export const retry = {
  noun: 'job',
  verb: 'retry',
  does: 'a job that failed, expired or was cancelled is ready again, at its place, perhaps with another payload',
  request: job.RetryJob,
  reply: job.JobReply,
  json: z.strictObject({ ...targetShape, ...contentShape('payload'), commandId: optionalText }),
  opaque: new Set(['payload']),
  codes: [
    'NOT_FOUND', 'ALREADY_ENDED', 'NOT_ENDED', 'PAYLOAD_REMOVED', 'KEY_CONFLICT', 'SET_ASIDE', 'COMMAND_CONFLICT',
  ],
  routing: TO_TARGET,
  fromJson(given: JsonRetry) {
    const { payload, payloadBase64, contentType: _, ...rest } = given;
    const message = job.RetryJob.create(rest) as job.RetryJob;
    if (payload === undefined && payloadBase64 === undefined) return message;
    const { bytes, contentType } = contentFrom('payload', given);
    message.payload = bytes;
    if (contentType !== undefined) message.contentType = contentType;
    return message;
  },
  check: (message) => ({
    target: checkTarget(message),
    payload: message.payload === null || message.payload === undefined ? undefined
      : { bytes: SUBMIT.payload.check(message.payload), contentType: checkContentType(message.contentType) },
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes),
  }),
  refusalIn: refusalOf,
  received: receivedReply,
  toJson: jobReplyJson,
  prepare(asked, reading) {
    const { target } = asked;
    const jobs = reading.read(jobKind);
    const id = 'jobId' in target ? target.jobId : jobs.keys.find(keyName(target.queue, target.key), 0)?.jobId;
    return id === undefined || jobs.get(id) ? undefined : readLeft(asked, id, reading);
  },
  decide(step, { target, payload, commandId, left }, { to, by }) {
    const found = findJob(step, target);
    if (found?.kind === 'aside') return step.refuse(to, refuseAside(found.aside));
    const held = found?.kind === 'job' ? found.job : left?.job;
    if (held === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
    const conflict = conflictOf(step, commandId, 'RetryJob', held.id);
    if (conflict) return step.refuse(to, conflict);
    const isRepeated = commandId !== '' && step.seen(commandId) !== undefined;
    if (isRepeated && found?.kind === 'job') return step.answer(to, oneJobReply, currentAnswer(step, held, true));
    // First, because a new commit may have a later time, and it is the time of the decision.
    step.makeRoom((payload?.bytes ?? left?.payload ?? NONE).length + RETRIED_BYTES);
    const event = decided(step, held, payload, found?.kind === 'job' ? undefined : left);
    if ('code' in event) return step.refuse(to, event);
    const changed = step.emit(jobKind, held.id, event, { commandId, type: 'RetryJob', by });
    step.answer(to, oneJobReply, currentAnswer(step, changed));
  },
} as const satisfies Command<job.RetryJob, Retry>;

const NONE = new Uint8Array();
/** Of all of a submission but its payload. */
const RETRIED_BYTES = 16_384;

async function readLeft(asked: Retry, id: Job['id'], { archive, bytes }: Reading): Promise<Retry> {
  const found = await archive.find(id);
  if (found === undefined) return asked;
  const payload = await bytes.load(found.payload.seq, found.payload.index);
  return { ...asked, left: { job: found, payload: payload === REMOVED ? undefined : Buffer.from(payload) } };
}

/** What is read of one that left is written with the event: the journal may lose it. */
function decided(step: Step, held: Readonly<Job>, edited: NewPayload | undefined, left: Left | undefined) {
  const { queue, key, payload: { contentType, size } } = held;
  if (left && left.payload === undefined && size > 0 && edited === undefined) {
    return reject('PAYLOAD_REMOVED', `the payload of job ${held.id} was removed`);
  }
  const jobs = step.read(jobKind);
  const entry = key === '' ? undefined : jobs.keys.find(keyName(queue, key), step.nowMs);
  if (entry && entry.jobId !== held.id) return reject('KEY_CONFLICT', `key ${key} is taken by ${entry.jobId} by now`);
  if (left === undefined) {
    const fingerprint = entry && Buffer.from(entry.fingerprint, 'hex');
    return decideRetry(held, { payload: edited, fingerprint }, step.nowMs);
  }
  const own = { bytes: left.payload ?? NONE, contentType };
  const fingerprint = key === '' ? undefined : fingerprintOf({ type: held.type, contentType, payload: own.bytes });
  const placed = { ...held, place: jobs.freePlace(held.firstSeq) };
  return decideRetry(placed, { payload: edited ?? own, fingerprint }, step.nowMs);
}
