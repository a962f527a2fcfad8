/** The attempts of this process: which slot performs which lease, and until when it may. */
import type { worker } from '../protocols/messages.js';
import { Attempt, type AbortCause } from './performer/attempt.js';
import { givenUp, type Report } from './performer/outcome.js';
import { Slot, type SlotHost } from './performer/perform.js';
import type { Log, Performer } from './performer/performer.js';
import { Alarm } from './alarm.js';
import type { Link } from './link.js';
import { Recent } from './recent.js';

const REMEMBERED_TOKENS = 8_192;

/** Of a request: its number among those of its partition, and when it was sent. */
interface Asked {
  readonly request: number;
  readonly sentMs: number;
}

export interface AttemptsOptions {
  readonly capacity: number;
  readonly performers: ReadonlyMap<string, Performer>;
  readonly now: () => number;
  readonly log: (attempt: Attempt) => Log;
  /** A slot came back, maybe with a report in its link's outbox. */
  readonly ended: () => void;
  readonly progressed: (attempt: Attempt) => void;
}

export class Attempts implements SlotHost {
  readonly capacity: number;
  readonly busy = new Set<Slot>();
  readonly deadlines: Alarm;
  maxResultBytes = Infinity;
  readonly #options: AttemptsOptions;
  readonly #links: readonly Link[];
  readonly #idle: Slot[] = [];
  /** How many requests had been sent when the attempt ended. */
  readonly #finished = new Recent(REMEMBERED_TOKENS);

  constructor(links: readonly Link[], options: AttemptsOptions) {
    this.#options = options;
    this.#links = links;
    this.capacity = options.capacity;
    this.deadlines = new Alarm((nowMs) => this.#sweep(nowMs), options.now);
  }

  /**
   * Starts a lease. Not one that is known already, came too late, or finds no slot: that one is delivered again.
   * @param sent the pull that brought it
   */
  take(link: Link, lease: worker.Lease, sent: Asked, nowMs: number): Attempt | undefined {
    const { token } = lease;
    if (link.held.has(token)) return undefined;
    const endedBefore = this.#finished.get(token);
    if (endedBefore !== undefined) {
      if (sent.request > endedBefore) this.#sayAgain(link, token);
      return undefined;
    }
    if (this.busy.size >= this.capacity) return undefined;
    const attempt = new Attempt(lease, link.partition, this.#options, sent.sentMs, nowMs);
    if (nowMs >= attempt.leaseDueMs) return undefined;
    const slot = this.#idle.pop() ?? new Slot(this);
    this.busy.add(slot);
    link.held.set(token, slot);
    this.deadlines.by(attempt.dueMs());
    slot.start(attempt, this.#options.performers.get(lease.type) ?? missing(lease.type));
    return attempt;
  }

  /**
   * The leader takes an attempt for running that had ended here when it was asked. Its report was lost, or could not be
   * taken; then the lease is given up, once, in the form that holds nothing to be refused.
   */
  #sayAgain(link: Link, token: string): void {
    if (link.outbox.resend(token)) return;
    link.outbox.add(givenUp(token));
    this.#finished.add(token, Infinity);
  }

  /**
   * The signal is aborted; the slot comes back when the handler ends or its grace does.
   * @returns whether that is new to the attempt
   */
  abort(link: Link, token: string, cause: AbortCause): boolean {
    const slot = link.held.get(token);
    const isNew = slot?.attempt !== undefined && slot.attempt.cause === undefined;
    if (cause === 'revoked') {
      link.held.delete(token);
      link.outbox.drop(token);
    }
    if (slot !== undefined) this.#abort(slot, cause);
    return isNew;
  }

  abortAll(cause: AbortCause): void {
    for (const slot of this.busy) if (slot.attempt?.cause === undefined) this.#abort(slot, cause);
  }

  #abort(slot: Slot, cause: AbortCause): void {
    slot.abort(cause, this.#options.now());
    if (slot.attempt !== undefined) this.deadlines.by(slot.attempt.dueMs());
  }

  /** What a slot says when it is idle again. */
  ended(attempt: Attempt, report: Report | undefined, slot: Slot): void {
    const { token } = attempt.lease;
    const link = this.#links[attempt.partition]!;
    link.held.delete(token);
    this.#finished.add(token, link.requests);
    if (report !== undefined) link.outbox.add(report);
    this.busy.delete(slot);
    this.#idle.push(slot);
    this.#options.ended();
  }

  #sweep(nowMs: number): number {
    let nextMs = Infinity;
    for (const slot of this.busy) {
      const { attempt } = slot;
      if (attempt === undefined) continue;
      if (nowMs >= attempt.dueMs()) {
        if (attempt.cause !== undefined) slot.abandon();
        else slot.abort(nowMs >= attempt.leaseDueMs ? 'leaseLost' : 'timedOut', nowMs);
      }
      if (slot.attempt !== undefined) nextMs = Math.min(nextMs, slot.attempt.dueMs());
    }
    return nextMs;
  }
}

/** A leader hands out registered types only; should it err, the job gets another chance elsewhere. */
function missing(type: string): Performer {
  return {
    type,
    handle: () => {
      throw Object.assign(new Error(`this worker has no performer for ${type}`), { code: 'PERFORMER_NOT_LOADED' });
    },
  } as unknown as Performer;
}
