/**
 * Ends jobs that no registered worker could do for as long as the settings of their queue say. Which workers there are
 * is no part of the state, so the leader watches lines, and the next one begins to watch anew.
 */
import { decideUnworkable } from '../job/job.decide.js';
import { jobKind } from '../job/job.kind.js';
import type { ReadonlyLine } from '../job/line.js';
import { queueKind } from '../queue/queue.kind.js';
import type { Step } from '../step.js';
import { workerKind } from '../worker/worker.kind.js';
import { noWorker } from './no-worker.js';

/** In one look. */
const MOST = 200;
const CAUSE = { commandId: '', type: 'Timer', by: '' };

export function endUnworkable(step: Step): void {
  const sessions = step.live(workerKind);
  const queues = step.read(queueKind);
  const { monoMs } = step.moment;
  if (queues.configured.size === 0 || !sessions.areKnown(monoMs) || !sessions.unserved.isTimeToLook(monoMs)) return;
  const { lines } = step.read(jobKind);
  const looked = new Set<ReadonlyLine>();
  let left = MOST;
  for (const name of queues.configured) {
    const afterMs = queues.settingsOf(name)?.unworkableAfterMs;
    if (afterMs === undefined) continue;
    for (const line of [...lines.ofQueue(name)]) {
      looked.add(line);
      // One that is cordoned or drains could do it: an operator's work ends no jobs.
      if (line.ready === 0 || sessions.abilities.canDo(line)) sessions.unserved.served(line);
      else if (sessions.unserved.forMs(line, monoMs) >= afterMs) left -= endThose(step, line, afterMs, left);
    }
  }
  sessions.unserved.keep(looked);
}

/** The jobs of a line that have waited for so long, too. @returns how many */
function endThose(step: Step, line: ReadonlyLine, afterMs: number, most: number): number {
  const why = noWorker([...step.live(workerKind).all], line).message ?? '';
  for (let ended = 0; ended < most; ended += 1) {
    const job = line.oldest;
    if (job === undefined || job.submittedMs + afterMs > step.nowMs) return ended;
    step.makeRoom(why.length);
    step.emit(jobKind, job, decideUnworkable(job, why), CAUSE);
  }
  return most;
}
