/** Requests to the brokers: sent again, with the same bytes, for as long as that may help. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { ERRORS, isCode, RepriseError } from '../protocols/errors.js';
import { PRINCIPAL_HEADER } from '../protocols/subjects.js';
import { readWireError } from '../protocols/wire-error.js';
import { operating } from '../streams/connect.js';
import { errorOf } from './answers.js';

/** How long one try may take. */
const TRY_MS = 5_000;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;

/** Nothing was changed, or the same command id makes it harmless to ask again. */
const AGAIN: ReadonlySet<string> = new Set([
  'NOT_LEADER', 'OVERLOADED', 'UNKNOWN', 'NO_BROKER', 'TIMED_OUT', 'SERVER_UNREACHABLE',
]);
export const helpsToRepeat = (code: string): boolean => AGAIN.has(code);

/**
 * The request may have reached a leader, and what it asks for may have been recorded. After any other trouble it was
 * not.
 */
const UNCERTAIN: ReadonlySet<string> = new Set(['UNKNOWN', 'TIMED_OUT', 'SERVER_UNREACHABLE']);
export const mayBeRecorded = (code: string): boolean => UNCERTAIN.has(code);

/** All tries of one request: until when they go on, and the last one that may have been recorded. */
export interface Effort {
  readonly untilMs: number;
  uncertain: RepriseError | undefined;
}

export class Asking {
  readonly #nc: NatsConnection;
  readonly #giveUpMs: number;
  readonly #headers: MsgHdrs | undefined;
  readonly #disturbed = new Set<(why: RepriseError) => void>();

  /**
   * @param giveUpMs how long to go on when nothing but troubles comes back
   * @param principal who asks; empty: it is not said
   */
  constructor(nc: NatsConnection, giveUpMs: number, principal = '') {
    this.#nc = nc;
    this.#giveUpMs = giveUpMs;
    if (principal === '') return;
    this.#headers = headers();
    this.#headers.set(PRINCIPAL_HEADER, principal);
  }

  effort(): Effort {
    return { untilMs: performance.now() + this.#giveUpMs, uncertain: undefined };
  }

  /** @param holdMs how long the broker may hold its answer back, because it was asked to wait for something */
  ask(subject: string, data: Uint8Array, holdMs = 0, effort = this.effort()): Promise<Uint8Array> {
    return this.repeat(() => this.#once(subject, data, holdMs + TRY_MS), effort);
  }

  /** Repeats what throws a trouble that may pass; see {@link conclusion} for what the last one means. */
  async repeat<T>(attempt: () => Promise<T>, effort = this.effort()): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LAST_WAIT_MS, waitMs * 2)) {
      try {
        return await attempt();
      } catch (trouble) {
        if (!(trouble instanceof RepriseError) || !helpsToRepeat(trouble.code)) throw trouble;
        if (mayBeRecorded(trouble.code)) effort.uncertain = trouble;
        if (this.#nc.isClosed() || performance.now() > effort.untilMs) throw trouble;
      }
      await sleep(waitMs * (0.5 + Math.random() / 2));
    }
  }

  /**
   * The connection was lost or another leader came: what is waited for now may never be answered, so it is asked
   * again.
   */
  disturb(why: RepriseError): void {
    for (const tell of [...this.#disturbed]) tell(why);
  }

  async #once(subject: string, data: Uint8Array, timeout: number): Promise<Uint8Array> {
    let forget = (): void => undefined;
    const disturbed = new Promise<never>((_, reject) => {
      this.#disturbed.add(reject);
      forget = () => void this.#disturbed.delete(reject);
    });
    try {
      const options = { timeout, ...(this.#headers && { headers: this.#headers }) };
      return dataOf(await Promise.race([this.#nc.request(subject, data, options), disturbed]));
    } catch (cause) {
      throw troubleOf(cause, subject);
    } finally {
      forget();
    }
  }
}

function dataOf(message: Msg): Uint8Array {
  if (!message.headers?.has('Nats-Service-Error')) return message.data;
  const said = message.headers.get('Nats-Service-Error');
  throw errorOf(readWireError(message.data) ?? { code: 'SERVER_FAILED', message: said, hint: '', retryable: false });
}

function troubleOf(cause: unknown, subject: string): RepriseError {
  if (cause instanceof RepriseError) return cause;
  const hadNoResponders = cause instanceof errors.NoRespondersError
    || (cause instanceof errors.RequestError && cause.isNoResponders());
  if (hadNoResponders) return new RepriseError('NO_BROKER', `No broker answers on ${subject}.`, { cause });
  if (cause instanceof errors.TimeoutError) {
    return new RepriseError('TIMED_OUT', `No answer came on ${subject} in time.`, { cause });
  }
  return operating(cause, `Asking on ${subject} failed`);
}

/**
 * What the last trouble says of a command that was tried more than once. A decision is about all tries, because they
 * carry the same command id; any other refusal says of itself alone that it changed nothing.
 */
export function conclusion(trouble: unknown, { uncertain }: Effort): unknown {
  if (uncertain === undefined || !(trouble instanceof RepriseError)) return trouble;
  if (mayBeRecorded(trouble.code) || isDecision(trouble.code)) return trouble;
  const message = `An earlier try may have been recorded (${uncertain.message}); asked again: ${trouble.message}`;
  return new RepriseError(uncertain.code, message, { cause: trouble, hint: uncertain.hint });
}

const isDecision = (code: string): boolean => isCode(code) && ERRORS[code].kind === 'rejection' && !helpsToRepeat(code);
