/**
 * The context that a handler gets. Most handlers use little of it, so what costs something (a signal, a logger, a bound
 * function) is created on first use.
 */
import { LIMITS } from '../../protocols/limits.js';
import { bounded } from '../../protocols/utf8.js';
import type { Log, PerformerContext, RetryOptions, RetryScope } from './performer.js';
import type { Attempt } from './attempt.js';

/** Thrown by `retry()` and `fail()`, which end the handler. */
export class Control {
  private static readonly instances = new WeakSet<object>();

  constructor(
    readonly kind: 'retry' | 'fail',
    readonly reason: string,
    readonly afterMs?: number,
    readonly scope?: RetryScope,
  ) {
    Control.instances.add(this);
  }

  /** Unlike `instanceof`, this runs no code of what was thrown, which may be a proxy. */
  static is(thrown: unknown): thrown is Control {
    return typeof thrown === 'object' && thrown !== null && Control.instances.has(thrown);
  }
}

export class AttemptContext implements PerformerContext {
  constructor(private readonly current: Attempt) {}

  get jobId(): string {
    return this.current.lease.jobId;
  }

  get attempt(): number {
    return this.current.lease.attempt;
  }

  get maxAttempts(): number {
    return this.current.lease.maxAttempts;
  }

  get key(): string {
    return this.current.lease.key;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.current.lease.labels;
  }

  get signal(): AbortSignal {
    return this.current.signal();
  }

  get log(): Log {
    return this.current.log();
  }

  get progress(): (fraction: number, message?: string) => void {
    const { current } = this;
    return (fraction, message = '') =>
      current.progressed(clampFraction(fraction), bounded(message, LIMITS.reasonBytes));
  }

  get retry(): PerformerContext['retry'] {
    return retry;
  }

  get fail(): (reason: string) => never {
    return fail;
  }
}

function retry(afterMs?: number, options: string | RetryOptions = {}): never {
  const given: RetryOptions = typeof options === 'string' ? { reason: options } : options;
  const { reason = 'the performer called retry()', scope } = given;
  if (afterMs !== undefined && !(afterMs >= 0 && afterMs <= LIMITS.delayMs)) {
    throw new RangeError(`retry: afterMs must be between 0 and ${LIMITS.delayMs}, got ${String(afterMs)}`);
  }
  if (scope !== undefined && afterMs === undefined) throw new RangeError('retry: a scope needs afterMs');
  throw new Control('retry', reason, afterMs === undefined ? undefined : Math.round(afterMs), scope);
}

function fail(reason: string): never {
  throw new Control('fail', reason);
}

function clampFraction(fraction: number): number {
  if (typeof fraction !== 'number' || Number.isNaN(fraction)) {
    throw new TypeError(`progress: fraction must be a number between 0 and 1, got ${String(fraction)}`);
  }
  return Math.min(1, Math.max(0, fraction));
}
