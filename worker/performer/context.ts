/**
 * What a handler is given. Most handlers use little of it, so what costs something, a signal, a logger, a bound
 * function, is made when it is asked for.
 */
import { LIMITS } from '../../protocols/limits.js';
import { bounded } from './failure.js';
import type { Log, PerformerContext } from './performer.js';
import type { Attempt } from './attempt.js';

/** Thrown by `retry()` and `fail()`: a wish, not an error. */
export class Control {
  readonly #isControl = true;
  readonly kind: 'retry' | 'fail';
  readonly reason: string;
  readonly afterMs: number | undefined;

  constructor(kind: 'retry' | 'fail', reason: string, afterMs?: number) {
    this.kind = kind;
    this.reason = reason;
    this.afterMs = afterMs;
  }

  /** Unlike `instanceof`, asking this way runs no code of what was thrown, which may be a proxy. */
  static is(thrown: unknown): thrown is Control {
    return typeof thrown === 'object' && thrown !== null && #isControl in thrown && thrown.#isControl;
  }
}

export class AttemptContext implements PerformerContext {
  readonly #attempt: Attempt;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  get jobId(): string {
    return this.#attempt.lease.jobId;
  }

  get attempt(): number {
    return this.#attempt.lease.attempt;
  }

  get maxAttempts(): number {
    return this.#attempt.lease.maxAttempts;
  }

  get key(): string {
    return this.#attempt.lease.key;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#attempt.lease.labels;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal();
  }

  get log(): Log {
    return this.#attempt.log();
  }

  get progress(): (fraction: number, message?: string) => void {
    const attempt = this.#attempt;
    return (fraction, message = '') => attempt.progressed(clampFraction(fraction), bounded(message, LIMITS.reasonBytes));
  }

  get retry(): (afterMs?: number, reason?: string) => never {
    return retry;
  }

  get fail(): (reason: string) => never {
    return fail;
  }
}

function retry(afterMs?: number, reason = 'the performer asked for another attempt'): never {
  if (afterMs !== undefined && !(afterMs >= 0 && afterMs <= LIMITS.delayMs)) {
    throw new RangeError(`retry: afterMs is from 0 to ${LIMITS.delayMs}, not ${String(afterMs)}`);
  }
  throw new Control('retry', reason, afterMs === undefined ? undefined : Math.round(afterMs));
}

function fail(reason: string): never {
  throw new Control('fail', reason);
}

function clampFraction(fraction: number): number {
  if (typeof fraction !== 'number' || Number.isNaN(fraction)) throw new TypeError('progress: fraction is a number from 0 to 1');
  return Math.min(1, Math.max(0, fraction));
}
