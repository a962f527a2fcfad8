/**
 * Pull: finished attempts in, leased jobs out. A session has one open pull a partition; a higher pullSeq supersedes the
 * older, which is answered empty. What the worker should hold but does not list is handed out again with the same token.
 */
import { parseToken, type Session, type Token } from '../../../protocols/ids.js';
import { reject } from '../../../protocols/errors.js';
import { isRunning } from '../../job/job.js';
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { isEmpty, notice, type Notice, type WorkerSession } from '../sessions.js';
import { answerPull, tellWorker } from './answer-pull.js';
import { grantReady } from './offer.js';
import { recordReports } from './report.js';

type Pull = Extract<Command, { kind: 'pull' }>;

export function pull(core: PartitionCore, command: Pull): void {
  const session = core.sessions.get(command.session);
  if (session === undefined || session.workerId !== command.workerId) {
    return core.refuse(command.to, reject('UNKNOWN_WORKER', `no session ${command.session} of worker ${command.workerId}`));
  }
  session.heardMonoMs = core.moment.monoMs;
  const told = notice();
  recordReports(core, command, command.reports, told);
  if (command.pullSeq < session.lastPullSeq) return tellWorker(core, session, command.to, told);
  if (session.pull) answerPull(core, session, notice());
  session.lastPullSeq = command.pullSeq;
  checkHeld(core, command.session, command.held, told);
  deliverAgain(core, session, command, told);
  const free = session.draining ? 0 : Math.max(0, command.free - told.leases.length);
  session.pull = { to: command.to, pullSeq: command.pullSeq, free, expiresMonoMs: core.moment.monoMs + command.expiresMs };
  if (!isEmpty(told) || free === 0) {
    grantReady(core, session, free, told);
    answerPull(core, session, told);
  } else core.sessions.waiting.add(session);
}

/** Renews what is held rightly; what is not is revoked, and what somebody cancelled is to be stopped. */
export function checkHeld(core: PartitionCore, session: Session, held: readonly Token[], told: Notice): void {
  for (const token of held) {
    const job = core.state.jobs.get(parseToken(token)!.jobId);
    if (!core.sessions.isHolder(job, session, token) || !isRunning(job)) told.revoked.push(token);
    else {
      core.sessions.renew(job, core.moment.monoMs);
      if (job.cancelling) told.cancel.push(token);
    }
  }
}

function deliverAgain(core: PartitionCore, session: WorkerSession, command: Pull, told: Notice): void {
  const leases = core.indexes.leasesOf(session.session);
  if (leases === undefined) return;
  const held = new Set<string>(command.held);
  if (leases.size === held.size && told.revoked.length === 0) return;
  for (const job of leases) {
    const token = core.sessions.tokenOf(job);
    if (!held.has(token)) {
      core.sessions.renew(job, core.moment.monoMs);
      told.leases.push({ token, job, attempt: job.attempt });
    }
  }
}
