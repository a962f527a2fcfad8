/** What a leader does with jobs: their timers. Leases and offers are in the cast member of workers. */
import type { CastMember } from '../cast.js';
import { Attempts } from './attempts.js';
import { decideDue } from './job.decide.js';
import { jobKind, type JobRole } from './job.kind.js';
import { isRunning } from './job.js';
import { Tokens } from './tokens.js';

const TIMER = { commandId: '', type: 'Timer', by: '' };

export const jobs: CastMember<JobRole> = {
  kind: jobKind,
  live: ({ keyring }) => new Attempts(new Tokens(keyring)),
  due(step, job) {
    const event = decideDue(job, { nowMs: step.nowMs, draw: step.moment.draw });
    if (event === undefined) return;
    step.makeRoom();
    step.emit(jobKind, job.id, event, TIMER);
  },
  changed(step, job) {
    if (!isRunning(job)) step.live(jobKind).forget(job.id);
  },
};
