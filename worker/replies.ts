/** Applies the reply to a pull or a report: starts and stops attempts, keeps or replaces refused reports, backs off. */
import type { worker } from '../protocols/messages.js';
import { plainer, type AttemptReport } from './performer/outcome.js';
import type { Log } from './performer/performer.js';
import type { RunningAttempts } from './running-attempts.js';
import type { Heartbeats } from './heartbeats.js';
import type { Link } from './link.js';
import { isUnknown, type PullReply, type RequestError } from './wire.js';

/** Rejections of a report that mean: the attempt no longer counts. */
const OVER = new Set(['STALE_ATTEMPT', 'ALREADY_ENDED', 'NOT_FOUND']);
/** Refusals of a request that one of its reports may have caused. Other refusals say nothing about the reports. */
const OF_CONTENT = new Set(['MALFORMED', 'INVALID_ARGUMENT', 'TOO_LARGE']);
/** An empty reply that comes earlier than this is not that of a pull which waited at the leader. */
const EARLY_MS = 100;

/** The request that a reply belongs to. */
export interface Sent {
  readonly request: number;
  /** Of a pull; 0 for reports alone. */
  readonly seq: number;
  readonly free: number;
  /** On the monotonic clock. */
  readonly sentMs: number;
  readonly timeoutMs: number;
  readonly load?: boolean;
}

export interface RepliesOptions {
  readonly log: Log;
  readonly unknownWorker: () => void;
  readonly drainAsked: () => void;
}

export class Replies {
  constructor(
    private readonly attempts: RunningAttempts,
    private readonly heartbeats: Heartbeats,
    private readonly options: RepliesOptions,
  ) {}

  /**
   * @param carried the reports of the request: the leader has them now
   * @param current whether the request is the open pull
   */
  accepted(
    link: Link,
    sent: Sent,
    reply: PullReply,
    carried: readonly AttemptReport[],
    current: boolean,
    nowMs: number,
  ): void {
    if (reply.drain) this.options.drainAsked();
    if (current && sent.free > 0) link.hungry = reply.leases.length >= sent.free;
    let isBusy = false;
    // Before the leases are taken, because the lease of a rejected report is in the same reply again.
    for (const { token, error } of reply.rejected) {
      if (this.rejected(link, carried, token ?? '', toRequestError(error))) isBusy = true;
    }
    let news = carried.length + reply.revoked.length;
    for (const token of reply.revoked) this.attempts.abort(link, token, 'revoked');
    for (const token of reply.cancel) if (this.attempts.abort(link, token, 'cancelled')) news += 1;
    news += this.take(link, reply.leases, sent, nowMs);
    // A leader without news holds a pull open. If it replies at once all the same, wait, to avoid a busy loop.
    const isIdle = current && news + link.pending.waiting === 0 && nowMs < sent.sentMs + EARLY_MS;
    if (isBusy || isIdle) link.backOff(nowMs, Math.random());
    else link.endBackOff();
  }

  /** @returns how many leases were started */
  private take(link: Link, leases: readonly worker.Lease[], sent: Sent, nowMs: number): number {
    let taken = 0;
    for (const lease of leases) {
      const attempt = this.attempts.take(link, lease, sent, nowMs);
      if (attempt === undefined) continue;
      taken += 1;
      this.heartbeats.watch(attempt);
      // Leases of a superseded pull take slots that the open one offers: the leader counts them there as well.
      if (link.open !== undefined) link.open.free = Math.max(0, link.open.free - 1);
    }
    return taken;
  }

  /**
   * The request was refused as a whole: its reports are kept and sent again. Where a report may be the reason, each is
   * sent in a separate request, because only a request with a single report shows which one is refused.
   */
  refused(link: Link, sent: Sent, refusal: RequestError, current: boolean, nowMs: number): void {
    const { code, message, retryable } = refusal;
    this.options.log.debug({ partition: link.partition, code }, `the leader refused a request: ${message}`);
    if (isUnknown(refusal)) this.options.unknownWorker();
    else if (!retryable) {
      this.options.log.error({ partition: link.partition, code }, `the leader refused a request: ${message}`);
    }
    if (!retryable && OF_CONTENT.has(code)) this.isolate(link, sent, refusal);
    this.unanswered(link, sent, current, nowMs);
  }

  private isolate(link: Link, sent: Sent, refusal: RequestError): void {
    const [report, ...others] = link.pending.sentWith(sent.request);
    if (report === undefined) return;
    const isAlone = others.length === 0 && sent.seq === 0;
    if (isAlone) this.rejected(link, link.pending.answered(sent.request), report.token, refusal);
    else link.isolating = true;
  }

  unanswered(link: Link, sent: Sent, current: boolean, nowMs: number): void {
    link.pending.lost(sent.request);
    if (current || sent.free === 0) link.backOff(nowMs, Math.random());
  }

  /** @returns whether the leader may accept the same report later */
  private rejected(link: Link, carried: readonly AttemptReport[], token: string, refusal: RequestError): boolean {
    const report = carried.find((candidate) => candidate.token === token);
    if (report === undefined || OVER.has(refusal.code)) return false;
    if (refusal.retryable) {
      link.pending.add(report);
      return true;
    }
    this.options.log.error({ token, code: refusal.code }, `the leader refused a report: ${refusal.message}`);
    const instead = plainer(report, refusal.message);
    if (instead !== undefined) link.pending.add(instead);
    return false;
  }
}

const toRequestError = (error: worker.RejectedReport.$Properties['error']): RequestError => ({
  code: error?.code ?? '',
  message: error?.message ?? '',
  retryable: error?.retryable ?? false,
});
