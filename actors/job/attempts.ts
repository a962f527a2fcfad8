/**
 * Volatile knowledge of a leader about running attempts: the time left of their leases, their progress, and which of
 * them were asked to stop. The next leader gives every lease its full time and gets the rest again from workers.
 */
import type { JobId } from '../../protocols/ids.js';
import { Heap } from '../heap.js';
import type { Job } from './job.js';
import type { Tokens } from './tokens.js';

export interface Progress {
  readonly fraction: number;
  readonly message: string;
}

/** Of a running job, on the leader's monotonic clock. */
interface LeaseTime {
  readonly id: JobId;
  untilMonoMs: number;
  /** When it is looked at: not later than it expires or the attempt takes too long. A renewal does not move it. */
  dueMonoMs: number;
  ended: boolean;
}

/** Leases that have ended stay in the heap until they are due, or are this many more than those that run. */
const MOST_ENDED = 10_000;

export class Attempts {
  private readonly leases = new Map<string, LeaseTime>();
  private byDue = newHeap();
  private readonly progress = new Map<string, Progress>();
  /** Cancelled jobs whose worker was asked to stop, in a reply that may have been lost. */
  private readonly stopping = new Set<string>();

  /** Running jobs whose lease no worker gets, because the payload cannot be read. */
  private readonly withheld = new Set<string>();

  constructor(readonly tokens: Tokens) {}

  renew(job: Readonly<Pick<Job, 'id' | 'policy'>>, monoMs: number): void {
    const { id, policy: { heartbeatMs, attemptMs } } = job;
    const untilMonoMs = monoMs + heartbeatMs;
    const known = this.leases.get(id);
    if (known) known.untilMonoMs = untilMonoMs;
    else this.add(id, untilMonoMs, attemptMs === 0 ? untilMonoMs : monoMs + Math.min(heartbeatMs, attemptMs));
  }

  /** A lease of an earlier leader. How long its attempt runs already is found out at the first look. */
  inherit({ id, policy }: Readonly<Job>, monoMs: number): void {
    this.add(id, monoMs + policy.heartbeatMs, monoMs);
  }

  /** A job whose lease or attempt may be over, if there is one. It is given once, unless it is watched again. */
  nextDue(monoMs: number): JobId | undefined {
    for (let lease = this.byDue.peek(); lease !== undefined && lease.dueMonoMs <= monoMs; lease = this.byDue.peek()) {
      this.byDue.pop();
      if (!lease.ended) return lease.id;
    }
    return undefined;
  }

  /** Neither is over: it is looked at again after the time, or when the lease runs out. */
  watchAgain(id: JobId, monoMs: number, leftMs: number): void {
    const lease = this.leases.get(id);
    if (lease === undefined) return;
    lease.dueMonoMs = Math.min(lease.untilMonoMs, monoMs + leftMs);
    this.byDue.push(lease);
  }

  /**
   * The time left of a running job's lease. A lease from an earlier leader gets its full time, because that leader may
   * have renewed it just before.
   */
  leftMs(job: Readonly<Job>, monoMs: number): number {
    const lease = this.leases.get(job.id);
    if (lease !== undefined) return lease.untilMonoMs - monoMs;
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
    const lease = this.leases.get(id);
    if (lease !== undefined) {
      lease.ended = true;
      this.leases.delete(id);
    }
    if (this.stopping.size > 0) this.stopping.delete(id);
    if (this.withheld.size > 0) this.withheld.delete(id);
    if (this.progress.size > 0) this.progress.delete(id);
  }

  private add(id: JobId, untilMonoMs: number, dueMonoMs: number): void {
    const lease = { id, untilMonoMs, dueMonoMs, ended: false };
    this.leases.set(id, lease);
    if (this.byDue.size > 2 * this.leases.size + MOST_ENDED) this.sweep();
    else this.byDue.push(lease);
  }

  private sweep(): void {
    this.byDue = newHeap();
    for (const lease of this.leases.values()) this.byDue.push(lease);
  }
}

/** Renewed in order, leases of one length are pushed in order: one comparison each. */
const newHeap = (): Heap<LeaseTime> => new Heap((a, b) => a.dueMonoMs < b.dueMonoMs);

/** A lease is delivered only while at least half of it is left: with less it might expire when the attempt starts. */
export const isWorthStarting = ({ policy }: Pick<Job, 'policy'>, leftMs: number): boolean =>
  leftMs * 2 >= policy.heartbeatMs;
