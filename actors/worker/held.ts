/** Compares the tokens that a worker holds with the leases that it has. */
import { parseToken, type Session, type Token } from '../../protocols/ids.js';
import { isWorthStarting } from '../job/attempts.js';
import { isRunning } from '../job/job.js';
import { leasedOf } from '../job/job-copy.js';
import { jobKind } from '../job/job.kind.js';
import type { Step } from '../step.js';
import type { Notice } from './sessions.js';

/**
 * Renews the leases that are held. Other tokens are revoked, and those of cancelled jobs are to be stopped.
 * @returns whether the worker is asked to stop an attempt for the first time. Only then the pull gets a reply at once:
 * an attempt may take a while to stop, and the worker would otherwise pull in a loop.
 */
export function checkHeld(step: Step, session: Session, held: readonly Token[], notice: Notice): boolean {
  const jobs = step.read(jobKind);
  const attempts = step.live(jobKind);
  let isStopped = false;
  for (const token of held) {
    const parts = parseToken(token)!;
    const job = jobs.get(parts.jobId);
    if (!attempts.tokens.isHolder(job, session, parts) || !isRunning(job)) notice.revoked.push(token);
    else {
      attempts.renew(job, step.moment.monoMs);
      if (!job.cancelling) continue;
      notice.cancel.push(token);
      if (attempts.noteStop(job.id)) isStopped = true;
    }
  }
  return isStopped;
}

/**
 * A lease that the worker does not list is delivered again, with the same token and for the rest of its time. It is not
 * renewed by that, so a lease that never arrives expires. One whose payload cannot be read is not delivered again:
 * the worker would get empty replies and pull in a loop.
 */
export function deliverAgain(step: Step, session: Session, listed: readonly Token[], notice: Notice): void {
  const leases = step.read(jobKind).leasesOf(session);
  if (leases === undefined) return;
  // Without the signature: an older key may have made it.
  const held = new Set(listed.map((token) => token.slice(0, token.lastIndexOf('/'))));
  if (leases.size === held.size && notice.revoked.length === 0) return;
  const attempts = step.live(jobKind);
  for (const job of leases) {
    if (held.has(`${job.id}/${job.attempt}/${job.lease}`) || attempts.isWithheld(job.id)) continue;
    const leaseMs = Math.floor(attempts.leftMs(job, step.moment.monoMs));
    if (!isWorthStarting(job, leaseMs)) continue;
    notice.leases.push({ token: attempts.tokens.of(job), job: leasedOf(job), leaseMs });
  }
}
