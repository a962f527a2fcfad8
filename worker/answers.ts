/** What an answer to a pull or a report means for the attempts here, and for what is sent next. */
import type { worker } from '../protocols/messages.js';
import { plainer, type Report } from './performer/outcome.js';
import type { Log } from './performer/performer.js';
import type { Attempts } from './attempts.js';
import type { Heartbeats } from './heartbeats.js';
import type { Link } from './link.js';
import { isUnknown, type Refusal, type Reply } from './wire.js';

/** Rejections that say: nobody waits for this attempt. */
const OVER = new Set(['STALE_ATTEMPT', 'ALREADY_ENDED', 'NOT_FOUND']);
/** Refusals of a request that a report in it may be the reason of. No other one says anything about what was done. */
const OF_CONTENT = new Set(['MALFORMED', 'INVALID_ARGUMENT', 'TOO_LARGE']);
/** Before this, an empty answer is not that of a pull that has waited. */
const EARLY_MS = 100;

/** The request that an answer belongs to. */
export interface Sent {
  readonly request: number;
  /** Of a pull; 0 for reports alone. */
  readonly seq: number;
  readonly free: number;
  /** On the monotonic clock. */
  readonly sentMs: number;
  readonly timeoutMs: number;
}

export class Answers {
  readonly #attempts: Attempts;
  readonly #heartbeats: Heartbeats;
  readonly #options: { readonly log: Log; readonly unknownWorker: () => void };

  constructor(attempts: Attempts, heartbeats: Heartbeats, options: { readonly log: Log; readonly unknownWorker: () => void }) {
    this.#attempts = attempts;
    this.#heartbeats = heartbeats;
    this.#options = options;
  }

  /** @param carried the reports that the request brought: the leader has them now */
  heard(link: Link, sent: Sent, reply: Reply, carried: readonly Report[], current: boolean, nowMs: number): void {
    if (current && sent.free > 0) link.hungry = reply.leases.length >= sent.free;
    let isBusy = false;
    // First, because the lease of a rejected report comes with the same answer again.
    for (const { token, error } of reply.rejected) if (this.#rejected(link, carried, token ?? '', toRefusal(error))) isBusy = true;
    let news = carried.length + reply.revoked.length;
    for (const token of reply.revoked) this.#attempts.abort(link, token, 'revoked');
    for (const token of reply.cancel) if (this.#attempts.abort(link, token, 'cancelled')) news += 1;
    news += this.#take(link, reply.leases, sent, nowMs);
    // A leader that has nothing new lets a pull wait. One that does not is not to be asked in circles.
    const isIdle = current && news + link.outbox.waiting === 0 && nowMs < sent.sentMs + EARLY_MS;
    if (isBusy || isIdle) link.backOff(nowMs, Math.random());
    else link.heard();
  }

  /** @returns how many leases are begun */
  #take(link: Link, leases: readonly worker.Lease[], sent: Sent, nowMs: number): number {
    let taken = 0;
    for (const lease of leases) {
      const attempt = this.#attempts.take(link, lease, sent, nowMs);
      if (attempt === undefined) continue;
      taken += 1;
      this.#heartbeats.watch(attempt);
      // Leases of a superseded pull take slots that the open one offers: the leader counts them there as well.
      if (link.open !== undefined) link.open.free = Math.max(0, link.open.free - 1);
    }
    return taken;
  }

  /**
   * Refused as a whole: what it carried is kept and sent again. Where a report may be the reason, each goes in a request
   * of its own; only a request that held nothing else says that a report cannot be taken.
   */
  refused(link: Link, sent: Sent, refusal: Refusal, current: boolean, nowMs: number): void {
    const { code, message, retryable } = refusal;
    this.#options.log.debug({ partition: link.partition, code }, `a request was refused: ${message}`);
    if (isUnknown(refusal)) this.#options.unknownWorker();
    else if (!retryable) this.#options.log.error({ partition: link.partition, code }, `the leader refuses our request: ${message}`);
    if (!retryable && OF_CONTENT.has(code)) this.#suspect(link, sent, refusal);
    this.unheard(link, sent, current, nowMs);
  }

  #suspect(link: Link, sent: Sent, refusal: Refusal): void {
    const [report, ...others] = link.outbox.sentWith(sent.request);
    if (report === undefined) return;
    const isAlone = others.length === 0 && sent.seq === 0;
    if (isAlone) this.#rejected(link, link.outbox.answered(sent.request), report.token, refusal);
    else link.isolating = true;
  }

  unheard(link: Link, sent: Sent, current: boolean, nowMs: number): void {
    link.outbox.lost(sent.request);
    if (current || sent.free === 0) link.backOff(nowMs, Math.random());
  }

  /** @returns whether the leader may take the same report later */
  #rejected(link: Link, carried: readonly Report[], token: string, refusal: Refusal): boolean {
    const report = carried.find((candidate) => candidate.token === token);
    if (report === undefined || OVER.has(refusal.code)) return false;
    if (refusal.retryable) {
      link.outbox.add(report);
      return true;
    }
    this.#options.log.error({ token, code: refusal.code }, `the leader refuses the report: ${refusal.message}`);
    const instead = plainer(report, refusal.message);
    if (instead !== undefined) link.outbox.add(instead);
    return false;
  }
}

const toRefusal = (error: worker.RejectedReport.$Properties['error']): Refusal => ({
  code: error?.code ?? '',
  message: error?.message ?? '',
  retryable: error?.retryable ?? false,
});
