/** worker.cordon: a worker gets no new leases, and keeps what it runs. */
import { z } from 'zod';
import { reject } from '../../../protocols/errors.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { checkOrder, knownPart, ofOneWorker, orderShape, orderWorker, partReply, type OrderWorker } from '../order.js';
import { decideCordon } from '../worker.js';
import { workerKind } from '../worker.kind.js';
import { viewJson } from '../view.js';

export const cordon = {
  noun: 'worker',
  verb: 'cordon',
  does: 'a worker gets no new leases until it is uncordoned, also if it registers again; what it runs goes on',
  request: worker.CordonWorker,
  reply: worker.WorkerView,
  json: z.strictObject({ workerId: z.string(), ...orderShape }),
  codes: ['COMMAND_CONFLICT', 'SET_ASIDE', 'NOT_FOUND'],
  routing: ofOneWorker,
  check: checkOrder,
  /** Recorded in every partition, so that the next leader of each knows it. */
  decide(step, order, from) {
    const sessions = step.live(workerKind);
    const { workerId } = order;
    const isDone = orderWorker(step, order, 'CordonWorker', (known, by) => {
      const isFull = known === undefined && step.read(workerKind).size >= LIMITS.cordonedWorkers;
      return isFull ? reject('INVALID_ARGUMENT', TOO_MANY) : decideCordon(known, by);
    }, from);
    if (!isDone) return;
    const isCordoned = step.read(workerKind).get(workerId)?.cordoned !== undefined;
    for (const session of sessions.ofWorker(workerId)) sessions.setCordoned(session, isCordoned);
    step.answer(from.to, partReply, knownPart(step, workerId));
  },
  toJson: viewJson,
} as const satisfies Command<worker.CordonWorker, OrderWorker>;

const TOO_MANY = `this partition knows ${LIMITS.cordonedWorkers} workers; uncordon one that is gone`;
