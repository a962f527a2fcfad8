/**
 * Offers ready jobs to open pulls just before a batch is closed, so that submit and lease share one fsync. If there are
 * more free slots than jobs, the jobs are spread over the workers. A lease runs from when its pull was sent, so a pull
 * that is too old for a lease gets a reply without it, and the worker's next pull gets the job.
 */
import { isWorthStarting } from '../job/attempts.js';
import { decideDue, decideLease } from '../job/job.decide.js';
import { leasedOf } from '../job/job-copy.js';
import { jobKind } from '../job/job.kind.js';
import type { ReadonlyLine } from '../job/line.js';
import { takenOfPull } from '../job/taken.js';
import type { Step } from '../step.js';
import { answerPull } from '../worker/answer-pull.js';
import { emptyNotice, type Notice, type OpenPull, type WorkerSession } from '../worker/sessions.js';
import { workerKind } from '../worker/worker.kind.js';
import type { Ability } from './ability.js';
import { Gate } from './gate.js';
import { preferredTo } from './preference.js';
import { TIMER } from '../worker/check-leases.js';

export function offerJobs(step: Step): void {
  const sessions = step.live(workerKind);
  const { waiting, parked } = sessions;
  const { lines } = step.read(jobKind);
  parked.release(lines, step.nowMs);
  if (waiting.size === 0) return;
  let left = leasable(step);
  if (left === 0) return;
  const share = Math.ceil(left / waiting.size);
  let recalls = sessions.mayRecall(step.moment.monoMs) ? left : 0;
  /** Those for which nothing was left. */
  const idle = new Set<Ability>();
  for (const session of [...waiting]) {
    if (idle.has(session.ability)) continue;
    const notice = emptyNotice();
    const most = Math.min(share, session.pull?.free ?? 0);
    const granted = grantReady(step, session, most, notice);
    if (granted === 'none' && session.turns === undefined) idle.add(session.ability);
    const isRecalled = granted === 'recalled' && recalls > 0;
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

/** `none`: nothing more is ready for it. `recalled`: the pull is too old for the next job, which no other overtakes. */
type Granted = 'some' | 'none' | 'recalled';

/** Leases up to `most` jobs to the worker, the first of those that it can do. */
export function grantReady(step: Step, session: WorkerSession, most: number, notice: Notice): Granted {
  const { pull, ability, turns } = session;
  if (pull === undefined || most <= 0) return 'some';
  const gate = new Gate(step, step.live(workerKind).parked);
  const ageMs = step.moment.monoMs - pull.sinceMonoMs;
  for (let tried = 0; tried < most; tried += 1) {
    const line = ability.next(gate, turns?.of);
    if (line === undefined) return 'none';
    const { heartbeatMs } = line.first!.policy;
    if (!isWorthStarting(line.first!, heartbeatMs - ageMs)) return 'recalled';
    step.makeRoom();
    // Its timer may be late, above all after an outage, when many are due at once.
    const due = decideDue(line.first!, { nowMs: step.nowMs, draw: 0 });
    if (due) {
      step.emit(jobKind, line.first!, due, TIMER);
      continue;
    }
    const other = preferredTo(step, session, line);
    if (other) give(step, gate, line, other);
    else lease(step, gate, line, session, pull, notice);
    turns?.take(line.queue);
  }
  return 'some';
}

/** The job of a line goes to another worker that waits: its pull is answered with it at once. */
function give(step: Step, gate: Gate, line: ReadonlyLine, session: WorkerSession): void {
  const notice = emptyNotice();
  lease(step, gate, line, session, session.pull!, notice);
  answerPull(step, session, notice);
}

function lease(
  step: Step, gate: Gate, line: ReadonlyLine, session: WorkerSession, pull: OpenPull, notice: Notice,
): void {
  const { workerId, capabilities } = session;
  const attempts = step.live(jobKind);
  const next = line.first!;
  const to = { workerId, session: session.session, pullSeq: pull.pullSeq, capabilities };
  step.makeRoom();
  const event = decideLease(next, to, step.nowMs, gate.admit(line));
  const taken = notice.leases.length === 0 ? takenOfPull(pull.free) : undefined;
  const job = step.emit(jobKind, next, event, { commandId: '', type: 'Pull', by: workerId }, taken);
  attempts.renew(job, step.moment.monoMs);
  notice.leases.push({ token: attempts.tokens.of(job), job: leasedOf(job), leaseMs: job.policy.heartbeatMs });
}
