/** worker.get: one worker, with the attempts that it runs. */
import { z } from 'zod';
import { workerIdOf } from '../../../protocols/bounds.js';
import type { WorkerId } from '../../../protocols/ids.js';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { knownPart, ofOneWorker, partReply } from '../order.js';
import { viewJson, withAttempts } from '../view.js';

export const get = {
  noun: 'worker',
  verb: 'get',
  does: 'one worker: what it can do, how it is, and the attempts that it runs, 1,000 at most',
  request: worker.GetWorker,
  reply: worker.WorkerView,
  json: z.strictObject({ workerId: z.string() }),
  codes: ['NOT_FOUND'],
  routing: ofOneWorker,
  check: ({ workerId }) => ({ workerId: workerIdOf(workerId) }),
  decide: (step, { workerId }, { to }) => step.answer(to, partReply, withAttempts(step, knownPart(step, workerId))),
  toJson: viewJson,
} as const satisfies Command<worker.GetWorker, { readonly workerId: WorkerId }>;
