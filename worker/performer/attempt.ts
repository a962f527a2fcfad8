/** One try at a job: its lease, its deadlines, and why it was aborted. Times are monotonic. */
import type { Progress } from '../../actors/job/attempts.js';
import { RepriseError, type FailureCode } from '../../protocols/errors.js';
import { DEFAULTS } from '../../protocols/limits.js';
import type { worker } from '../../protocols/messages.js';
import type { Log } from './performer.js';

/** Why an attempt was aborted. */
export type AbortCause = 'cancelled' | 'timedOut' | 'leaseLost' | 'stopping' | 'revoked';

export const CAUSES: Readonly<Record<AbortCause, { code: FailureCode; message: string }>> = {
  cancelled: { code: 'CANCELLED', message: 'the job was cancelled' },
  timedOut: { code: 'ATTEMPT_TIMED_OUT', message: 'the attempt took longer than its time-out' },
  leaseLost: { code: 'LEASE_EXPIRED', message: 'the lease could not be renewed in time' },
  stopping: { code: 'WORKER_STOPPED', message: 'the worker stopped before the handler ended' },
  revoked: { code: 'LEASE_EXPIRED', message: 'the lease is no longer valid' },
};

/** What an attempt needs of the worker process. */
export interface AttemptHost {
  progressed(attempt: Attempt): void;
  log(attempt: Attempt): Log;
}

export class Attempt {
  /** The lease runs out after so long without a renewal. */
  readonly leaseMs: number;
  readonly attemptDueMs: number;
  leaseDueMs: number;
  /** When the lease is renewed next. */
  renewDueMs: number;
  /** When the slot of an aborted handler is freed, whether or not it has ended. */
  graceDueMs = Infinity;
  cause: AbortCause | undefined;
  progress: Progress | undefined;
  /** The progress that was last sent to the leader. */
  sentProgress: Progress | undefined;
  publishedMs = -Infinity;
  private controller: AbortController | undefined;
  private ownLog: Log | undefined;

  /** @param sentMs when the pull that brought the lease was sent: the lease is counted from then */
  constructor(
    readonly lease: worker.Lease,
    readonly partition: number,
    private readonly host: AttemptHost,
    sentMs: number,
    nowMs: number,
  ) {
    this.leaseMs = lease.leaseMs > 0 ? lease.leaseMs : DEFAULTS.heartbeatMs;
    this.leaseDueMs = sentMs + this.leaseMs;
    this.renewDueMs = sentMs + this.leaseMs / 3;
    this.attemptDueMs = lease.attemptMs > 0 ? nowMs + lease.attemptMs : Infinity;
  }

  /** When the next deadline is: of the lease, of the attempt, or of the grace after an abort. */
  dueMs(): number {
    return this.cause === undefined ? Math.min(this.leaseDueMs, this.attemptDueMs) : this.graceDueMs;
  }

  signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.cause !== undefined) this.controller.abort(reasonOf(this.cause));
    }
    return this.controller.signal;
  }

  /** The first cause is kept, except that a revocation replaces it in the report. The signal keeps the first. */
  abort(cause: AbortCause, graceDueMs: number): void {
    const first = this.cause === undefined;
    if (first || cause === 'revoked') this.cause = cause;
    if (!first) return;
    this.graceDueMs = graceDueMs;
    this.controller?.abort(reasonOf(cause));
  }

  log(): Log {
    return (this.ownLog ??= this.host.log(this));
  }

  progressed(fraction: number, message: string): void {
    this.progress = { fraction, message };
    this.host.progressed(this);
  }
}

const reasonOf = (cause: AbortCause): Error => new RepriseError(CAUSES[cause].code, CAUSES[cause].message);
