/** Time passes for running jobs: attempts time out, and leases of silent workers expire. */
import { decideDue, decideReclaim, Drawn } from '../job/job.decide.js';
import type { Job } from '../job/job.js';
import { jobKind } from '../job/job.kind.js';
import { SILENT, takenOfTime, TIMED_OUT } from '../job/taken.js';
import type { Step } from '../step.js';
import { answerPull } from './answer-pull.js';
import { emptyNotice } from './sessions.js';
import { workerKind } from './worker.kind.js';

export const TIMER = { commandId: '', type: 'Timer', by: '' };

export function checkLeases(step: Step): void {
  const { monoMs, draw } = step.moment;
  const attempts = step.live(jobKind);
  for (const leases of [...step.read(jobKind).runningSessions]) {
    for (const job of [...leases]) {
      // First, because a new commit may have a later time, and it is the time of the decision.
      step.makeRoom();
      const chance = new Drawn(step.nowMs, draw);
      const due = decideDue(job, chance);
      if (due === undefined && attempts.leftMs(job, monoMs) > 0) continue;
      if (due === undefined) closePull(step, job);
      const event = due ?? decideReclaim(job, chance);
      step.emit(jobKind, job, event, TIMER, takenOfTime(event, due ? TIMED_OUT : SILENT, chance.used));
    }
  }
}

/** Otherwise a silent worker would get the job again by a pull that it had opened before. */
function closePull(step: Step, job: Readonly<Job>): void {
  const session = job.session === '' ? undefined : step.live(workerKind).get(job.session);
  if (session?.pull) answerPull(step, session, emptyNotice());
}
