/**
 * Workers as lists show them. Each partition knows a part: the home partition who is registered, every one who pulls
 * from it and what runs there. {@link wholeOf} makes one view of the parts.
 */
import type { WorkerId } from '../../protocols/ids.js';
import type { worker as messages } from '../../protocols/messages.js';
import { jobKind } from '../job/job.kind.js';
import type { Step } from '../step.js';
import type { GoneWorker } from './gone.js';
import { isHome } from './home.js';
import type { WorkerSession } from './sessions.js';
import type { Ordered, Worker } from './worker.js';
import { workerKind } from './worker.kind.js';

export type View = messages.WorkerView.$Properties;

export const WORKER_STATUSES = ['starting', 'ready', 'busy', 'draining', 'cordoned', 'suspect', 'gone'] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** How long a request may be on its way, after the time at which it is due. */
const MARGIN_MS = 2_000;
/** Of a worker that neither waits here nor runs anything: it sends something every 20 s. */
const IDLE_MS = 30_000;

/** What this partition knows of a worker; undefined: nothing. */
export function partOf(step: Step, id: WorkerId, sessions = step.live(workerKind).ofWorker(id)): View | undefined {
  const { gone } = step.live(workerKind);
  const known = isHome(step) ? recorded(step.read(workerKind).get(id), gone.get(id), step) : undefined;
  if (known === undefined && sessions.length === 0) return undefined;
  if (sessions.length === 0) return { workerId: id, ...known, status: known?.status || 'starting' };
  const silentMs = Math.min(...sessions.map(({ heardMonoMs }) => step.moment.monoMs - heardMonoMs));
  const load = sessions.findLast((session) => session.load)?.load;
  const running = sum(sessions.map(({ session }) => step.read(jobKind).leasesOf(session)?.size ?? 0));
  return {
    workerId: id, ...known, running, silentMs: Math.max(0, Math.floor(silentMs)),
    expectedMs: Math.min(...sessions.map((session) => expectedMs(step, session))),
    status: known?.status || ownStatus(sessions, running), ...(load && { load: { ...load } }),
  };
}

/** As the journal has it. An empty status: what the sessions say counts. */
function recorded(worker: Readonly<Worker> | undefined, left: GoneWorker | undefined, step: Step): View | undefined {
  const of = worker && (worker.status !== 'gone' || worker.session !== '') ? worker : left?.worker ?? worker;
  if (of === undefined) return undefined;
  const isGone = worker === undefined || worker.status === 'gone';
  const status = isGone ? 'gone' : worker.status === 'draining' ? 'draining' : '';
  const silentMs = isGone && left ? Math.floor(step.moment.monoMs - left.monoMs) : 0;
  return {
    status, types: [...of.types], queues: [...of.queues], weights: { ...of.weights },
    capabilitiesJson: of.capabilities ?? '', capacity: of.capacity, software: of.software, session: of.session,
    registeredMs: of.seenMs, silentMs,
    ...(worker?.cordoned && { cordoned: changeOf(worker.cordoned) }),
    ...(worker?.retired && { drained: changeOf(worker.retired) }),
    ...(isGone && left && { gone: left.reason }),
  };
}

const changeOf = ({ by, sinceMs, reason }: Ordered): messages.Change.$Properties => ({ by, sinceMs, reason });

function ownStatus(sessions: readonly WorkerSession[], running: number): WorkerStatus {
  if (sessions.every(({ draining }) => draining)) return 'draining';
  return running > 0 || sessions.some(({ lastPullSeq }) => lastPullSeq > 0) ? 'ready' : 'starting';
}

/** Within which time it is heard of, if all is well. */
function expectedMs(step: Step, { session, pull }: WorkerSession): number {
  if (pull) return pull.expiresMonoMs - pull.sinceMonoMs + MARGIN_MS;
  for (const { policy } of step.read(jobKind).leasesOf(session) ?? []) return policy.heartbeatMs / 2 + MARGIN_MS;
  return IDLE_MS;
}

/** At most as many are named. */
const NAMED = 1_000;

/** Of worker.get. */
export function withAttempts(step: Step, part: View): View {
  const attempts: messages.RunningAttempt.$Properties[] = [];
  for (const { session } of step.live(workerKind).ofWorker(part.workerId as WorkerId)) {
    for (const { id, type, queue, attempt } of step.read(jobKind).leasesOf(session) ?? []) {
      if (attempts.length < NAMED) attempts.push({ jobId: id, type, queue, attempt });
    }
  }
  return { ...part, attempts };
}

/** @param parts of one worker, the one of the home partition first if there is one */
export function wholeOf(parts: readonly View[]): View {
  const [first] = parts as [View];
  const heard = parts.filter(({ expectedMs: known = 0 }) => (known ?? 0) > 0);
  const least = (field: 'silentMs' | 'expectedMs'): number => Math.min(...heard.map((part) => part[field] ?? 0));
  const whole: View = {
    ...first,
    running: sum(parts.map(({ running }) => running ?? 0)),
    attempts: parts.flatMap(({ attempts }) => attempts ?? []).slice(0, NAMED),
    load: parts.find(({ load }) => load)?.load ?? null,
    ...(heard.length > 0 && { silentMs: least('silentMs'), expectedMs: Math.ceil(least('expectedMs')) }),
  };
  return { ...whole, status: statusOf(whole, parts) };
}

function statusOf(whole: View, parts: readonly View[]): WorkerStatus {
  const { status, cordoned, running, capacity, silentMs, expectedMs: dueMs } = whole;
  if (status === 'gone') return 'gone';
  if ((dueMs ?? 0) > 0 && (silentMs ?? 0) > (dueMs ?? 0)) return 'suspect';
  if (status === 'draining') return 'draining';
  if (cordoned) return 'cordoned';
  if (parts.every((part) => part.status === 'starting')) return 'starting';
  return (capacity ?? 0) > 0 && (running ?? 0) >= (capacity ?? 0) ? 'busy' : 'ready';
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** In JSON capabilities are an object, and what is empty is left out. */
export function viewJson({ capabilitiesJson, attempts, load, ...rest }: View): string {
  const { cordoned, drained, gone, weights, ...plain } = rest;
  return JSON.stringify({
    ...plain,
    ...(capabilitiesJson && { capabilities: JSON.parse(capabilitiesJson) as unknown }),
    ...(weights && Object.keys(weights).length > 0 && { weights }), ...(load && { load }),
    ...(cordoned && { cordoned }), ...(drained && { drained }), ...(gone && { gone }),
    ...(attempts && attempts.length > 0 && { attempts }),
  });
}
