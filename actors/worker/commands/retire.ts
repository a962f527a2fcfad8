/** worker.retire: an operator drains a worker. Its next reply tells it to finish what it holds and to exit. */
import { z } from 'zod';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { answerPull } from '../answer-pull.js';
import { isHome } from '../home.js';
import { checkOrder, knownPart, ofOneWorker, orderShape, orderWorker, partReply, type OrderWorker } from '../order.js';
import { emptyNotice } from '../sessions.js';
import { viewJson } from '../view.js';
import { decideRetire } from '../worker.js';
import { workerKind } from '../worker.kind.js';

export const retire = {
  noun: 'worker',
  verb: 'retire',
  does: 'drains a worker: it gets no more leases, and its next reply tells it to finish what it holds and to exit',
  request: worker.RetireWorker,
  reply: worker.WorkerView,
  json: z.strictObject({ workerId: z.string(), ...orderShape }),
  codes: ['COMMAND_CONFLICT', 'SET_ASIDE', 'NOT_FOUND'],
  routing: ofOneWorker,
  check: checkOrder,
  /** Recorded in the home partition only: it is about one session, which the others know as long as they lead. */
  decide(step, order, from) {
    const sessions = step.live(workerKind);
    const { workerId } = order;
    const isDone = orderWorker(step, order, 'RetireWorker', (known, by) =>
      (isHome(step) ? decideRetire(known, by) : undefined), from);
    if (!isDone) return;
    for (const session of sessions.ofWorker(workerId)) {
      sessions.drain(session);
      session.retired = true;
      if (session.pull) answerPull(step, session, emptyNotice());
    }
    step.answer(from.to, partReply, knownPart(step, workerId));
  },
  toJson: viewJson,
} as const satisfies Command<worker.RetireWorker, OrderWorker>;
