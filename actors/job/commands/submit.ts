/** job.submit: JobSubmitted (and JobDelayed) for each job, unless its key or command id is known. */
import { z } from 'zod';
import { atMost, Invalid, timeOf, validated } from '../../../protocols/bounds.js';
import { reject, wireError, type ForeignRejection, type Rejection } from '../../../protocols/errors.js';
import { partitionOfJob, partitionOfQueue, type JobId, type Partition } from '../../../protocols/ids.js';
import { documentText, withMember } from '../../../protocols/json-text.js';
import { LIMITS } from '../../../protocols/limits.js';
import { job } from '../../../protocols/messages.js';
import type { Command, Split } from '../../command.js';
import { contentFrom, listText } from '../../content-json.js';
import type { Reply } from '../../reply.js';
import { contentShape, count, shapeOf } from '../../shapes.js';
import type { JobAnswer } from '../answers.js';
import { jobReplyJson, receivedReply, refusalOf } from '../reply-json.js';
import { SUBMIT, submitJob, type SubmitJob } from '../job.submit.js';
import { recordJob } from '../record-job.js';
import { submitReply } from '../replies.js';
import { checkWaitMs, EACH_JOB } from '../waits.js';

/** A checked job, with the id that was drawn for it. */
export interface JobToRecord {
  readonly id: JobId;
  readonly job: SubmitJob;
}

export interface Submit {
  /** In place of an invalid job: its rejection. */
  readonly jobs: readonly (JobToRecord | Rejection)[];
  /** undefined: reply as soon as it is recorded. */
  readonly waitMs: number | undefined;
}

const { type: _, runAtMs: __, ...fields } = SUBMIT;
const jobShape = z.strictObject({
  ...shapeOf(fields), ...contentShape('payload'), type: z.string(),
  runAt: z.union([count, z.iso.datetime({ offset: true })]).optional(),
});
const waiting = { wait: z.boolean().optional(), waitMs: count.optional() };

export interface JsonJob extends Readonly<Record<string, unknown>> {
  readonly require?: object;
  readonly prefer?: object;
  readonly runAt?: number | string;
}

function jobFromJson(given: JsonJob): job.SubmitJob {
  const { payload: _payload, payloadBase64: _base64, runAt, retry, require, prefer, ...rest } = given;
  const { bytes, contentType } = contentFrom('payload', given);
  const message = job.SubmitJob.create(rest as job.SubmitJob.$Properties) as job.SubmitJob;
  if (retry) message.retry = job.RetryPolicy.create(retry as job.RetryPolicy.$Properties);
  message.payload = bytes;
  if (contentType !== undefined) message.contentType = contentType;
  message.requireJson = documentText(require);
  message.preferJson = documentText(prefer);
  if (runAt !== undefined) message.runAtMs = typeof runAt === 'number' ? runAt : timeOf('runAt', runAt);
  return message;
}

const toQueues: Split<job.SubmitJobs, Submit> = {
  to: 'split',
  parts({ jobs }) {
    const parts = new Map<Partition, number[]>();
    jobs.forEach((each, nth) => {
      if (isRefused(each)) return;
      const partition = partitionOfJob(each.id);
      const part = parts.get(partition);
      if (part) part.push(nth);
      else parts.set(partition, [nth]);
    });
    return parts;
  },
  part: ({ jobs, waitMs }, nths) => ({ jobs: nths.map((nth) => jobs[nth]!), waitMs }),
  forwarded: ({ jobs, wait, waitMs }, nths) => ({ jobs: nths.map((nth) => jobs[nth]!), wait, waitMs }),
  /** A refused job is not forwarded: an invalid number in JSON might become a valid one in protobuf. */
  begin: ({ jobs }): job.SubmitReply.$Properties =>
    ({ jobs: jobs.map((each) => (isRefused(each) ? { error: wireError(each) } : {})) }),
  join({ jobs }: { jobs: job.JobReply.$Properties[] }, nths, reply) {
    nths.forEach((nth, at) => (jobs[nth] = partOf(reply, at)));
  },
};

function partOf({ message, refused }: Reply, at: number): job.JobReply.$Properties {
  const replied = (message as job.SubmitReply.$Properties | undefined)?.jobs?.[at];
  if (replied) return replied;
  return { error: wireError(refused ?? reject('UNKNOWN', 'the reply of the leader lacks this job')) };
}

const isRefused = (entry: JobToRecord | Rejection): entry is Rejection => 'code' in entry;

export const submit = {
  noun: 'job',
  verb: 'submit',
  does: `records 1 to ${LIMITS.submitJobs} jobs`,
  request: job.SubmitJobs,
  reply: job.SubmitReply,
  json: z.strictObject({ jobs: z.array(jobShape), ...waiting }),
  alone: { list: 'jobs', json: jobShape.extend(waiting) },
  opaque: new Set(['payload']),
  codes: [
    'UNSUPPORTED', 'REQUIREMENT_INVALID', 'REQUIREMENT_CONTRADICTORY', 'KEY_CONFLICT', 'KEYS_EXHAUSTED',
    'CLASSES_EXHAUSTED',
    'COMMAND_CONFLICT', 'OVERLOADED', 'QUEUE_PAUSED', 'SET_ASIDE',
  ],
  routing: toQueues,
  fromJson(given: { jobs: JsonJob[]; wait?: boolean; waitMs?: number }, alone: boolean) {
    const { wait = false, waitMs = 0, ...one } = given;
    const jobs = alone ? [one as unknown as JsonJob] : given.jobs;
    return job.SubmitJobs.create({ jobs: jobs.map(jobFromJson), wait, waitMs }) as job.SubmitJobs;
  },
  check(message, { nowMs, partitions, drawJobId }) {
    if (message.jobs.length === 0) throw new Invalid('INVALID_ARGUMENT', 'jobs must not be empty');
    atMost('jobs', message.jobs, LIMITS.submitJobs);
    const jobs = message.jobs.map((each): JobToRecord | Rejection => {
      const checked = validated(() => submitJob(each as job.SubmitJob, nowMs));
      return 'code' in checked ? checked : { id: drawJobId(partitionOfQueue(checked.queue, partitions)), job: checked };
    });
    const waitMs = checkWaitMs(message.waitMs);
    return { jobs, waitMs: message.wait ? waitMs : undefined };
  },
  decide(step, { jobs, waitMs }, { to, by }) {
    if (step.overloaded) return step.refuse(to, reject('OVERLOADED', 'too many events wait for the journal'));
    const cause = { commandId: '', type: 'SubmitJob', by };
    const answers = jobs.map((each): JobAnswer =>
      (isRefused(each) ? { kind: 'refused', rejection: each } : recordJob(step, each.id, each.job, cause)));
    if (waitMs === undefined) step.answer(to, submitReply, answers);
    else step.wait(to, EACH_JOB, answers, waitMs);
  },
  refusalInAnswer: (answer) => (answer as JobAnswer[]).find((each) => each.kind === 'refused')?.rejection,
  holdMs: ({ waitMs }) => waitMs ?? 0,
  refusalIn: ({ jobs }: job.SubmitReply.$Properties, alone): ForeignRejection | undefined =>
    (alone ? refusalOf(jobs![0]!) : undefined),
  received: ({ jobs }: job.SubmitReply) => ({ jobs: jobs.map(receivedReply) }),
  toJson({ jobs }: job.SubmitReply.$Properties, alone) {
    return alone ? jobReplyJson(jobs![0]!) : withMember({}, 'jobs', listText(jobs!.map(jobReplyJson)));
  },
} as const satisfies Command<job.SubmitJobs, Submit>;
