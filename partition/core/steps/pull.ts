/**
 * Pull: finished attempts in, leased jobs out. A session has one open pull a partition; a higher pullSeq supersedes the
 * older, which is answered empty. What the worker should hold but does not list is handed out again with the same token
 * and for the rest of its time: only what the worker holds is renewed, so a lease that never arrives ends.
 */
import { parseToken, type Session, type Token } from '../../../protocols/ids.js';
import { reject } from '../../../protocols/errors.js';
import { isRunning } from '../../../actors/job/job.js';
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { isWorthStarting, notice, type Notice, type WorkerSession } from '../sessions.js';
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
  const isStopped = checkHeld(core, command.session, command.held, told);
  deliverAgain(core, session, command, told);
  const free = session.draining ? 0 : Math.max(0, command.free - told.leases.length);
  const { monoMs } = core.moment;
  session.pull = { to: command.to, pullSeq: command.pullSeq, free, sinceMonoMs: monoMs, expiresMonoMs: monoMs + command.expiresMs };
  if (isStopped || told.leases.length + told.revoked.length + told.rejected.length > 0 || free === 0) {
    grantReady(core, session, free, told);
    answerPull(core, session, told);
  } else core.sessions.waiting.add(session);
}

/**
 * Renews what is held rightly; what is not is revoked, and what somebody cancelled is to be stopped.
 * @returns whether the worker is told to stop something for the first time. A pull does not end for the second time:
 * an attempt may take a while to stop, and its worker would pull in circles.
 */
export function checkHeld(core: PartitionCore, session: Session, held: readonly Token[], told: Notice): boolean {
  let isStopped = false;
  for (const token of held) {
    const parts = parseToken(token)!;
    const job = core.state.jobs.get(parts.jobId);
    if (!core.tokens.isHolder(job, session, parts) || !isRunning(job)) told.revoked.push(token);
    else {
      core.sessions.renew(job, core.moment.monoMs);
      if (!job.cancelling) continue;
      told.cancel.push(token);
      if (core.sessions.noteStop(job.id)) isStopped = true;
    }
  }
  return isStopped;
}

function deliverAgain(core: PartitionCore, session: WorkerSession, command: Pull, told: Notice): void {
  const leases = core.indexes.leasesOf(session.session);
  if (leases === undefined) return;
  // Without the signature: an older key may have made it.
  const held = new Set(command.held.map((token) => token.slice(0, token.lastIndexOf('/'))));
  if (leases.size === held.size && told.revoked.length === 0) return;
  for (const job of leases) {
    if (held.has(`${job.id}/${job.attempt}/${job.lease}`)) continue;
    const token = core.tokens.of(job);
    const leaseMs = Math.floor(core.sessions.leftMs(job, core.moment.monoMs));
    if (isWorthStarting(job, leaseMs)) told.leases.push({ token, job, attempt: job.attempt, leaseMs });
  }
}
