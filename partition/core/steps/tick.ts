/** Time passes: delays and backoffs end, attempts time out, leases of silent workers expire, open pulls run out. */
import { decideDue, decideReclaim } from '../../../actors/job/job.decide.js';
import type { Job } from '../../../actors/job/job.js';
import type { PartitionCore } from '../core.js';
import { notice } from '../sessions.js';
import { answerPull } from './answer-pull.js';
import { forgetSilentWorkers } from './register.js';

const TIMER = { commandId: '', type: 'Timer', by: '' };
const WORKER_SILENT_MS = 60_000;
/** So many timers at most in one tick: after an outage they come due together, and others want to be heard too. */
const TIMERS_PER_TICK = 1_000;

export function tick(core: PartitionCore): void {
  fireTimers(core);
  checkLeases(core);
  expirePulls(core);
  forgetSilentWorkers(core, WORKER_SILENT_MS);
}

function fireTimers(core: PartitionCore): void {
  for (let fired = 0; fired < TIMERS_PER_TICK; fired += 1) {
    const job = core.indexes.takeDue(core.nowMs);
    if (job === undefined) return;
    if (core.state.jobs.get(job.id) === job) fire(core, job);
  }
}

function checkLeases(core: PartitionCore): void {
  const { monoMs, draw } = core.moment;
  for (const leases of [...core.indexes.runningSessions]) {
    for (const job of [...leases]) {
      if (fire(core, job) || core.sessions.leftMs(job, monoMs) > 0) continue;
      closePull(core, job);
      core.makeRoom();
      core.emitJob(job, decideReclaim(job, { nowMs: core.nowMs, draw }), TIMER);
    }
  }
}

/** A worker that is silent is not to be given the job again through a pull that it opened while it was well. */
function closePull(core: PartitionCore, job: Job): void {
  const session = job.session === '' ? undefined : core.sessions.get(job.session);
  if (session?.pull) answerPull(core, session, notice());
}

function fire(core: PartitionCore, job: Job): boolean {
  const event = decideDue(job, { nowMs: core.nowMs, draw: core.moment.draw });
  if (event === undefined) return false;
  core.makeRoom();
  core.emitJob(job, event, TIMER);
  return true;
}

function expirePulls(core: PartitionCore): void {
  for (const session of [...core.sessions.waiting]) {
    if (session.pull && session.pull.expiresMonoMs <= core.moment.monoMs) answerPull(core, session, notice());
  }
}
