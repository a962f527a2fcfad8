/** What an answer to a pull or a report means for the attempts here, and for what is sent next. */
import { LIMITS } from '../../protocols/limits.js';
import type { worker } from '../../protocols/messages.js';
import { resultInvalid, type Report } from '../performer/outcome.js';
import type { Log } from '../performer/performer.js';
import type { Attempts } from './attempts.js';
import type { Heartbeats } from './heartbeats.js';
import type { Link } from './link.js';
import { isUnknown, type Refusal, type Reply } from './wire.js';

/** Rejections that say: nobody waits for this attempt. */
const OVER = new Set(['STALE_ATTEMPT', 'ALREADY_ENDED', 'NOT_FOUND']);
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
    // A leader that has nothing lets a pull wait. One that does not is not to be asked in circles.
    if (current && carried.length === 0 && isEmpty(reply) && nowMs < sent.sentMs + EARLY_MS) link.backOff(nowMs, Math.random());
    else link.heard();
    link.maxReports = LIMITS.pullReports;
    if (current && sent.free > 0) link.hungry = reply.leases.length >= sent.free;
    for (const { token, error } of reply.rejected) this.#rejected(link, carried, token ?? '', toRefusal(error), nowMs);
    for (const token of reply.revoked) this.#attempts.abort(link, token, 'revoked');
    for (const token of reply.cancel) this.#attempts.abort(link, token, 'cancelled');
    this.#take(link, reply.leases, sent.sentMs, nowMs);
  }

  #take(link: Link, leases: readonly worker.Lease[], sentMs: number, nowMs: number): void {
    let taken = 0;
    for (const lease of leases) {
      const attempt = this.#attempts.take(link, lease, sentMs, nowMs);
      if (attempt === undefined) continue;
      taken += 1;
      this.#heartbeats.watch(attempt);
      // Leases of a superseded pull take slots that the open one offers: the leader counts them there as well.
      if (link.open !== undefined) link.open.free = Math.max(0, link.open.free - 1);
    }
    // Nothing but what we know: asking again at once would bring the same again.
    if (leases.length > 0 && taken === 0 && link.outbox.waiting === 0) link.backOff(nowMs, Math.random());
  }

  /** Refused as a whole, or not answered: sent again later, one report at a time if it may be a report's fault. */
  refused(link: Link, sent: Sent, refusal: Refusal, current: boolean, nowMs: number): void {
    const { code, message, retryable } = refusal;
    this.#options.log.debug({ partition: link.partition, code }, `a request was refused: ${message}`);
    if (isUnknown(refusal)) this.#options.unknownWorker();
    if (retryable || isUnknown(refusal)) return this.unheard(link, sent, current, nowMs);
    this.#options.log.error({ partition: link.partition, code }, `the leader refuses our request: ${message}`);
    const carried = link.outbox.answered(sent.request);
    if (carried.length === 1) this.#rejected(link, carried, carried[0]!.token, refusal, nowMs);
    else for (const report of carried) link.outbox.add(report);
    link.maxReports = 1;
    link.backOff(nowMs, Math.random());
  }

  unheard(link: Link, sent: Sent, current: boolean, nowMs: number): void {
    link.outbox.lost(sent.request);
    if (current || sent.free === 0) link.backOff(nowMs, Math.random());
  }

  #rejected(link: Link, carried: readonly Report[], token: string, refusal: Refusal, nowMs: number): void {
    const report = carried.find((candidate) => candidate.token === token);
    if (report === undefined || OVER.has(refusal.code)) return;
    if (refusal.retryable) {
      link.outbox.add(report);
      link.backOff(nowMs, Math.random());
      return;
    }
    this.#options.log.error({ token, code: refusal.code }, `the leader refuses the report: ${refusal.message}`);
    if (report.outcome === 'ok') link.outbox.add(resultInvalid(token, `the leader refused the result: ${refusal.message}`));
  }
}

const isEmpty = ({ leases, cancel, revoked, rejected }: Reply): boolean =>
  leases.length + cancel.length + revoked.length + rejected.length === 0;

const toRefusal = (error: worker.RejectedReport.$Properties['error']): Refusal => ({
  code: error?.code ?? '',
  message: error?.message ?? '',
  retryable: error?.retryable ?? false,
});
