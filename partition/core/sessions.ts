/**
 * What a leader knows of workers only at the moment: what they can do, their open pulls, how long their leases still
 * run. Lost with the leader and told anew to the next one.
 */
import type { JobId, Session, Token, WorkerId } from '../../protocols/ids.js';
import type { Job } from '../../actors/job/job.js';
import type { Asker, LeaseGrant, Progress, RejectedReport } from './effects.js';
import type { Line, Lines } from './lines.js';

export interface OpenPull {
  readonly to: Asker;
  readonly pullSeq: number;
  readonly free: number;
  readonly sinceMonoMs: number;
  readonly expiresMonoMs: number;
}

const RECALL_MS = 50;

/** What is to be told with the next answer to a worker. */
export interface Notice {
  readonly leases: LeaseGrant[];
  readonly cancel: Token[];
  readonly revoked: string[];
  readonly rejected: RejectedReport[];
}

export class WorkerSession {
  readonly types: ReadonlySet<string>;
  readonly queues: ReadonlySet<string> | undefined;
  draining = false;
  pull: OpenPull | undefined;
  lastPullSeq = 0;
  heardMonoMs = 0;
  private matched: { version: number; lines: Line[] } = { version: -1, lines: [] };

  constructor(
    readonly workerId: WorkerId,
    readonly session: Session,
    types: readonly string[],
    queues: readonly string[],
  ) {
    this.types = new Set(types);
    this.queues = queues.length === 0 ? undefined : new Set(queues);
  }

  /** Whether it takes jobs of a line, sooner or later. */
  canServe({ queue, type }: Line): boolean {
    return !this.draining && this.types.has(type) && (this.queues === undefined || this.queues.has(queue));
  }

  /** The lines this worker can serve, computed again only when there are new ones. */
  linesIn(lines: Lines): readonly Line[] {
    if (this.matched.version !== lines.version) this.matched = { version: lines.version, lines: lines.matching(this.types, this.queues) };
    return this.matched.lines;
  }
}

export class Sessions {
  private readonly bySession = new Map<Session, WorkerSession>();
  /** Sessions with an open pull, the longest waiting first. */
  readonly waiting = new Set<WorkerSession>();
  /** When pulls were last answered because they had waited for too long. */
  recalledMonoMs = -Infinity;
  /** Until when each running job's worker may be silent, on the leader's monotonic clock. */
  private readonly aliveUntil = new Map<JobId, number>();
  private readonly progress = new Map<JobId, Progress>();
  /** Whether any session can serve a line; forgotten when sessions come, change or go. */
  private readonly served = new Map<Line, boolean>();
  /** Running jobs that were cancelled and whose worker was told so, in an answer that may have been lost. */
  private readonly stopping = new Set<JobId>();

  get(session: Session): WorkerSession | undefined {
    return this.bySession.get(session);
  }

  get all(): Iterable<WorkerSession> {
    return this.bySession.values();
  }

  add(session: WorkerSession): void {
    const older = this.bySession.get(session.session);
    if (older) this.waiting.delete(older);
    this.bySession.set(session.session, session);
    this.served.clear();
  }

  drain(session: WorkerSession): void {
    session.draining = true;
    this.served.clear();
  }

  /** Whether any worker that is known takes jobs of a line. */
  canServe(line: Line): boolean {
    const known = this.served.get(line);
    if (known !== undefined) return known;
    const served = [...this.bySession.values()].some((session) => session.canServe(line));
    this.served.set(line, served);
    return served;
  }

  remove(session: WorkerSession): void {
    this.waiting.delete(session);
    this.bySession.delete(session.session);
    this.served.clear();
  }

  /** Whoever was made to pull again gets the time to do so, before others are. */
  mayRecall(monoMs: number): boolean {
    return monoMs >= this.recalledMonoMs + RECALL_MS;
  }

  renew(job: Job, monoMs: number): void {
    this.aliveUntil.set(job.id, monoMs + job.policy.heartbeatMs);
  }

  /**
   * How much of its lease a running job has left. A lease that this leader has not seen begin gets its full time: the
   * former leader may have renewed it just now.
   */
  leftMs(job: Job, monoMs: number): number {
    const until = this.aliveUntil.get(job.id);
    if (until !== undefined) return until - monoMs;
    this.renew(job, monoMs);
    return job.policy.heartbeatMs;
  }

  /** @returns whether it is the first time that the worker is told to stop the attempt */
  noteStop(id: JobId): boolean {
    if (this.stopping.has(id)) return false;
    this.stopping.add(id);
    return true;
  }

  setProgress(id: JobId, progress: Progress): void {
    this.progress.set(id, progress);
  }

  progressOf(id: JobId): Progress | undefined {
    return this.progress.get(id);
  }

  forget(id: JobId): void {
    this.aliveUntil.delete(id);
    if (this.stopping.size > 0) this.stopping.delete(id);
    if (this.progress.size > 0) this.progress.delete(id);
  }
}

/** A lease is handed over only while at least half of it is left; with less the attempt might end as it begins. */
export const isWorthStarting = ({ policy }: Job, leftMs: number): boolean => leftMs * 2 >= policy.heartbeatMs;

export const notice = (): Notice => ({ leases: [], cancel: [], revoked: [], rejected: [] });
