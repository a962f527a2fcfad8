/** ReportAttempt → JobCompleted, JobRetryScheduled, JobFailed or JobCancelled; a stale token changes nothing. */
import type { Session, WorkerId } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { decideReport, Drawn, type Outcome } from '../job/job.decide.js';
import { withFailedKept } from '../job/failed-kept.js';
import { jobKind } from '../job/job.kind.js';
import { slowName } from '../job/slowed.js';
import { takenOfReport } from '../job/taken.js';
import type { Step } from '../step.js';
import type { RejectedReport, Report } from './reports.js';
import type { Notice } from './sessions.js';

interface Reporter {
  readonly workerId: WorkerId;
  readonly session: Session;
}

const FAILURE_BYTES = LIMITS.failureCodeBytes + LIMITS.failureMessageBytes + LIMITS.failureStackBytes;

export function recordReports(
  step: Step, by: Reporter, reports: readonly (Report | RejectedReport)[], notice: Notice,
): void {
  if (reports.length === 0) return;
  const cause = { commandId: '', type: 'ReportAttempt', by: by.workerId };
  const jobs = step.read(jobKind);
  const { tokens } = step.live(jobKind);
  for (const [nth, report] of reports.entries()) {
    if ('rejection' in report) {
      notice.rejected.push(report);
      continue;
    }
    const { jobId, attempt, lease } = report;
    const outcome = withScope(step, report);
    step.makeRoom(outcome.kind === 'ok' ? outcome.result.length : FAILURE_BYTES);
    const chance = new Drawn(step.nowMs, spread(step.moment.draw, nth));
    const job = jobs.get(jobId);
    if (!tokens.isHolder(job, by.session, report)) {
      notice.revoked.push(report.token);
      continue;
    }
    const event = decideReport(job, attempt, lease, outcome, chance);
    if (event === 'repeated') continue;
    if ('code' in event) notice.revoked.push(report.token);
    else {
      const taken = takenOfReport(outcome, event, chance.used);
      step.emit(jobKind, job, withFailedKept(step, job.queue, event), cause, taken);
    }
  }
}

/** What is slowed has a name that the journal is enough to read. */
function withScope(step: Step, { jobId, outcome, scope }: Report): Outcome {
  if (scope === undefined || outcome.kind !== 'retry') return outcome;
  const jobs = step.read(jobKind);
  const job = jobs.get(jobId);
  const line = job && jobs.lines.lineOf(job);
  return line ? { ...outcome, slows: slowName(scope, line) } : outcome;
}

/** Makes many numbers of one draw: multiples of the golden ratio are spread evenly. */
const spread = (draw: number, nth: number): number => (draw + nth * 0.618_033_988_749_895) % 1;
