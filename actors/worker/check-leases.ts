/** Time passes for running jobs: attempts time out, and leases of silent workers expire. */
import { decideDue, decideReclaim, Drawn } from '../job/job.decide.js';
import { isRunning, type Job } from '../job/job.js';
import { withFailedKept } from '../job/failed-kept.js';
import { jobKind } from '../job/job.kind.js';
import { SILENT, takenOfTime, TIMED_OUT } from '../job/taken.js';
import type { Step } from '../step.js';
import { answerPull } from './answer-pull.js';
import { emptyNotice } from './sessions.js';
import { workerKind } from './worker.kind.js';

export const TIMER = { commandId: '', type: 'Timer', by: '' };

/** Leadership begins: leases of an earlier leader get their full time, because it may have renewed them just before. */
export function watchLeases(step: Step): void {
  const attempts = step.live(jobKind);
  for (const leases of step.read(jobKind).runningSessions) {
    for (const job of leases) attempts.inherit(job, step.moment.monoMs);
  }
}

/** Of a tick: those that are due at one moment must not stop the leader. */
const MOST_LOOKS = 10_000;

/** Looks at what may be due only: renewals move a lease when it is looked at. */
export function checkLeases(step: Step): void {
  const { monoMs, draw } = step.moment;
  const attempts = step.live(jobKind);
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const id = attempts.nextDue(monoMs);
    if (id === undefined) return;
    // First, because a new commit may have a later time, and it is the time of the decision.
    step.makeRoom();
    const job = step.read(jobKind).get(id);
    if (job === undefined || !isRunning(job)) continue;
    const chance = new Drawn(step.nowMs, draw);
    const due = decideDue(job, chance);
    const leftMs = due === undefined ? attempts.leftMs(job, monoMs) : 0;
    if (leftMs > 0) {
      attempts.watchAgain(id, monoMs, job.attemptDueMs === 0 ? leftMs : Math.max(1, job.attemptDueMs - step.nowMs));
      continue;
    }
    if (due === undefined) closePull(step, job);
    const event = withFailedKept(step, job.queue, due ?? decideReclaim(job, chance));
    step.emit(jobKind, job, event, TIMER, takenOfTime(event, due ? TIMED_OUT : SILENT, chance.used));
  }
}

/** Otherwise a silent worker would get the job again by a pull that it had opened before. */
function closePull(step: Step, job: Readonly<Job>): void {
  const session = job.session === '' ? undefined : step.live(workerKind).get(job.session);
  if (session?.pull) answerPull(step, session, emptyNotice());
}
