/**
 * worker.pull: reports finished attempts and gets leases. A session has one open pull for each partition. A higher
 * pullSeq supersedes the older one, which gets an empty reply.
 */
import { z } from 'zod';
import { whole } from '../../../protocols/bounds.js';
import { reject } from '../../../protocols/errors.js';
import type { Token } from '../../../protocols/ids.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { count, texts } from '../../shapes.js';
import { answerPull } from '../answer-pull.js';
import { checkHeld, deliverAgain } from '../held.js';
import { grantReady } from '../../dispatch/offer.js';
import { checkLoad, loadShape, type Load } from '../load.js';
import { partitionShape, pullReplyJson, sessionShape } from '../pull-reply.js';
import {
  checkReports, checkSession, checkTokens, reportFromJson, reportShape, TO_STATED,
  type JsonReport, type Reports,
} from '../reports.js';
import { recordReports } from '../record-reports.js';
import { pulledReply } from '../replies.js';
import { emptyNotice } from '../sessions.js';
import { workerKind } from '../worker.kind.js';

export interface Pull extends Reports {
  readonly pullSeq: number;
  readonly free: number;
  readonly expiresMs: number;
  readonly held: readonly Token[];
  readonly load?: Load | undefined;
}

export const pull = {
  noun: 'worker',
  verb: 'pull',
  does: 'reports finished attempts and gets leases',
  request: worker.Pull,
  reply: worker.PullReply,
  json: z.strictObject({
    ...sessionShape, ...partitionShape, pullSeq: count, free: count, expiresMs: count, held: texts.optional(),
    reports: z.array(reportShape).optional(), load: loadShape,
  }),
  opaque: new Set(['result']),
  session: 'proved',
  codes: ['SESSION_UNPROVED', 'UNKNOWN_WORKER'],
  routing: TO_STATED,
  fromJson(given: { reports?: JsonReport[] }) {
    return worker.Pull.create({ ...given, reports: (given.reports ?? []).map(reportFromJson) }) as worker.Pull;
  },
  check(message, context) {
    const from = checkSession(message, context);
    const { partition } = from;
    return {
      ...from,
      pullSeq: whole('pullSeq', message.pullSeq, 1, Number.MAX_SAFE_INTEGER),
      free: whole('free', message.free, 0, LIMITS.free),
      expiresMs: whole('expiresMs', message.expiresMs, 0, LIMITS.pullExpiresMs),
      held: checkTokens('held', message.held, partition),
      reports: checkReports(message.reports, partition),
      load: checkLoad(message.load),
    };
  },
  decide(step, request, { to }) {
    const sessions = step.live(workerKind);
    const session = sessions.get(request.session);
    if (session === undefined || session.workerId !== request.workerId) {
      return step.refuse(to, reject('UNKNOWN_WORKER', `no session ${request.session} of worker ${request.workerId}`));
    }
    const { monoMs } = step.moment;
    session.heard(monoMs, request.load);
    const notice = emptyNotice();
    if (session.retired) notice.drain = true;
    recordReports(step, request, request.reports, notice);
    if (request.pullSeq < session.lastPullSeq) return step.answer(to, pulledReply, notice);
    if (session.pull) answerPull(step, session, emptyNotice());
    session.lastPullSeq = request.pullSeq;
    const isStopped = checkHeld(step, request.session, request.held, notice);
    deliverAgain(step, request.session, request.held, notice);
    const free = session.draining ? 0 : Math.max(0, request.free - notice.leases.length);
    const expiresMonoMs = monoMs + request.expiresMs;
    session.pull = { to, pullSeq: request.pullSeq, free, sinceMonoMs: monoMs, expiresMonoMs };
    if (isStopped || notice.leases.length + notice.revoked.length + notice.rejected.length > 0 || free === 0) {
      if (session.isOpen) grantReady(step, session, free, notice);
      answerPull(step, session, notice);
    } else sessions.wait(session);
  },
  holdMs: ({ expiresMs }) => expiresMs,
  toJson: pullReplyJson,
} as const satisfies Command<worker.Pull, Pull>;
