/**
 * Renews what is held: one timer for the process, a request per partition, every third of the shortest lease. A job that
 * ends before that costs no heartbeat. The reply brings cancels and revocations.
 */
import { worker } from '../protocols/messages.js';
import type { Attempt } from './performer/attempt.js';
import { Alarm } from './alarm.js';
import type { Attempts } from './attempts.js';
import type { WorkerIdentity } from './identity.js';
import type { Link } from './link.js';
import { isRefusal, isUnknown, readReply, type Answer, type Ask } from './wire.js';

const RETRY_MS = 250;

export interface HeartbeatsOptions {
  readonly ask: Ask;
  readonly identity: WorkerIdentity;
  readonly now: () => number;
  readonly led: (link: Link, epoch: number) => void;
  readonly unknownWorker: () => void;
}

export class Heartbeats {
  readonly #links: readonly Link[];
  readonly #attempts: Attempts;
  readonly #options: HeartbeatsOptions;
  readonly #alarm: Alarm;

  constructor(links: readonly Link[], attempts: Attempts, options: HeartbeatsOptions) {
    this.#links = links;
    this.#attempts = attempts;
    this.#options = options;
    this.#alarm = new Alarm((nowMs) => this.#beat(nowMs), options.now);
  }

  watch(attempt: Attempt): void {
    this.#alarm.by(attempt.renewDueMs);
  }

  stop(): void {
    this.#alarm.stop();
  }

  #beat(nowMs: number): number {
    // Past leases are lost, not renewed, however late this timer is.
    this.#attempts.deadlines.check(nowMs);
    let nextMs = Infinity;
    for (const link of this.#links) {
      const due: Attempt[] = [];
      for (const { attempt } of link.held.values()) {
        if (attempt === undefined || attempt.cause === 'leaseLost') continue;
        const { leaseMs } = attempt;
        // What is due soon goes along.
        if (attempt.renewDueMs <= nowMs + leaseMs / 6) {
          due.push(attempt);
          attempt.renewDueMs = nowMs + leaseMs / 3;
        }
        nextMs = Math.min(nextMs, attempt.renewDueMs);
      }
      if (due.length > 0) this.#renew(link, due, nowMs);
    }
    return nextMs;
  }

  #renew(link: Link, attempts: readonly Attempt[], sentMs: number): void {
    const { identity, ask } = this.#options;
    const { workerId, session, proof } = identity;
    const { partition } = link;
    const tokens = attempts.map((attempt) => attempt.lease.token);
    const shortestMs = Math.min(...attempts.map((attempt) => attempt.leaseMs));
    const request = worker.Heartbeat.encode({ workerId, session, proof, partition, tokens, progress: newProgress(attempts) }).finish();
    void ask('heartbeat', request, Math.ceil(shortestMs / 3)).then((answer) => this.#answered(link, attempts, sentMs, answer));
  }

  #answered(link: Link, attempts: readonly Attempt[], sentMs: number, answer: Answer): void {
    const nowMs = this.#options.now();
    this.#attempts.deadlines.check(nowMs);
    const reply = answer.refusal ?? readReply(answer.data);
    if (isRefusal(reply)) {
      if (isUnknown(reply)) this.#options.unknownWorker();
      this.#again(attempts, nowMs);
      return;
    }
    if (reply.epoch < link.epoch) return this.#again(attempts, nowMs);
    this.#options.led(link, reply.epoch);
    const revoked = new Set(reply.revoked);
    for (const attempt of attempts) {
      if (!revoked.has(attempt.lease.token)) attempt.leaseDueMs = Math.max(attempt.leaseDueMs, sentMs + attempt.leaseMs);
    }
    for (const token of reply.revoked) this.#attempts.abort(link, token, 'revoked');
    for (const token of reply.cancel) this.#attempts.abort(link, token, 'cancelled');
  }

  #again(attempts: readonly Attempt[], nowMs: number): void {
    for (const attempt of attempts) {
      const retryMs = Math.min(RETRY_MS, attempt.leaseMs / 6);
      attempt.renewDueMs = Math.min(attempt.renewDueMs, nowMs + retryMs);
      attempt.toldProgress = undefined;
      this.#alarm.by(attempt.renewDueMs);
    }
  }
}

function newProgress(attempts: readonly Attempt[]): worker.Progress.$Properties[] {
  const told: worker.Progress.$Properties[] = [];
  for (const attempt of attempts) {
    if (attempt.progress === undefined || attempt.progress === attempt.toldProgress) continue;
    attempt.toldProgress = attempt.progress;
    told.push({ token: attempt.lease.token, ...attempt.progress });
  }
  return told;
}
