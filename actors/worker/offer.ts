/**
 * Offers ready jobs to open pulls just before a batch is closed, so that submit and lease share one fsync. If there are
 * more free slots than jobs, the jobs are spread over the workers. A lease runs from when its pull was sent, so a pull
 * that is too old for a lease gets a reply without it, and the worker's next pull gets the job.
 */
import { isWorthStarting } from '../job/attempts.js';
import { decideDue, decideLease } from '../job/job.decide.js';
import { leasedOf } from '../job/job-row.js';
import { jobKind } from '../job/job.kind.js';
import { takenOfPull } from '../job/taken.js';
import type { Step } from '../step.js';
import { answerPull } from './answer-pull.js';
import { TIMER } from './check-leases.js';
import { emptyNotice, type Notice, type WorkerSession } from './sessions.js';
import { workerKind } from './worker.kind.js';

export function offerJobs(step: Step): void {
  const sessions = step.live(workerKind);
  const { waiting } = sessions;
  if (waiting.size === 0) return;
  let left = leasable(step);
  if (left === 0) return;
  const share = Math.ceil(left / waiting.size);
  let recalls = sessions.mayRecall(step.moment.monoMs) ? left : 0;
  for (const session of [...waiting]) {
    const notice = emptyNotice();
    const most = Math.min(share, session.pull?.free ?? 0);
    const isRecalled = !grantReady(step, session, most, notice) && recalls > 0;
    if (isRecalled) {
      recalls -= most;
      sessions.recalledMonoMs = step.moment.monoMs;
    }
    left -= notice.leases.length;
    if (isRecalled || notice.leases.length > 0) answerPull(step, session, notice);
    if (left === 0) return;
  }
}

/**
 * How many jobs are ready in queues that are not held. Any client may pause any number of names, so this looks at the
 * held queues or at those with lines, whichever are fewer.
 */
function leasable(step: Step): number {
  const { lines } = step.read(jobKind);
  if (lines.ready === 0) return 0;
  const held = step.heldQueues();
  let ready = 0;
  if (held.size <= lines.queueCount) {
    for (const queue of held) ready += lines.readyIn(queue);
    return lines.ready - ready;
  }
  for (const queue of lines.queues) if (!held.has(queue)) ready += lines.readyIn(queue);
  return ready;
}

/**
 * Leases up to `most` jobs to the worker, the first of those that it can do.
 * @returns false if it stopped at a job whose lease the pull is too old for: no other job overtakes that one
 */
export function grantReady(step: Step, session: WorkerSession, most: number, notice: Notice): boolean {
  const { pull, workerId } = session;
  if (pull === undefined || most <= 0) return true;
  const { lines } = step.read(jobKind);
  const attempts = step.live(jobKind);
  const ageMs = step.moment.monoMs - pull.sinceMonoMs;
  const cause = { commandId: '', type: 'Pull', by: workerId };
  const to = { workerId, session: session.session, pullSeq: pull.pullSeq };
  const isHeld = (queue: string): boolean => step.isHeld(queue);
  const before = notice.leases.length;
  for (let tried = 0; tried < most; tried += 1) {
    const next = lines.first(session.linesIn(lines), isHeld);
    if (next === undefined) return true;
    const { heartbeatMs } = next.policy;
    if (!isWorthStarting(next, heartbeatMs - ageMs)) return false;
    step.makeRoom();
    // Its timer may be late, above all after an outage, when many are due at once.
    const due = decideDue(next, { nowMs: step.nowMs, draw: 0 });
    if (due) {
      step.emit(jobKind, next, due, TIMER);
      continue;
    }
    const taken = notice.leases.length === before ? takenOfPull(pull.free) : undefined;
    const job = step.emit(jobKind, next, decideLease(next, to, step.nowMs), cause, taken);
    attempts.renew(job, step.moment.monoMs);
    notice.leases.push({ token: attempts.tokens.of(job), job: leasedOf(job), leaseMs: heartbeatMs });
  }
  return true;
}
