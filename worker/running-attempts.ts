/** The attempts of this process: which slot performs which lease, and their deadlines. */
import type { worker } from '../protocols/messages.js';
import { Attempt, type AbortCause } from './performer/attempt.js';
import { givenUp, type AttemptReport } from './performer/outcome.js';
import { Slot, type SlotHost } from './performer/perform.js';
import type { Log, Performer } from './performer/performer.js';
import { Alarm } from './alarm.js';
import type { Link } from './link.js';
import { Recent } from './recent.js';

const REMEMBERED_TOKENS = 8_192;

/** The pull that brought a lease: its number among the partition's requests, and when it was sent. */
interface SentPull {
  readonly request: number;
  readonly sentMs: number;
}

export interface RunningAttemptsOptions {
  readonly capacity: number;
  readonly performers: ReadonlyMap<string, Performer>;
  readonly now: () => number;
  readonly log: (attempt: Attempt) => Log;
  /** A slot became free; its report, if any, is among the link's pending reports. */
  readonly ended: () => void;
  readonly progressed: (attempt: Attempt) => void;
}

export class RunningAttempts implements SlotHost {
  readonly capacity: number;
  readonly busy = new Set<Slot>();
  readonly deadlines: Alarm;
  maxResultBytes = Infinity;
  private readonly idle: Slot[] = [];
  /** By token: how many requests had been sent when the attempt ended. */
  private readonly finished = new Recent(REMEMBERED_TOKENS);

  constructor(
    private readonly links: readonly Link[],
    private readonly options: RunningAttemptsOptions,
  ) {
    this.capacity = options.capacity;
    this.deadlines = new Alarm((nowMs) => this.sweep(nowMs), options.now);
  }

  /**
   * Starts the attempt of a lease, unless the lease is known, has run out, or no slot is free. In these cases the
   * leader delivers it again.
   */
  take(link: Link, lease: worker.Lease, sent: SentPull, nowMs: number): Attempt | undefined {
    const { token } = lease;
    if (link.held.has(token)) return undefined;
    const endedBefore = this.finished.get(token);
    if (endedBefore !== undefined) {
      if (sent.request > endedBefore) this.reportAgain(link, token);
      return undefined;
    }
    if (this.busy.size >= this.capacity) return undefined;
    const attempt = new Attempt(lease, link.partition, this.options, sent.sentMs, nowMs);
    if (nowMs >= attempt.leaseDueMs) return undefined;
    const slot = this.idle.pop() ?? new Slot(this);
    this.busy.add(slot);
    link.held.set(token, slot);
    this.deadlines.by(attempt.dueMs());
    slot.start(attempt, this.options.performers.get(lease.type) ?? missing(lease.type));
    return attempt;
  }

  /**
   * The leader takes an attempt for running that had ended here before the pull was sent: its report was lost or
   * refused. Without a report to repeat the lease is given up, once, by a report without content, which is not refused.
   */
  private reportAgain(link: Link, token: string): void {
    if (link.pending.resend(token)) return;
    link.pending.add(givenUp(token));
    this.finished.add(token, Infinity);
  }

  /**
   * Aborts the attempt's signal. The slot is free again when the handler ends or its grace is over.
   * @returns whether the attempt had not been aborted before
   */
  abort(link: Link, token: string, cause: AbortCause): boolean {
    const slot = link.held.get(token);
    const isNew = slot?.attempt !== undefined && slot.attempt.cause === undefined;
    if (cause === 'revoked') {
      link.held.delete(token);
      link.pending.drop(token);
    }
    if (slot !== undefined) this.abortSlot(slot, cause);
    return isNew;
  }

  abortAll(cause: AbortCause): void {
    for (const slot of this.busy) if (slot.attempt?.cause === undefined) this.abortSlot(slot, cause);
  }

  private abortSlot(slot: Slot, cause: AbortCause): void {
    slot.abort(cause, this.options.now());
    if (slot.attempt !== undefined) this.deadlines.by(slot.attempt.dueMs());
  }

  /** Called by a slot that is idle again. */
  ended(attempt: Attempt, report: AttemptReport | undefined, slot: Slot): void {
    const { token } = attempt.lease;
    const link = this.links[attempt.partition]!;
    link.held.delete(token);
    this.finished.add(token, link.requests);
    if (report !== undefined) link.pending.add(report);
    this.busy.delete(slot);
    this.idle.push(slot);
    this.options.ended();
  }

  private sweep(nowMs: number): number {
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

/** A leader leases registered types only. If it does not, the attempt fails and the job can be tried elsewhere. */
function missing(type: string): Performer {
  return {
    type,
    handle: () => {
      const message = `this worker has no performer for the job type ${type}`;
      throw Object.assign(new Error(message), { code: 'PERFORMER_NOT_LOADED' });
    },
  } as unknown as Performer;
}
