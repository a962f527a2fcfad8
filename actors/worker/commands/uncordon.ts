/** worker.uncordon: a cordoned worker gets leases again. */
import { z } from 'zod';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { isHome } from '../home.js';
import { checkOrder, knownPart, ofOneWorker, orderShape, orderWorker, partReply, type OrderWorker } from '../order.js';
import { viewJson } from '../view.js';
import { decideUncordon } from '../worker.js';
import { workerKind } from '../worker.kind.js';

export const uncordon = {
  noun: 'worker',
  verb: 'uncordon',
  does: 'a cordoned worker gets leases again',
  request: worker.UncordonWorker,
  reply: worker.WorkerView,
  json: z.strictObject({ workerId: z.string(), ...orderShape }),
  codes: ['COMMAND_CONFLICT', 'SET_ASIDE', 'NOT_FOUND'],
  routing: ofOneWorker,
  check: checkOrder,
  decide(step, order, from) {
    const sessions = step.live(workerKind);
    const { workerId } = order;
    const wasKnown = step.read(workerKind).get(workerId) !== undefined;
    if (!orderWorker(step, order, 'UncordonWorker', decideUncordon, from)) return;
    const isCordoned = step.read(workerKind).get(workerId)?.cordoned !== undefined;
    for (const session of sessions.ofWorker(workerId)) sessions.setCordoned(session, isCordoned);
    const part = knownPart(step, workerId);
    // One that is not registered is forgotten with its cordon, and was known until now.
    const isForgotten = part.status === '' && wasKnown && isHome(step);
    step.answer(from.to, partReply, isForgotten ? { ...part, status: 'gone' } : part);
  },
  toJson: viewJson,
} as const satisfies Command<worker.UncordonWorker, OrderWorker>;
