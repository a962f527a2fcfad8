/** What a leader does with jobs: their timers. Leases and offers are in the cast member of workers. */
import type { CastMember } from '../cast.js';
import { Attempts } from './attempts.js';
import { withFailedKept } from './failed-kept.js';
import { decideDue, Drawn } from './job.decide.js';
import { jobKind, type JobRole } from './job.kind.js';
import { isRunning } from './job.js';
import { takenOfTime, TIMED_OUT } from './taken.js';
import { Tokens } from './tokens.js';

const TIMER = { commandId: '', type: 'Timer', by: '' };

export const jobs: CastMember<JobRole> = {
  kind: jobKind,
  live: ({ keyring }) => new Attempts(new Tokens(keyring)),
  due(step, job) {
    // First, because a new commit may have a later time, and it is the time of the decision.
    step.makeRoom();
    const chance = new Drawn(step.nowMs, step.moment.draw);
    const event = decideDue(job, chance);
    if (event === undefined) return;
    const taken = takenOfTime(event, TIMED_OUT, chance.used);
    step.emit(jobKind, job, withFailedKept(step, job.queue, event), TIMER, taken);
  },
  changed(step, job) {
    if (!isRunning(job)) step.live(jobKind).forget(job.id);
  },
};
