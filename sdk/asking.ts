/** Requests to the brokers: sent again, with the same bytes, for as long as that may help. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import { error } from '../protocols/messages.js';
import { operating } from '../streams/connect.js';
import { errorOf, refusalOf } from './answers.js';

/** How long one try may take. */
const TRY_MS = 5_000;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;

/** Nothing was changed, or the same command id makes it harmless to ask again. */
const AGAIN: ReadonlySet<string> = new Set(['NOT_LEADER', 'OVERLOADED', 'UNKNOWN', 'NO_BROKER', 'TIMED_OUT', 'SERVER_UNREACHABLE']);
export const helpsToRepeat = (code: string): boolean => AGAIN.has(code);

/** After these a command may have been recorded; after the others nothing was changed. */
const UNCERTAIN: ReadonlySet<string> = new Set(['UNKNOWN', 'TIMED_OUT', 'SERVER_UNREACHABLE']);

/** All tries of one request: until when they go on, and whether one of them may have been recorded. */
export interface Effort {
  readonly untilMs: number;
  isUncertain: boolean;
}

export class Asking {
  readonly #nc: NatsConnection;
  readonly #giveUpMs: number;
  readonly #disturbed = new Set<(why: RepriseError) => void>();

  /** @param giveUpMs how long to go on when nothing but troubles comes back */
  constructor(nc: NatsConnection, giveUpMs: number) {
    this.#nc = nc;
    this.#giveUpMs = giveUpMs;
  }

  effort(): Effort {
    return { untilMs: performance.now() + this.#giveUpMs, isUncertain: false };
  }

  /** @param holdMs how long the broker may hold its answer back, because it was asked to wait for something */
  ask(subject: string, data: Uint8Array, holdMs = 0, effort = this.effort()): Promise<Uint8Array> {
    return this.repeat(() => this.#once(subject, data, holdMs + TRY_MS), effort);
  }

  /** Repeats what throws a trouble that may pass. */
  async repeat<T>(attempt: () => Promise<T>, effort: Effort): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LAST_WAIT_MS, waitMs * 2)) {
      try {
        return await attempt();
      } catch (trouble) {
        if (!(trouble instanceof RepriseError)) throw trouble;
        effort.isUncertain ||= UNCERTAIN.has(trouble.code);
        if (!helpsToRepeat(trouble.code) || this.#nc.isClosed() || performance.now() > effort.untilMs) throw trouble;
      }
      await sleep(waitMs * (0.5 + Math.random() / 2));
    }
  }

  /** The connection was lost or another leader came: what is waited for now may never be answered, so it is asked again. */
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
      return dataOf(await Promise.race([this.#nc.request(subject, data, { timeout }), disturbed]));
    } catch (cause) {
      throw troubleOf(cause, subject);
    } finally {
      forget();
    }
  }
}

function dataOf(message: Msg): Uint8Array {
  if (!message.headers?.has('Nats-Service-Error')) return message.data;
  const refusal = refusalOf(error.Error.decode(message.data) as error.Error);
  // A service that is not ours may answer with the header alone.
  throw errorOf(refusal.code === '' ? { code: 'SERVER_FAILED', message: message.headers.get('Nats-Service-Error'), hint: '', retryable: false } : refusal);
}

function troubleOf(cause: unknown, subject: string): RepriseError {
  if (cause instanceof RepriseError) return cause;
  const nobody = cause instanceof errors.NoRespondersError || (cause instanceof errors.RequestError && cause.isNoResponders());
  if (nobody) return new RepriseError('NO_BROKER', `Nobody answers on ${subject}.`, { cause });
  if (cause instanceof errors.TimeoutError) return new RepriseError('TIMED_OUT', `No answer came on ${subject} in time.`, { cause });
  return operating(cause, `Asking on ${subject} failed`);
}

/** The last refusal says that it changed nothing; of the tries before it that may not be known. */
export function conclusion(trouble: unknown, { isUncertain }: Effort): unknown {
  if (!isUncertain || !(trouble instanceof RepriseError) || UNCERTAIN.has(trouble.code)) return trouble;
  return new RepriseError('UNKNOWN', `An earlier try may have been recorded; the last one was refused: ${trouble.message}`, { cause: trouble });
}
