/**
 * The interface for authors of performers: `performer()` and its types. Every performer file loads this module, so it
 * imports as little as possible. A performer is recognized by a symbol of the global registry, not by a class, because
 * the file may import `reprise` from another copy of the package than the worker that loads it.
 */
import { isJobType } from '../../protocols/ids.js';

const MARK: unique symbol = Symbol.for('reprise.performer') as never;

export type LogFn = (fieldsOrMessage: object | string, message?: string) => void;

export interface Log {
  readonly debug: LogFn;
  readonly info: LogFn;
  readonly warn: LogFn;
  readonly error: LogFn;
}

/** What a handler knows about its attempt, and how it can control it. */
/** Jobs of the same queue and key, of the same queue and type, or of the same queue. */
export type RetryScope = 'key' | 'type' | 'queue';

export interface RetryOptions {
  readonly reason?: string;
  readonly scope?: RetryScope;
}

export interface PerformerContext {
  readonly jobId: string;
  /** From 1. */
  readonly attempt: number;
  /** The last attempt has this number. A lost lease adds one: it has a number, and does not count. */
  readonly maxAttempts: number;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Aborted when the job is cancelled, the attempt takes too long, or the lease is lost. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** @param fraction from 0 to 1 */
  readonly progress: (fraction: number, message?: string) => void;
  /**
   * Throws to end the attempt; the next one follows after `afterMs`, by default after the job's backoff.
   * @param options the reason, and whose other jobs wait as long: what an upstream says by Retry-After
   */
  readonly retry: (afterMs?: number, options?: string | RetryOptions) => never;
  /** Throws to end the job as failed, without further attempts. */
  readonly fail: (reason: string) => never;
}

/** `false` or a text, the reason, refuses the payload; so does throwing. */
export type Verdict = void | boolean | string;
export type Validate<Payload> = (payload: Payload) => Verdict | Promise<Verdict>;
export type Handle<Payload, Result> = (payload: Payload, context: PerformerContext) => Result | Promise<Result>;

export interface PerformerOptions<Payload> {
  readonly validate?: Validate<Payload>;
}

export interface PerformerParts<Payload, Result> extends PerformerOptions<Payload> {
  readonly handle: Handle<Payload, Result>;
}

/** Without type arguments: a performer of any payload and result. */
export interface Performer<Payload = never, Result = unknown> {
  readonly [MARK]: 1;
  readonly type: string;
  readonly handle: Handle<Payload, Result>;
  readonly validate: Validate<Payload> | undefined;
}

/**
 * Defines the performer of a job type.
 * @throws TypeError for an invalid job type, or if `handle` or `validate` is not a function
 */
export function performer<Payload, Result>(
  type: string,
  work: Handle<Payload, Result> | PerformerParts<Payload, Result>,
  options: PerformerOptions<Payload> = {},
): Performer<Payload, Result> {
  const parts = typeof work === 'function' ? { ...options, handle: work } : work;
  if (typeof type !== 'string' || !isJobType(type)) {
    const rule = '1 to 128 characters of A-Z a-z 0-9 _ . : -, not beginning with a dot';
    throw new TypeError(`performer: the job type must be ${rule}, got ${JSON.stringify(type)}`);
  }
  if (typeof parts?.handle !== 'function') {
    throw new TypeError(`performer ${type}: handle must be a function, got ${typeof parts?.handle}`);
  }
  if (parts.validate !== undefined && typeof parts.validate !== 'function') {
    throw new TypeError(`performer ${type}: validate must be a function, got ${typeof parts.validate}`);
  }
  return { [MARK]: 1, type, handle: parts.handle, validate: parts.validate };
}

export function isPerformer(value: unknown): value is Performer {
  return typeof value === 'object' && value !== null && MARK in value;
}
