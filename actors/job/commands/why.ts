/** job.why: everything that keeps a job from running now. */
import { z } from 'zod';
import { reject } from '../../../protocols/errors.js';
import { job } from '../../../protocols/messages.js';
import { refuseAside } from '../../actor/aside.js';
import type { Command } from '../../command.js';
import { whyWaiting } from '../../dispatch/why.js';
import { message, type Releasing, type Reply } from '../../reply.js';
import { describe, findJob } from '../find.js';
import { positionJson } from '../reply-json.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';

type Why = Omit<job.WhyReply.$Properties, 'position'>;

const whyReply = (why: Why, { position }: Releasing): Reply => message({ ...why, position });

export const why = {
  noun: 'job',
  verb: 'why',
  does: 'says why a job is not running: everything that keeps it from it now',
  request: job.WhyJob,
  reply: job.WhyReply,
  json: z.strictObject(targetShape),
  codes: ['NOT_FOUND', 'SET_ASIDE'],
  routing: TO_TARGET,
  check: (given) => ({ target: checkTarget(given) }),
  toJson: ({ reasons, position, ...rest }: job.WhyReply.$Properties) =>
    JSON.stringify({ ...rest, reasons: reasons ?? [], position: positionJson(position) }),
  decide(step, { target }, { to }) {
    const found = findJob(step, target);
    if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
    if (found.kind === 'aside') return step.refuse(to, refuseAside(found.aside));
    if (found.kind === 'archived') {
      const ended = { code: 'ENDED', message: 'the job has ended, or never was: job.get says how' };
      return step.answer(to, whyReply, { jobId: found.jobId, status: '', reasons: [ended] });
    }
    const { id, status } = found.job;
    step.answer(to, whyReply, { jobId: id, status, reasons: whyWaiting(step, found.job) });
  },
} as const satisfies Command<job.WhyJob, { readonly target: Target }>;
