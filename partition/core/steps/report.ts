/** ReportAttempt → JobCompleted, JobRetryScheduled, JobFailed or JobCancelled; a stale token changes nothing. */
import { decideReport } from '../../../actors/job/job.decide.js';
import type { PartitionCore } from '../core.js';
import type { Command, RejectedInput, Report } from '../inputs.js';
import { notice, type Notice } from '../sessions.js';

export function reportAttempts(core: PartitionCore, command: Extract<Command, { kind: 'report' }>): void {
  const told = notice();
  recordReports(core, command, command.reports, told);
  core.effect({ kind: 'pulled', to: command.to, workerId: command.workerId, session: command.session, ...told });
}

type Reporter = Pick<Command & { kind: 'report' }, 'workerId' | 'session'>;

export function recordReports(core: PartitionCore, by: Reporter, reports: readonly (Report | RejectedInput)[], told: Notice): void {
  const cause = { commandId: '', type: 'ReportAttempt', by: by.workerId };
  for (const [nth, report] of reports.entries()) {
    if ('rejection' in report) {
      told.rejected.push(report);
      continue;
    }
    const { jobId, attempt, lease, outcome } = report;
    core.makeRoom(outcome.kind === 'ok' ? outcome.result.length : 16_384);
    const chance = { nowMs: core.nowMs, draw: spread(core.moment.draw, nth) };
    const job = core.state.jobs.get(jobId);
    if (!core.tokens.isHolder(job, by.session, report)) {
      told.revoked.push(report.token);
      continue;
    }
    const event = decideReport(job, attempt, lease, outcome, chance);
    if (event === 'repeated') continue;
    if ('code' in event) told.revoked.push(report.token);
    else core.emitJob(job, event, cause);
  }
}

/** One draw serves many: steps of the golden ratio keep them apart. */
const spread = (draw: number, nth: number): number => (draw + nth * 0.618_033_988_749_895) % 1;
