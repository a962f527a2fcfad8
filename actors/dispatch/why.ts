/** Why a job is not running: everything that holds now, from the leader's state. */
import { groupOf } from '../../protocols/ids.js';
import { isoTime } from '../../protocols/iso-time.js';
import type { job as messages } from '../../protocols/messages.js';
import { hasEnded } from '../job/job.view.js';
import type { Job } from '../job/job.js';
import { jobKind } from '../job/job.kind.js';
import type { ReadonlyLimit } from '../job/limit.js';
import type { ReadonlyLine } from '../job/line.js';
import { slowNames } from '../job/slowed.js';
import { queueKind } from '../queue/queue.kind.js';
import type { Step } from '../step.js';
import type { WorkerSession } from '../worker/sessions.js';
import { workerKind } from '../worker/worker.kind.js';
import type { Ability } from './ability.js';
import { noWorker } from './no-worker.js';

type Reason = messages.Reason.$Properties;

const MOST = 10;

export function whyWaiting(step: Step, job: Readonly<Job>): Reason[] {
  if (hasEnded(job.status)) return [{ code: 'ENDED', message: `the job is ${job.status}`, sinceMs: job.endedMs }];
  if (job.status === 'running') return [running(job)];
  const line = step.read(jobKind).lines.lineOf(job)!;
  const workers = reasonsOfWorkers(step, job, line);
  if (job.status !== 'ready') return [notDue(job), ...paused(step, job.queue)];
  return [...paused(step, job.queue), ...slowed(step, line), ...limits(step, line), ...workers];
}

function running({ workerId, attempt }: Readonly<Job>): Reason {
  return { code: 'RUNNING', message: `attempt ${attempt} runs at worker ${workerId}`, by: workerId };
}

function notDue({ status, dueMs, attempt, failure }: Readonly<Job>): Reason {
  const failed = `attempt ${attempt} failed: ${failure?.code ?? ''}`;
  const why = status === 'scheduled' ? 'it was submitted for then' : failed;
  return { code: 'NOT_DUE', message: `not before ${isoTime(dueMs)}: ${why}`, untilMs: dueMs };
}

function paused(step: Step, queue: string): Reason[] {
  const queues = step.read(queueKind);
  return [queue, `${groupOf(queue)}/`].flatMap((name): Reason[] => {
    const found = queues.get(name);
    if (found?.status !== 'paused') return [];
    const { by, sinceMs, reason } = found;
    const message = `${name} is paused${by === '' ? '' : ` by ${by}`} since ${isoTime(sinceMs)}`;
    return [{
      code: 'QUEUE_PAUSED', message: reason === '' ? message : `${message}: ${reason}`, queue: name, by, sinceMs,
    }];
  });
}

function slowed(step: Step, line: ReadonlyLine): Reason[] {
  const { admissions } = step.read(jobKind);
  return slowNames(line).flatMap((name): Reason[] => {
    const untilMs = admissions.slowedUntilMs([name]);
    if (untilMs <= step.nowMs) return [];
    return [{ code: 'SLOWED', message: `${name} is slowed until ${isoTime(untilMs)}`, limit: name, untilMs }];
  });
}

function limits(step: Step, { limits: all }: ReadonlyLine): Reason[] {
  const { admissions } = step.read(jobKind);
  return all.flatMap((limit): Reason[] => {
    const full = limit.isFull ? [limitFull(step, limit)] : [];
    const freeMs = Math.ceil(limit.freeMs(admissions.untilMs(limit.name)));
    if (freeMs <= step.nowMs) return full;
    const message = `the rate of ${limit.name} has room again at ${isoTime(freeMs)}`;
    return [...full, { code: 'RATE_LIMITED', message, limit: limit.name, untilMs: freeMs }];
  });
}

function limitFull(step: Step, limit: ReadonlyLimit): Reason {
  const { lines } = step.read(jobKind);
  const jobs: string[] = [];
  for (const leases of step.read(jobKind).runningSessions) {
    for (const job of leases) {
      if (jobs.length < MOST && lines.lineOf(job)?.limits.includes(limit)) jobs.push(job.id);
    }
  }
  const { name, running: count, rule: { concurrency } } = limit;
  const message = `the limit of ${name} is full: ${count} of ${concurrency} run`;
  return { code: 'LIMIT_FULL', message, limit: name, running: count, jobs };
}

function reasonsOfWorkers(step: Step, job: Readonly<Job>, line: ReadonlyLine): Reason[] {
  const sessions = step.live(workerKind);
  const all = [...sessions.all];
  const able = all.filter(({ ability }) => ability.canDo(line));
  if (able.length === 0) {
    return sessions.areKnown(step.moment.monoMs) ? [noWorker(all, line)] : [unknownYet()];
  }
  const working = able.filter(({ isOpen }) => isOpen);
  if (working.length === 0) {
    const message = `all ${able.length} workers that can do it are draining or cordoned`;
    return [{ code: 'WORKERS_DRAINING', message, workers: able.length }];
  }
  const reasons: Reason[] = [];
  if (job.status === 'ready') reasons.push(...behind(step, job, working));
  if (!working.some((session) => sessions.waiting.has(session))) {
    const message = `no slot is free at the ${working.length} workers that can do it`;
    reasons.push({ code: 'WORKERS_BUSY', message, workers: working.length });
  }
  return reasons;
}

const unknownYet = (): Reason =>
  ({ code: 'WORKERS_UNKNOWN', message: 'the leader is new: workers register again within some seconds' });

/** How many jobs go before it, for the workers that say the same of themselves. */
function behind(step: Step, job: Readonly<Job>, working: readonly WorkerSession[]): Reason[] {
  const { lines } = step.read(jobKind);
  const ahead = new Map<ReadonlyLine, number>();
  const { nowMs } = step;
  const { agingPerMs } = lines.lineOf(job)!.of.rules;
  const priority = job.priority + agingPerMs * (nowMs - job.submittedMs);
  for (const line of lines.all) {
    const count = line.ready > 0 && !step.isHeld(line.queue) ? line.ahead(priority, job.place, nowMs) : 0;
    if (count > 0) ahead.set(line, count);
  }
  const byAbility = new Map<Ability, WorkerSession[]>();
  for (const session of working) {
    const same = byAbility.get(session.ability);
    if (same) same.push(session);
    else byAbility.set(session.ability, [session]);
  }
  const places = [...byAbility].map(([ability, [first, ...others]]) => ({
    worker: first!.workerId,
    workers: 1 + others.length,
    ahead: sum([...ahead].map(([line, count]) => (ability.canDo(line) ? count : 0))),
  })).sort((a, b) => a.ahead - b.ahead);
  const fewest = places[0]!.ahead;
  if (fewest === 0) return [];
  const message = `${fewest} jobs that the same workers can do go first`;
  return [{ code: 'BEHIND', message, ahead: fewest, places: places.slice(0, MOST) }];
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
