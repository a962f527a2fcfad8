/** job.await: replies when a job has ended. */
import { z } from 'zod';
import { reject } from '../../../protocols/errors.js';
import { job } from '../../../protocols/messages.js';
import { refuseAside } from '../../actor/aside.js';
import type { Command } from '../../command.js';
import { count } from '../../shapes.js';
import { describe, findJob } from '../find.js';
import { jobReplyJson, receivedReply, refusalOf } from '../reply-json.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';
import { checkWaitMs, currentAnswer, ONE_JOB } from '../waits.js';

export interface Await {
  readonly target: Target;
  readonly waitMs: number;
}

export const awaitEnd = {
  noun: 'job',
  verb: 'await',
  does: 'replies when the job has ended, or after `waitMs` with its current status',
  request: job.AwaitJob,
  reply: job.JobReply,
  json: z.strictObject({ ...targetShape, waitMs: count.optional() }),
  codes: ['NOT_FOUND', 'SET_ASIDE'],
  routing: TO_TARGET,
  check: (message) => ({ target: checkTarget(message), waitMs: checkWaitMs(message.waitMs) }),
  holdMs: ({ waitMs }) => waitMs,
  refusalIn: refusalOf,
  received: receivedReply,
  toJson: jobReplyJson,
  decide(step, { target, waitMs }, { to }) {
    const found = findJob(step, target);
    if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
    if (found.kind === 'aside') return step.refuse(to, refuseAside(found.aside));
    const answer = found.kind === 'job' ? currentAnswer(step, found.job) : { ...found, duplicate: false };
    step.wait(to, ONE_JOB, [answer], waitMs);
  },
} as const satisfies Command<job.AwaitJob, Await>;
