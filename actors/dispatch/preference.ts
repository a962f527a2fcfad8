/**
 * Which of the workers that wait for jobs gets a job: one that the job prefers, and not the one that failed it last.
 * Nobody waits for a better one: a fleet of one still gets every job.
 */
import { isWorthStarting } from '../job/attempts.js';
import type { Job } from '../job/job.js';
import type { ReadonlyLine } from '../job/line.js';
import type { Step } from '../step.js';
import type { WorkerSession } from '../worker/sessions.js';
import { workerKind } from '../worker/worker.kind.js';

/** How many waiting workers are looked at. */
const MOST = 100;

/** A waiting worker that suits the first job of a line better than the one whose turn it is; usually there is none. */
export function preferredTo(step: Step, session: WorkerSession, line: ReadonlyLine): WorkerSession | undefined {
  const job = line.first!;
  if (job.prefer === undefined && job.attempt === 0) return undefined;
  let best: WorkerSession | undefined;
  let bestScore = scoreOf(session, job);
  let looked = 0;
  for (const other of step.live(workerKind).waiting) {
    if (bestScore === BEST || looked === MOST) break;
    looked += 1;
    if (other === session || !isFree(step, other, job) || !other.canServe(line)) continue;
    const score = scoreOf(other, job);
    if (score > bestScore) [best, bestScore] = [other, score];
  }
  return best;
}

const BEST = 2;

/** Not to have failed the job last counts for more than to be preferred. */
function scoreOf({ workerId, ability }: WorkerSession, { prefer, attempt, workerId: last }: Readonly<Job>): number {
  const isLast = attempt > 0 && last === workerId;
  const isPreferred = prefer === undefined || ability.meets(prefer);
  return (isLast ? 0 : 1) + (isLast || !isPreferred ? 0 : 1);
}

function isFree({ moment }: Step, { pull }: WorkerSession, job: Readonly<Job>): boolean {
  if (pull === undefined || pull.free === 0) return false;
  return isWorthStarting(job, job.policy.heartbeatMs - (moment.monoMs - pull.sinceMonoMs));
}
