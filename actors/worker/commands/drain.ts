/** worker.drain: a worker gets no more leases, or leaves. */
import { z } from 'zod';
import type { Session, WorkerId } from '../../../protocols/ids.js';
import { worker } from '../../../protocols/messages.js';
import { identityIn, type Command, type ToAll } from '../../command.js';
import { answerPull } from '../answer-pull.js';
import { isHome } from '../home.js';
import { sessionShape } from '../pull-reply.js';
import { drainedReply } from '../replies.js';
import { emptyNotice } from '../sessions.js';
import { decideDrain } from '../worker.js';
import { workerKind } from '../worker.kind.js';

export interface Drain {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly gone: boolean;
}

const toEveryPartition: ToAll<worker.DrainWorker> = {
  to: 'all',
  forwarded: (message) => message,
  /** Any refusal counts: a worker has left only when every partition has removed its session. */
  merge: (replies) => replies.find((each) => each.refused) ?? replies[0]!,
};

export const drain = {
  noun: 'worker',
  verb: 'drain',
  does: 'ends the leasing of jobs to a worker; with `gone: true` also its session',
  request: worker.DrainWorker,
  reply: worker.DrainReply,
  json: z.strictObject({ ...sessionShape, gone: z.boolean().optional() }),
  session: 'proved',
  codes: ['SESSION_UNPROVED'],
  routing: toEveryPartition,
  check(message, context) {
    const { workerId, session } = identityIn(context);
    return { workerId, session, gone: message.gone };
  },
  decide(step, { workerId, session: id, gone }, { to }) {
    const sessions = step.live(workerKind);
    const session = sessions.get(id);
    if (session?.workerId === workerId) {
      sessions.drain(session);
      if (session.pull) answerPull(step, session, emptyNotice());
      if (gone) sessions.remove(session);
    }
    const known = isHome(step) ? step.read(workerKind).get(workerId) : undefined;
    const event = decideDrain(known, id, gone);
    if (event) {
      if (known && gone) sessions.gone.note(known, 'drained', step.moment.monoMs);
      step.makeRoom();
      step.emit(workerKind, workerId, event, { commandId: '', type: 'DrainWorker', by: workerId });
    }
    step.answer(to, drainedReply, gone ? 'gone' : 'draining');
  },
  /** An epoch of 0 is set explicitly. */
  received: ({ epoch, status }: worker.DrainReply) => ({ epoch, status }),
} as const satisfies Command<worker.DrainWorker, Drain>;
