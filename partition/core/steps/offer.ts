/**
 * Offering: ready jobs to waiting pulls, just before the commit closes, so that submit and lease share one fsync.
 * When there is more room than work, the work is spread over the waiting workers. A lease runs from when its pull was
 * sent, so a pull that has waited for long is not granted a short one: it is answered, and the worker's next pull is.
 */
import { decideLease } from '../../../actors/job/job.decide.js';
import type { PartitionCore } from '../core.js';
import { isWorthStarting, notice, type Notice, type WorkerSession } from '../sessions.js';
import { answerPull } from './answer-pull.js';

export function offerJobs(core: PartitionCore): void {
  const { waiting } = core.sessions;
  const { lines } = core.indexes;
  if (waiting.size === 0 || lines.ready === 0) return;
  const share = Math.ceil(lines.ready / waiting.size);
  let recalls = core.sessions.mayRecall(core.moment.monoMs) ? lines.ready : 0;
  for (const session of [...waiting]) {
    const told = notice();
    const most = Math.min(share, session.pull?.free ?? 0);
    const isRecalled = !grantReady(core, session, most, told) && recalls > 0;
    if (isRecalled) {
      recalls -= most;
      core.sessions.recalledMonoMs = core.moment.monoMs;
    }
    if (isRecalled || told.leases.length > 0) answerPull(core, session, told);
    if (lines.ready === 0) return;
  }
}

/**
 * Leases up to `most` of the jobs that go first among those the worker can do.
 * @returns false if it stopped at one whose lease the pull is too old for: nobody overtakes that job
 */
export function grantReady(core: PartitionCore, session: WorkerSession, most: number, told: Notice): boolean {
  const { pull, workerId } = session;
  if (pull === undefined || most <= 0) return true;
  const ageMs = core.moment.monoMs - pull.sinceMonoMs;
  const cause = { commandId: '', type: 'Pull', by: workerId };
  const to = { workerId, session: session.session, pullSeq: pull.pullSeq };
  for (let granted = 0; granted < most; granted += 1) {
    const next = core.indexes.lines.first(session.linesIn(core.indexes.lines));
    if (next === undefined) return true;
    const { heartbeatMs } = next.policy;
    if (!isWorthStarting(next, heartbeatMs - ageMs)) return false;
    core.makeRoom();
    const job = core.emitJob(next, decideLease(next, to, core.nowMs), cause);
    core.sessions.renew(job, core.moment.monoMs);
    told.leases.push({ token: core.tokens.of(job), job, attempt: job.attempt, leaseMs: heartbeatMs });
  }
  return true;
}
