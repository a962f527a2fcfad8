/**
 * Volatile knowledge of a leader about running attempts: the time left of their leases, their progress, and which of
 * them were asked to stop. The next leader gives every lease its full time and gets the rest again from workers.
 */
import type { JobId } from '../../protocols/ids.js';
import type { Job } from './job.js';
import type { Tokens } from './tokens.js';

export interface Progress {
  readonly fraction: number;
  readonly message: string;
}

export class Attempts {
  /** When the lease of each running job expires, on the leader's monotonic clock. */
  private readonly aliveUntil = new Map<string, number>();
  private readonly progress = new Map<string, Progress>();
  /** Cancelled jobs whose worker was asked to stop, in a reply that may have been lost. */
  private readonly stopping = new Set<string>();

  /** Running jobs whose lease no worker gets, because the payload cannot be read. */
  private readonly withheld = new Set<string>();

  constructor(readonly tokens: Tokens) {}

  renew(job: Readonly<Pick<Job, 'id' | 'policy'>>, monoMs: number): void {
    this.aliveUntil.set(job.id, monoMs + job.policy.heartbeatMs);
  }

  /**
   * The time left of a running job's lease. A lease from an earlier leader gets its full time, because that leader may
   * have renewed it just before.
   */
  leftMs(job: Readonly<Job>, monoMs: number): number {
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

  /** The lease is not delivered and not renewed any more, so it expires. */
  withhold(id: JobId): void {
    this.withheld.add(id);
  }

  isWithheld(id: JobId): boolean {
    return this.withheld.has(id);
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
    if (this.withheld.size > 0) this.withheld.delete(id);
    if (this.progress.size > 0) this.progress.delete(id);
  }
}

/** A lease is delivered only while at least half of it is left: with less it might expire when the attempt starts. */
export const isWorthStarting = ({ policy }: Pick<Job, 'policy'>, leftMs: number): boolean =>
  leftMs * 2 >= policy.heartbeatMs;
