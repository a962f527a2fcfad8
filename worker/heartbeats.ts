/**
 * Renews leases: one timer for the process, one request per partition, every third of the shortest lease. A job that
 * ends before then costs no heartbeat. Replies carry cancellations and revocations. While attempts run, a partition
 * that would hear nothing gets an empty one, so that it does not take the worker for gone.
 */
import { worker } from '../protocols/messages.js';
import type { Attempt } from './performer/attempt.js';
import { Alarm } from './alarm.js';
import type { RunningAttempts } from './running-attempts.js';
import type { WorkerIdentity } from './identity.js';
import type { Link } from './link.js';
import type { LoadMeter } from './load-meter.js';
import { isRequestError, isUnknown, readPullReply, type WireReply, type SendRequest } from './wire.js';

const RETRY_MS = 250;
const KEEP_ALIVE_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 2_000;

export interface HeartbeatsOptions {
  readonly send: SendRequest;
  readonly identity: WorkerIdentity;
  readonly now: () => number;
  readonly sawEpoch: (link: Link, epoch: number) => void;
  readonly unknownWorker: () => void;
  readonly drainAsked: () => void;
  readonly load: LoadMeter;
}

export class Heartbeats {
  private readonly alarm: Alarm;

  constructor(
    private readonly links: readonly Link[],
    private readonly attempts: RunningAttempts,
    private readonly options: HeartbeatsOptions,
  ) {
    this.alarm = new Alarm((nowMs) => this.beat(nowMs), options.now);
  }

  watch(attempt: Attempt): void {
    this.alarm.by(attempt.renewDueMs);
  }

  stop(): void {
    this.alarm.stop();
  }

  private beat(nowMs: number): number {
    // A lease that has run out is lost, even if only because this timer fired late.
    this.attempts.deadlines.check(nowMs);
    let nextMs = Infinity;
    for (const link of this.links) {
      const due: Attempt[] = [];
      for (const { attempt } of link.held.values()) {
        if (attempt === undefined || attempt.cause === 'leaseLost') continue;
        const { leaseMs } = attempt;
        // A lease that is due soon is renewed in the same request.
        if (attempt.renewDueMs <= nowMs + leaseMs / 6) {
          due.push(attempt);
          attempt.renewDueMs = nowMs + leaseMs / 3;
        }
        nextMs = Math.min(nextMs, attempt.renewDueMs);
      }
      const isForgotten = link.open === undefined && nowMs >= link.sentMs + KEEP_ALIVE_MS;
      if (due.length > 0 || isForgotten) this.renew(link, due, nowMs);
      nextMs = Math.min(nextMs, link.open === undefined ? link.sentMs + KEEP_ALIVE_MS : nowMs + KEEP_ALIVE_MS);
    }
    return nextMs;
  }

  private renew(link: Link, attempts: readonly Attempt[], sentMs: number): void {
    const { workerId, session, proof } = this.options.identity;
    const { partition } = link;
    const tokens = attempts.map((attempt) => attempt.lease.token);
    const shortestMs = Math.min(3 * KEEP_ALIVE_TIMEOUT_MS, ...attempts.map((attempt) => attempt.leaseMs));
    const progress = newProgress(attempts);
    const load = this.options.load.due(partition, sentMs);
    const heartbeat = { workerId, session, proof, partition, tokens, progress, ...(load && { load }) };
    link.sentMs = sentMs;
    void this.options
      .send('heartbeat', worker.Heartbeat.encode(heartbeat).finish(), Math.ceil(shortestMs / 3))
      .then((reply) => this.answered(link, attempts, sentMs, load !== undefined, reply));
  }

  private answered(
    link: Link, attempts: readonly Attempt[], sentMs: number, hadLoad: boolean, { data, refusal }: WireReply,
  ): void {
    const nowMs = this.options.now();
    this.attempts.deadlines.check(nowMs);
    const reply = refusal ?? readPullReply(data);
    if (isRequestError(reply)) {
      this.options.load.refused(reply.code, hadLoad);
      if (isUnknown(reply)) this.options.unknownWorker();
      this.retry(attempts, nowMs);
      return;
    }
    if (reply.epoch < link.epoch) return this.retry(attempts, nowMs);
    this.options.sawEpoch(link, reply.epoch);
    if (reply.drain) this.options.drainAsked();
    const revoked = new Set(reply.revoked);
    for (const attempt of attempts) {
      if (revoked.has(attempt.lease.token)) continue;
      attempt.leaseDueMs = Math.max(attempt.leaseDueMs, sentMs + attempt.leaseMs);
    }
    for (const token of reply.revoked) this.attempts.abort(link, token, 'revoked');
    for (const token of reply.cancel) this.attempts.abort(link, token, 'cancelled');
  }

  private retry(attempts: readonly Attempt[], nowMs: number): void {
    for (const attempt of attempts) {
      const retryMs = Math.min(RETRY_MS, attempt.leaseMs / 6);
      attempt.renewDueMs = Math.min(attempt.renewDueMs, nowMs + retryMs);
      attempt.sentProgress = undefined;
      this.alarm.by(attempt.renewDueMs);
    }
  }
}

function newProgress(attempts: readonly Attempt[]): worker.Progress.$Properties[] {
  const news: worker.Progress.$Properties[] = [];
  for (const attempt of attempts) {
    if (attempt.progress === undefined || attempt.progress === attempt.sentProgress) continue;
    attempt.sentProgress = attempt.progress;
    news.push({ token: attempt.lease.token, ...attempt.progress });
  }
  return news;
}
