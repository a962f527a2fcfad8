/**
 * Asks each partition's leader for work: free slots, held leases and finished attempts go in, leases come out. What
 * finishes while a pull waits at the leader goes at once with another pull, which supersedes the first. Everything that
 * finished in one turn of the event loop shares a request; while a superseded pull is unanswered, reports gather, so that
 * a busy leader gets fewer and larger requests.
 */
import { encoded } from '../protocols/encoded.js';
import { LIMITS } from '../protocols/limits.js';
import { worker } from '../protocols/messages.js';
import type { Report } from './performer/outcome.js';
import type { Log } from './performer/performer.js';
import { Alarm } from './alarm.js';
import { Answers, type Sent } from './answers.js';
import type { Attempts } from './attempts.js';
import type { Heartbeats } from './heartbeats.js';
import type { WorkerIdentity } from './identity.js';
import type { Link } from './link.js';
import { allot, type Offered } from './slots.js';
import { isRefusal, readReply, type Answer, type Ask } from './wire.js';

/** With several partitions pulls are short, so that slots move to where the work is. */
const SHARED_EXPIRES_MS = 250;
/** How long an answer may be late: the leader's commit, the network. */
const MARGIN_MS = 1_000;
const REPORT_TIMEOUT_MS = 2_000;
/** For how long reports gather at most when the superseded pull's answer is lost. */
const GATHER_MS = 50;

export interface PullsOptions {
  readonly ask: Ask;
  readonly identity: WorkerIdentity;
  /** For the reports of one request. */
  readonly maxRequestBytes: number;
  readonly now: () => number;
  readonly log: Log;
  readonly newEpoch: (link: Link) => void;
  readonly unknownWorker: () => void;
}

export class Pulls {
  /** Whether work is asked for. Reports are sent in any case. */
  #asking = false;
  #turn = 0;
  #scheduled = false;
  readonly #links: readonly Link[];
  readonly #attempts: Attempts;
  readonly #answers: Answers;
  readonly #options: PullsOptions;
  readonly #wake: Alarm;

  constructor(links: readonly Link[], attempts: Attempts, heartbeats: Heartbeats, options: PullsOptions) {
    this.#links = links;
    this.#attempts = attempts;
    this.#answers = new Answers(attempts, heartbeats, options);
    this.#options = options;
    this.#wake = new Alarm(() => (this.changed(), Infinity), options.now);
  }

  resume(): void {
    this.#asking = true;
    this.changed();
  }

  pause(): void {
    this.#asking = false;
  }

  stop(): void {
    this.pause();
    this.#wake.stop();
  }

  /** The connection is a new one. */
  reconnected(): void {
    for (const link of this.#links) link.startOver();
    this.changed();
  }

  /** A leader with a higher epoch was seen; what was sent to the one before may be lost. */
  led(link: Link, epoch: number): void {
    if (epoch <= link.epoch) return;
    const first = link.epoch === 0;
    link.epoch = epoch;
    if (first) return;
    link.startOver();
    this.#options.newEpoch(link);
    this.changed();
  }

  /** Word of a new leader that did not come from it: a reason to ask again at once, no more. */
  nudge(link: Link, epoch: number): void {
    if (epoch <= link.epoch || link.open === undefined) return;
    link.startOver();
    this.changed();
  }

  /** A slot or a report is there: looked at once the event loop has run what it has. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    this.#scheduled = false;
    const nowMs = this.#options.now();
    this.#attempts.deadlines.check(nowMs);
    const extra = this.#asking ? this.#allot(nowMs) : [];
    for (const [index, link] of this.#links.entries()) this.#serve(link, extra[index] ?? 0, nowMs);
  }

  #allot(nowMs: number): readonly number[] {
    const offered = this.#links.map(
      (link): Offered => ({
        open: link.open?.free,
        hungry: link.hungry,
        ready: this.#mayQuietlySend(link, nowMs),
        sending: link.outbox.waiting > 0,
      }),
    );
    const { extra, turn } = allot(this.#attempts.capacity, this.#attempts.busy.size, offered, this.#turn);
    this.#turn = turn;
    return extra;
  }

  #mayQuietlySend(link: Link, nowMs: number): boolean {
    return nowMs >= link.readyMs && nowMs >= (link.superseded?.untilMs ?? -Infinity);
  }

  #serve(link: Link, extra: number, nowMs: number): void {
    if (extra === 0 && link.outbox.waiting === 0 && nowMs >= link.readyMs) return;
    if (!this.#mayQuietlySend(link, nowMs)) {
      this.#wake.by(Math.max(link.readyMs, link.superseded?.untilMs ?? 0));
      return;
    }
    const free = (link.open?.free ?? 0) + extra;
    const isPulling = this.#asking && free > 0 && (extra > 0 || !link.isolating);
    if (link.outbox.waiting > 0 && (link.isolating || !isPulling)) this.#report(link, nowMs);
    if (isPulling) this.#pull(link, free, nowMs);
  }

  #pull(link: Link, free: number, sentMs: number): void {
    const { workerId, session, proof } = this.#options.identity;
    const seq = (link.pullSeq += 1);
    const request = (link.requests += 1);
    if (link.open !== undefined) link.superseded = { seq: link.open.seq, untilMs: sentMs + GATHER_MS };
    link.open = { seq, free };
    const expiresMs = this.#links.length > 1 ? SHARED_EXPIRES_MS : LIMITS.pullExpiresMs;
    const reports = link.isolating ? [] : this.#collect(link, request, LIMITS.pullReports);
    const held = [...link.held.keys()];
    const { partition } = link;
    const bytes = encoded(worker.Pull, { workerId, session, proof, partition, pullSeq: seq, free, expiresMs, held, reports });
    this.#send(link, 'pull', bytes, { request, seq, free, sentMs, timeoutMs: expiresMs + MARGIN_MS });
    if (link.outbox.waiting > 0) this.changed();
  }

  #report(link: Link, sentMs: number): void {
    const { workerId, session, proof } = this.#options.identity;
    const request = (link.requests += 1);
    const reports = this.#collect(link, request, link.isolating ? 1 : LIMITS.pullReports);
    const bytes = encoded(worker.ReportAttempts, { workerId, session, proof, partition: link.partition, reports });
    this.#send(link, 'report', bytes, { request, seq: 0, free: 0, sentMs, timeoutMs: REPORT_TIMEOUT_MS });
    if (link.outbox.waiting > 0) this.changed();
  }

  #collect(link: Link, request: number, most: number): Report[] {
    return link.outbox.take(request, most, this.#options.maxRequestBytes);
  }

  #send(link: Link, verb: 'pull' | 'report', bytes: Uint8Array, sent: Sent): void {
    void this.#options.ask(verb, bytes, sent.timeoutMs).then((answer) => this.#answered(link, sent, answer));
  }

  #answered(link: Link, sent: Sent, answer: Answer): void {
    const nowMs = this.#options.now();
    this.#attempts.deadlines.check(nowMs);
    const reply = answer.refusal ?? readReply(answer.data);
    const current = link.open?.seq === sent.seq;
    if (current) link.open = undefined;
    if (link.superseded !== undefined && link.superseded.seq <= sent.seq) link.superseded = undefined;
    if (isRefusal(reply)) this.#answers.refused(link, sent, reply, current, nowMs);
    else if (reply.epoch < link.epoch) this.#answers.unheard(link, sent, current, nowMs);
    else {
      const carried = link.outbox.answered(sent.request);
      this.led(link, reply.epoch);
      this.#answers.heard(link, sent, reply, carried, current, nowMs);
    }
    this.changed();
  }
}
