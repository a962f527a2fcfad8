/**
 * What an author of performers sees: `performer()`, and the types of what it is given. Every performer file loads this
 * module, so it imports next to nothing. A performer is known by a symbol of the global registry instead of by class,
 * because the file may have got its `reprise` from another copy of the package than the worker that loads it.
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

/** What a handler is told about its attempt, and what it can say. */
export interface PerformerContext {
  readonly jobId: string;
  /** From 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Aborted when the job is cancelled, the attempt takes too long, or the lease is lost. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** @param fraction from 0 to 1 */
  readonly progress: (fraction: number, message?: string) => void;
  /** Ends the attempt by throwing; the next one follows after `afterMs`, or else after the job's own backoff. */
  readonly retry: (afterMs?: number, reason?: string) => never;
  /** Ends the job as failed by throwing: no more attempts. */
  readonly fail: (reason: string) => never;
}

/** `false` or a text, the reason, refuses the payload; throwing does too. */
export type Verdict = void | boolean | string;
export type Validate<Payload> = (payload: Payload) => Verdict | Promise<Verdict>;
export type Handle<Payload, Result> = (payload: Payload, context: PerformerContext) => Result | Promise<Result>;

export interface PerformerOptions<Payload> {
  readonly validate?: Validate<Payload>;
}

export interface PerformerParts<Payload, Result> extends PerformerOptions<Payload> {
  readonly handle: Handle<Payload, Result>;
}

/** Without type arguments: any performer, whatever it takes and gives. */
export interface Performer<Payload = never, Result = unknown> {
  readonly [MARK]: 1;
  readonly type: string;
  readonly handle: Handle<Payload, Result>;
  readonly validate: Validate<Payload> | undefined;
}

/**
 * Names what does the work for one job type.
 * @throws TypeError if the type is not a job type, or a part is not a function
 */
export function performer<Payload, Result>(
  type: string,
  work: Handle<Payload, Result> | PerformerParts<Payload, Result>,
  options: PerformerOptions<Payload> = {},
): Performer<Payload, Result> {
  const parts = typeof work === 'function' ? { ...options, handle: work } : work;
  if (typeof type !== 'string' || !isJobType(type)) {
    throw new TypeError(`performer: ${JSON.stringify(type)} is not a job type; 1 to 128 of A-Z a-z 0-9 _ . : - are`);
  }
  if (typeof parts?.handle !== 'function') throw new TypeError(`performer ${type}: handle is not a function`);
  if (parts.validate !== undefined && typeof parts.validate !== 'function') {
    throw new TypeError(`performer ${type}: validate is not a function`);
  }
  return { [MARK]: 1, type, handle: parts.handle, validate: parts.validate };
}

export function isPerformer(value: unknown): value is Performer {
  return typeof value === 'object' && value !== null && MARK in value;
}
