/** job.get: shows a job. */
import { z } from 'zod';
import { reject } from '../../../protocols/errors.js';
import { job } from '../../../protocols/messages.js';
import { refuseAside, whyAside } from '../../actor/aside.js';
import type { Command } from '../../command.js';
import { jobOf, type JobPlaces, type JobState } from '../canonical.js';
import { describe, findJob } from '../find.js';
import { detached } from '../job-copy.js';
import { jobKind } from '../job.kind.js';
import { viewJson } from '../job.view.js';
import { lacksWorker } from '../lacks-worker.js';
import { archiveReply, viewReply } from '../replies.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';

export const get = {
  noun: 'job',
  verb: 'get',
  does: 'shows a job',
  request: job.GetJob,
  reply: job.JobView,
  json: z.strictObject(targetShape),
  codes: ['NOT_FOUND', 'SET_ASIDE'],
  routing: TO_TARGET,
  check: (message) => ({ target: checkTarget(message) }),
  toJson: viewJson,
  decide(step, { target }, { to }) {
    const found = findJob(step, target);
    if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
    if (found.kind === 'aside') {
      const kept = step.setAside.kept(jobKind.name, found.jobId);
      if (kept === undefined) return step.refuse(to, refuseAside(found.aside));
      const known = jobOf(kept.view as JobState, kept.places as JobPlaces);
      const setAside = whyAside(found.aside);
      return step.answer(to, viewReply, { job: known, progress: undefined, noWorker: false, setAside });
    }
    if (found.kind === 'archived') return step.answer(to, archiveReply, found.jobId);
    const { job: held } = found;
    const progress = step.live(jobKind).progressOf(held.id);
    step.answer(to, viewReply, { job: detached(held), progress, noWorker: lacksWorker(step, held) });
  },
} as const satisfies Command<job.GetJob, { readonly target: Target }>;
