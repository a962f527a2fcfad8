/**
 * What a leader knows of running attempts only at the moment: how long their leases still run, how far they have come,
 * and which of them were asked to stop. The next leader gives every lease its full time and hears of the rest again.
 */
import type { JobId } from '../../protocols/ids.js';
import type { Job } from './job.js';
import type { Tokens } from './tokens.js';

export interface Progress {
  readonly fraction: number;
  readonly message: string;
}

export class Attempts {
  /** Until when each running job's worker may be silent, on the leader's monotonic clock. */
  private readonly aliveUntil = new Map<string, number>();
  private readonly progress = new Map<string, Progress>();
  /** Cancelled jobs whose worker was asked to stop, in a reply that may have been lost. */
  private readonly stopping = new Set<string>();

  constructor(readonly tokens: Tokens) {}

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

  /** @returns whether it is the first time that the worker is asked to stop the attempt */
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

  /** The attempt has ended. */
  forget(id: string): void {
    this.aliveUntil.delete(id);
    if (this.stopping.size > 0) this.stopping.delete(id);
    if (this.progress.size > 0) this.progress.delete(id);
  }
}

/** A lease is handed over only while at least half of it is left; with less the attempt might end as it begins. */
export const isWorthStarting = ({ policy }: Pick<Job, 'policy'>, leftMs: number): boolean => leftMs * 2 >= policy.heartbeatMs;
