/**
 * Pull: finished attempts in, leased jobs out. A session has one open pull a partition; a higher pullSeq supersedes the
 * older one, which is answered empty.
 */
import { reject } from '../../../protocols/errors.js';
import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { answerPull } from '../answer-pull.js';
import { checkHeld, deliverAgain } from '../held.js';
import { grantReady } from '../offer.js';
import { recordReports } from '../record-reports.js';
import { pulledReply } from '../replies.js';
import { notice } from '../sessions.js';
import { workerKind } from '../worker.kind.js';

export function pull(step: Step, command: Extract<Command, { kind: 'pull' }>): void {
  const sessions = step.live(workerKind);
  const session = sessions.get(command.session);
  if (session === undefined || session.workerId !== command.workerId) {
    return step.refuse(command.to, reject('UNKNOWN_WORKER', `no session ${command.session} of worker ${command.workerId}`));
  }
  const { monoMs } = step.moment;
  session.heardMonoMs = monoMs;
  const told = notice();
  recordReports(step, command, command.reports, told);
  if (command.pullSeq < session.lastPullSeq) return step.answer(command.to, pulledReply, told);
  if (session.pull) answerPull(step, session, notice());
  session.lastPullSeq = command.pullSeq;
  const isStopped = checkHeld(step, command.session, command.held, told);
  deliverAgain(step, command.session, command.held, told);
  const free = session.draining ? 0 : Math.max(0, command.free - told.leases.length);
  const expiresMonoMs = monoMs + command.expiresMs;
  session.pull = { to: command.to, pullSeq: command.pullSeq, free, sinceMonoMs: monoMs, expiresMonoMs };
  if (isStopped || told.leases.length + told.revoked.length + told.rejected.length > 0 || free === 0) {
    grantReady(step, session, free, told);
    answerPull(step, session, told);
  } else sessions.waiting.add(session);
}
