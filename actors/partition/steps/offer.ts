/**
 * Offering: ready jobs to waiting pulls, just before the commit closes, so that submit and lease share one fsync.
 * When there is more room than work, the work is spread over the waiting workers.
 */
import { decideLease } from '../../job/job.decide.js';
import type { PartitionCore } from '../core.js';
import { notice, type Notice, type WorkerSession } from '../sessions.js';
import { answerPull } from './answer-pull.js';

export function offerJobs(core: PartitionCore): void {
  const { waiting } = core.sessions;
  const { lines } = core.indexes;
  if (waiting.size === 0 || lines.ready === 0) return;
  const share = Math.ceil(lines.ready / waiting.size);
  for (const session of [...waiting]) {
    const told = notice();
    grantReady(core, session, Math.min(share, session.pull?.free ?? 0), told);
    if (told.leases.length > 0) answerPull(core, session, told);
    if (lines.ready === 0) return;
  }
}

/** Leases up to `most` of the jobs that go first among those the worker can do. */
export function grantReady(core: PartitionCore, session: WorkerSession, most: number, told: Notice): void {
  const { pull, workerId } = session;
  if (pull === undefined || most <= 0) return;
  const cause = { commandId: '', type: 'Pull', by: workerId };
  const to = { workerId, session: session.session, pullSeq: pull.pullSeq };
  for (let granted = 0; granted < most; granted += 1) {
    const next = core.indexes.lines.first(session.linesIn(core.indexes.lines));
    if (next === undefined) return;
    core.makeRoom();
    const job = core.emitJob(next, decideLease(next, to, core.nowMs), cause);
    core.sessions.renew(job, core.moment.monoMs);
    told.leases.push({ token: core.sessions.tokenOf(job), job, attempt: job.attempt });
  }
}
