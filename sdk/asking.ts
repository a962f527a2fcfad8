/** Requests to the brokers, retried with the same bytes while the error is one that may pass. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { ERRORS, isCode, RepriseError } from '../protocols/errors.js';
import { BUNDLE_HEADER, PRINCIPAL_HEADER } from '../protocols/subjects.js';
import { operating } from '../streams/connect.js';
import { Bundles } from './bundles.js';
import { Gathering, type Call, type GatherBounds } from './gathering.js';
import { refusalOf } from './replies.js';

/** How long one try may take. */
const TRY_MS = 5_000;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;
/** Of what is sent together. A message of 256 KiB takes a server and a broker about a millisecond. */
const BOUNDS: GatherBounds = { count: 256, bytes: 256 * 1024 };

/** Errors that changed nothing, or after which the command id makes a retry safe. */
const RETRIED: ReadonlySet<string> = new Set([
  'NOT_LEADER', 'OVERLOADED', 'UNKNOWN', 'NO_BROKER', 'TIMED_OUT', 'SERVER_UNREACHABLE',
]);
export const isRetried = (code: string): boolean => RETRIED.has(code);

/**
 * Errors after which the request may have reached a leader and may have been recorded. After any other error it was
 * not.
 */
const UNCERTAIN: ReadonlySet<string> = new Set(['UNKNOWN', 'TIMED_OUT', 'SERVER_UNREACHABLE']);
export const mayBeRecorded = (code: string): boolean => UNCERTAIN.has(code);

/** For all tries of one request: when they stop, and the error of the last one that may have been recorded. */
export interface RetryBudget {
  readonly untilMs: number;
  uncertain: RepriseError | undefined;
}

export interface AskingOptions {
  /** Recorded with the events that the requests cause; empty: none. */
  readonly principal?: string;
  /** Whether requests of one turn of the event loop are sent together, where they can be. */
  readonly gather?: boolean;
}

export class Asking {
  private readonly headers: MsgHdrs | undefined;
  private readonly bundles: Bundles;
  private readonly gathering: Gathering;
  private gathers: boolean;
  private readonly openRequests = new Set<(why: RepriseError) => void>();

  /**
   * @param giveUpMs how long to retry a request that keeps failing
   */
  constructor(
    private readonly nc: NatsConnection,
    private readonly giveUpMs: number,
    { principal = '', gather = true }: AskingOptions = {},
  ) {
    this.gathers = gather;
    if (principal !== '') this.headers = headersOf(principal);
    this.bundles = new Bundles(nc, headersOf(principal, BUNDLE_HEADER), (...refused) => this.refusedAll(...refused));
    const bytes = Math.min(BOUNDS.bytes, (nc.info?.max_payload ?? Infinity) / 2);
    this.gathering = new Gathering({ ...BOUNDS, bytes }, (calls) => this.send(calls));
  }

  budget(): RetryBudget {
    return { untilMs: performance.now() + this.giveUpMs, uncertain: undefined };
  }

  /** @param holdMs how long the broker may delay its reply, because the request asks it to wait for something */
  ask(subject: string, data: Uint8Array, holdMs = 0, budget = this.budget()): Promise<Uint8Array> {
    return this.repeat(() => this.once(subject, data, holdMs + TRY_MS), budget);
  }

  /** Retries `attempt` while it throws an error that may pass. {@link conclusion} says what the last error means. */
  async repeat<T>(attempt: () => Promise<T>, budget = this.budget()): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LAST_WAIT_MS, waitMs * 2)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof RepriseError) || !isRetried(error.code)) throw error;
        if (mayBeRecorded(error.code)) budget.uncertain = error;
        if (this.nc.isClosed() || performance.now() > budget.untilMs) throw error;
      }
      await sleep(waitMs * (0.5 + Math.random() / 2));
    }
  }

  /**
   * The connection was lost or the leader changed. Requests that are open may never get a reply, so they fail now and
   * are retried.
   */
  failOpenRequests(why: RepriseError): void {
    for (const fail of [...this.openRequests]) fail(why);
  }

  private async once(subject: string, data: Uint8Array, timeout: number): Promise<Uint8Array> {
    let forget = (): void => undefined;
    const failed = new Promise<never>((_, reject) => {
      this.openRequests.add(reject);
      forget = () => void this.openRequests.delete(reject);
    });
    try {
      const reply = this.gathers ? this.gathering.ask(subject, data, timeout) : this.alone(subject, data, timeout);
      return await Promise.race([reply, failed]);
    } catch (cause) {
      throw requestError(cause, subject);
    } finally {
      forget();
    }
  }

  private async alone(subject: string, data: Uint8Array, timeout: number): Promise<Uint8Array> {
    const message = await this.nc.request(subject, data, { timeout, ...(this.headers && { headers: this.headers }) });
    if (isRefusal(message)) throw refusalIn(message);
    return message.data;
  }

  private send(calls: readonly Call[]): void {
    if (calls.length > 1 && this.gathers) return this.bundles.send(calls);
    for (const { subject, data, timeoutMs, resolve, reject } of calls) {
      this.alone(subject, data, timeoutMs).then(resolve, reject);
    }
  }

  /** Brokers up to 0.4.0 know no bundles, and refuse one as a whole. */
  private refusedAll(message: Msg, calls: readonly Call[]): void {
    const error = refusalIn(message);
    if (!NOT_UNDERSTOOD.has(error.code)) return calls.forEach(({ reject }) => reject(error));
    this.gathers = false;
    this.send(calls);
  }
}

const NOT_UNDERSTOOD: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'MALFORMED']);

const isRefusal = (message: Msg): boolean => message.headers?.has('Nats-Service-Error') ?? false;
const refusalIn = ({ data, headers: h }: Msg): RepriseError => refusalOf(data, h?.get('Nats-Service-Error'));

function headersOf(principal: string, ...flags: readonly string[]): MsgHdrs {
  const h = headers();
  if (principal !== '') h.set(PRINCIPAL_HEADER, principal);
  for (const flag of flags) h.set(flag, '1');
  return h;
}

function requestError(cause: unknown, subject: string): RepriseError {
  if (cause instanceof RepriseError) return cause;
  const hadNoResponders = cause instanceof errors.NoRespondersError
    || (cause instanceof errors.RequestError && cause.isNoResponders());
  if (hadNoResponders) return new RepriseError('NO_BROKER', `No broker listens on ${subject}.`, { cause });
  if (cause instanceof errors.TimeoutError) {
    return new RepriseError('TIMED_OUT', `The request on ${subject} got no reply in time.`, { cause });
  }
  return operating(cause, `The request on ${subject} failed`);
}

/**
 * What the error of the last try means for a command that was tried more than once. A decision holds for all tries,
 * because they carry the same command id. Any other refusal only means that the last try changed nothing.
 */
export function conclusion(error: unknown, { uncertain }: RetryBudget): unknown {
  if (uncertain === undefined || !(error instanceof RepriseError)) return error;
  if (mayBeRecorded(error.code) || isDecision(error.code)) return error;
  const message = `An earlier try may have been recorded (${uncertain.message}); the retry failed: ${error.message}`;
  return new RepriseError(uncertain.code, message, { cause: error, hint: uncertain.hint });
}

const isDecision = (code: string): boolean => isCode(code) && ERRORS[code].kind === 'rejection' && !isRetried(code);
