/** One try at a job: the lease, how long it may go on, and whether it was told to stop. */
import { RepriseError, type FailureCode } from '../../protocols/errors.js';
import { DEFAULTS } from '../../protocols/limits.js';
import type { worker } from '../../protocols/messages.js';
import type { Log } from './performer.js';

/** Why an attempt was told to stop. Times are monotonic. */
export type AbortCause = 'cancelled' | 'timedOut' | 'leaseLost' | 'stopping' | 'revoked';

export const CAUSES: Readonly<Record<AbortCause, { code: FailureCode; message: string }>> = {
  cancelled: { code: 'CANCELLED', message: 'the job was cancelled' },
  timedOut: { code: 'ATTEMPT_TIMED_OUT', message: 'the attempt took longer than it may' },
  leaseLost: { code: 'LEASE_EXPIRED', message: 'the lease could not be renewed in time' },
  stopping: { code: 'WORKER_STOPPED', message: 'the worker stopped before the performer ended' },
  revoked: { code: 'LEASE_EXPIRED', message: 'the lease is no longer valid' },
};

export interface Progress {
  readonly fraction: number;
  readonly message: string;
}

/** What an attempt needs of the process that it runs in. */
export interface AttemptHost {
  progressed(attempt: Attempt): void;
  log(attempt: Attempt): Log;
}

export class Attempt {
  readonly lease: worker.Lease;
  readonly partition: number;
  /** How long the worker may be silent. */
  readonly leaseMs: number;
  readonly attemptDueMs: number;
  leaseDueMs: number;
  /** When the lease is to be renewed next. */
  renewDueMs: number;
  /** Until when an aborted handler may go on. */
  graceDueMs = Infinity;
  cause: AbortCause | undefined;
  progress: Progress | undefined;
  /** The progress that the leader was last told. */
  toldProgress: Progress | undefined;
  publishedMs = -Infinity;
  readonly #host: AttemptHost;
  #controller: AbortController | undefined;
  #log: Log | undefined;

  /** @param sentMs when the pull that brought the lease was sent: it runs from then on */
  constructor(lease: worker.Lease, partition: number, host: AttemptHost, sentMs: number, nowMs: number) {
    this.lease = lease;
    this.partition = partition;
    this.#host = host;
    this.leaseMs = lease.leaseMs > 0 ? lease.leaseMs : DEFAULTS.heartbeatMs;
    this.leaseDueMs = sentMs + this.leaseMs;
    this.renewDueMs = sentMs + this.leaseMs / 3;
    this.attemptDueMs = lease.attemptMs > 0 ? nowMs + lease.attemptMs : Infinity;
  }

  /** When the clock has to do something about it. */
  dueMs(): number {
    return this.cause === undefined ? Math.min(this.leaseDueMs, this.attemptDueMs) : this.graceDueMs;
  }

  signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.cause !== undefined) this.#controller.abort(reasonOf(this.cause));
    }
    return this.#controller.signal;
  }

  /** A later cause changes what is reported, not the signal; only a revoked lease outweighs an earlier cause. */
  abort(cause: AbortCause, graceDueMs: number): void {
    const first = this.cause === undefined;
    if (first || cause === 'revoked') this.cause = cause;
    if (!first) return;
    this.graceDueMs = graceDueMs;
    this.#controller?.abort(reasonOf(cause));
  }

  log(): Log {
    return (this.#log ??= this.#host.log(this));
  }

  progressed(fraction: number, message: string): void {
    this.progress = { fraction, message };
    this.#host.progressed(this);
  }
}

const reasonOf = (cause: AbortCause): Error => new RepriseError(CAUSES[cause].code, CAUSES[cause].message);
