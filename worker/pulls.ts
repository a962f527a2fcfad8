/**
 * Pulls work from the leader of each partition. A pull carries free slots, held leases and reports; its reply carries
 * leases. A report that is ready while a pull is open is sent at once in another pull, which supersedes the first.
 * Reports of one turn of the event loop share a request, and while a superseded pull is unanswered reports are batched,
 * so that a busy leader gets fewer and larger requests.
 */
import { encoded } from '../protocols/encoded.js';
import { LIMITS } from '../protocols/limits.js';
import { worker } from '../protocols/messages.js';
import type { AttemptReport } from './performer/outcome.js';
import type { Log } from './performer/performer.js';
import { Alarm } from './alarm.js';
import type { RunningAttempts } from './running-attempts.js';
import type { Heartbeats } from './heartbeats.js';
import type { WorkerIdentity } from './identity.js';
import type { Link } from './link.js';
import type { LoadMeter } from './load-meter.js';
import { Replies, type Sent } from './replies.js';
import { allot, type Offered } from './slots.js';
import { isRequestError, readPullReply, type WireReply, type SendRequest } from './wire.js';

/** With several partitions pulls are short, so that idle slots can be offered to another partition. */
const SHARED_EXPIRES_MS = 250;
/** How much later than `expiresMs` a reply may come: the leader's commit, the network. */
const MARGIN_MS = 1_000;
const REPORT_TIMEOUT_MS = 2_000;
/** The longest that reports are batched for, in case the reply to the superseded pull is lost. */
const BATCH_MS = 50;

export interface PullsOptions {
  readonly send: SendRequest;
  readonly identity: WorkerIdentity;
  /** Bounds the reports of one request. */
  readonly maxRequestBytes: number;
  readonly now: () => number;
  readonly log: Log;
  readonly newEpoch: (link: Link) => void;
  readonly unknownWorker: () => void;
  /** An operator drains this worker. */
  readonly drainAsked: () => void;
  readonly load: LoadMeter;
}

export class Pulls {
  /** Whether to pull work. Reports are sent in any case. */
  private pulling = false;
  private turn = 0;
  private scheduled = false;
  private readonly replies: Replies;
  private readonly wake: Alarm;

  constructor(
    private readonly links: readonly Link[],
    private readonly attempts: RunningAttempts,
    heartbeats: Heartbeats,
    private readonly options: PullsOptions,
  ) {
    this.replies = new Replies(attempts, heartbeats, options);
    this.wake = new Alarm(() => (this.changed(), Infinity), options.now);
  }

  resume(): void {
    this.pulling = true;
    this.changed();
  }

  pause(): void {
    this.pulling = false;
  }

  stop(): void {
    this.pause();
    this.wake.stop();
  }

  /** The connection was lost and is back. */
  reconnected(): void {
    for (const link of this.links) link.startOver();
    this.changed();
  }

  /** A reply came from a leader of this epoch. If the epoch is new, requests to the former leader may be lost. */
  sawEpoch(link: Link, epoch: number): void {
    if (epoch <= link.epoch) return;
    const first = link.epoch === 0;
    link.epoch = epoch;
    if (first) return;
    link.startOver();
    this.options.newEpoch(link);
    this.changed();
  }

  /** A published event names a new leader. It is a hint to pull again at once; only a reply sets the epoch. */
  nudge(link: Link, epoch: number): void {
    if (epoch <= link.epoch || link.open === undefined) return;
    link.startOver();
    this.changed();
  }

  /** A slot is free or a report is ready: acted on at the end of this turn of the event loop. */
  changed(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.pump());
  }

  private pump(): void {
    this.scheduled = false;
    const nowMs = this.options.now();
    this.attempts.deadlines.check(nowMs);
    const extra = this.pulling ? this.allot(nowMs) : [];
    for (const [index, link] of this.links.entries()) this.serve(link, extra[index] ?? 0, nowMs);
  }

  private allot(nowMs: number): readonly number[] {
    const offered = this.links.map(
      (link): Offered => ({
        open: link.open?.free,
        hungry: link.hungry,
        ready: this.mayQuietlySend(link, nowMs),
        sending: link.pending.waiting > 0,
      }),
    );
    const { extra, turn } = allot(this.attempts.capacity, this.attempts.busy.size, offered, this.turn);
    this.turn = turn;
    return extra;
  }

  private mayQuietlySend(link: Link, nowMs: number): boolean {
    return nowMs >= link.readyMs && nowMs >= (link.superseded?.untilMs ?? -Infinity);
  }

  private serve(link: Link, extra: number, nowMs: number): void {
    if (extra === 0 && link.pending.waiting === 0 && nowMs >= link.readyMs) return;
    if (!this.mayQuietlySend(link, nowMs)) {
      this.wake.by(Math.max(link.readyMs, link.superseded?.untilMs ?? 0));
      return;
    }
    const free = (link.open?.free ?? 0) + extra;
    const isPulling = this.pulling && free > 0 && (extra > 0 || !link.isolating);
    if (link.pending.waiting > 0 && (link.isolating || !isPulling)) this.report(link, nowMs);
    if (isPulling) this.pull(link, free, nowMs);
  }

  private pull(link: Link, free: number, sentMs: number): void {
    const { workerId, session, proof } = this.options.identity;
    const seq = (link.pullSeq += 1);
    const request = (link.requests += 1);
    if (link.open !== undefined) link.superseded = { seq: link.open.seq, untilMs: sentMs + BATCH_MS };
    link.open = { seq, free };
    const expiresMs = this.links.length > 1 ? SHARED_EXPIRES_MS : LIMITS.pullExpiresMs;
    const reports = link.isolating ? [] : this.collect(link, request, LIMITS.pullReports);
    const held = [...link.held.keys()];
    const { partition } = link;
    const load = this.options.load.due(partition, sentMs);
    const who = { workerId, session, proof, partition };
    const pull = { ...who, pullSeq: seq, free, expiresMs, held, reports, ...(load && { load }) };
    const sent = { request, seq, free, sentMs, timeoutMs: expiresMs + MARGIN_MS, load: load !== undefined };
    this.send(link, 'pull', encoded(worker.Pull, pull), sent);
    if (link.pending.waiting > 0) this.changed();
  }

  private report(link: Link, sentMs: number): void {
    const { workerId, session, proof } = this.options.identity;
    const request = (link.requests += 1);
    const reports = this.collect(link, request, link.isolating ? 1 : LIMITS.pullReports);
    const bytes = encoded(worker.ReportAttempts, { workerId, session, proof, partition: link.partition, reports });
    this.send(link, 'report', bytes, { request, seq: 0, free: 0, sentMs, timeoutMs: REPORT_TIMEOUT_MS });
    if (link.pending.waiting > 0) this.changed();
  }

  private collect(link: Link, request: number, most: number): AttemptReport[] {
    return link.pending.take(request, most, this.options.maxRequestBytes);
  }

  private send(link: Link, verb: 'pull' | 'report', bytes: Uint8Array, sent: Sent): void {
    link.sentMs = sent.sentMs;
    void this.options.send(verb, bytes, sent.timeoutMs).then((reply) => this.answered(link, sent, reply));
  }

  private answered(link: Link, sent: Sent, { data, refusal }: WireReply): void {
    const nowMs = this.options.now();
    this.attempts.deadlines.check(nowMs);
    const reply = refusal ?? readPullReply(data);
    const current = link.open?.seq === sent.seq;
    if (current) link.open = undefined;
    if (link.superseded !== undefined && link.superseded.seq <= sent.seq) link.superseded = undefined;
    if (isRequestError(reply) && this.options.load.refused(reply.code, sent.load === true)) {
      link.pending.lost(sent.request);
    } else if (isRequestError(reply)) this.replies.refused(link, sent, reply, current, nowMs);
    else if (reply.epoch < link.epoch) this.replies.unanswered(link, sent, current, nowMs);
    else {
      const carried = link.pending.answered(sent.request);
      this.sawEpoch(link, reply.epoch);
      this.replies.accepted(link, sent, reply, carried, current, nowMs);
    }
    this.changed();
  }
}
