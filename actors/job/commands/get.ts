/** job.get: shows a job. */
import { z } from 'zod';
import { job } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { viewJson } from '../job.view.js';
import { checkTarget, targetShape, TO_TARGET, type Target } from '../target.js';

export const get = {
  noun: 'job',
  verb: 'get',
  does: 'shows a job',
  request: job.GetJob,
  reply: job.JobView,
  json: z.strictObject(targetShape),
  codes: ['NOT_FOUND'],
  routing: TO_TARGET,
  check: (message) => ({ target: checkTarget(message) }),
  toJson: viewJson,
} as const satisfies Command<job.GetJob, { readonly target: Target }>;
