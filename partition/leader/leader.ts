/**
 * A leader: runs the core of a partition in real time, and appends its commits to the journal one at a time. While one
 * is in flight the next is gathered. A reply is sent after the commit that it depends on is acknowledged.
 */
import { reject, RepriseError, type Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import { headerAfter } from '../../streams/commit.js';
import type { Appended, Journal } from '../../streams/journal.js';
import type { Effect } from '../../actors/effect.js';
import type { Command, From } from '../../actors/command.js';
import type { Kind, Role } from '../../actors/kind.js';
import { refused, sendReply, unreadable, type Releasing, type ReplyTo } from '../../actors/reply.js';
import type { Step } from '../../actors/step.js';
import type { Batch } from '../core/batch.js';
import type { PendingAppend } from '../../streams/settle.js';
import { receive, settle, type Delivery } from '../core/deliveries.js';
import { Courier } from './courier.js';
import { Deciding } from './deciding.js';
import type { LeaderOptions } from './leader-options.js';
import { LeaderTime } from './leader-time.js';
import { askForSnapshot, release } from './release.js';
import { Waiters } from './waiters.js';

const TICK_MS = 50;

/** Why a leader ended. `pending`: the ambiguous commit, which must be settled first. */
export type Lost =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'refused'; readonly why: 'fenced' | 'full' | 'other'; readonly message: string }
  | { readonly kind: 'ambiguous'; readonly message: string; readonly pending: PendingCommit | undefined }
  | { readonly kind: 'broken'; readonly error: unknown };

/** A commit that is not acknowledged yet. */
export interface PendingCommit extends PendingAppend {
  readonly batch: Batch;
}

export class Leader {
  readonly lost: Promise<Lost>;
  head: Head;
  private readonly waiters: Waiters;
  private readonly time: LeaderTime;
  private readonly deciding: Deciding;
  private readonly courier: Courier;
  private readonly ticking: NodeJS.Timeout;
  private inFlight: PendingCommit | undefined;
  private scheduled = false;
  private stopping = false;
  private ended: Lost | undefined;
  private readonly end: (lost: Lost) => void;
  private idle: (() => void) | undefined;

  constructor(private readonly options: LeaderOptions) {
    this.head = options.head;
    let end: (lost: Lost) => void = () => {};
    this.lost = new Promise((resolve) => (end = resolve));
    this.end = end;
    this.waiters = new Waiters(({ to, wait }, answers) => {
      release(to, () => wait.reply(answers, this.releasing(this.head)));
    });
    this.time = new LeaderTime(options);
    this.deciding = new Deciding(options, (error) => this.lose({ kind: 'broken', error }));
    this.deciding.lead(this.time.moment());
    this.courier = this.newCourier();
    this.courier.run();
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    const message = 'the connection was lost';
    void options.journal.closed.then(() => this.lose({ kind: 'ambiguous', message, pending: this.inFlight }));
  }

  get partition(): Partition {
    return this.options.core.state.partition;
  }

  get epoch(): number {
    return this.head.epoch;
  }

  /** For how long a repeated command is recognized. */
  get commandWindowMs(): number {
    const { state, nowMs } = this.options.core;
    return state.commands.windowMs(nowMs);
  }

  /** @param checked the command's request */
  handle(command: Command, checked: object, from: From): void {
    const prepared = command.prepare?.(checked, this.releasing(this.head));
    if (prepared === undefined) return this.decide(from.to, (step) => command.decide(step, checked, from));
    void prepared.then(
      (whole) => this.decide(from.to, (step) => command.decide(step, whole, from)),
      (error: unknown) => sendReply(from.to, refused(unreadable(error))),
    );
  }

  /** @param decideIt the decision of a command, which answers or refuses `to` */
  decide(to: ReplyTo, decideIt: (step: Step) => void): void {
    if (this.ended) return sendReply(to, refused(notLeader));
    this.step(to, decideIt);
  }

  read<R extends Role>(kind: Kind<R>): R['reading'] {
    return this.options.core.read(kind);
  }

  /** Commands of another partition's actors. */
  receive(delivery: Delivery, to: ReplyTo): void {
    const { core, receiving } = this.options;
    this.decide(to, () => receive(core, delivery, receiving, to));
  }

  /** Takes no more commands, writes what was decided, and ends. */
  async stop(): Promise<void> {
    if (this.ended) return;
    clearInterval(this.ticking);
    // What goes on in slices would keep it from ever ending.
    this.stopping = true;
    this.courier.end();
    while (!this.ended && (this.inFlight || this.scheduled)) await new Promise<void>((done) => (this.idle = done));
    this.lose({ kind: 'stopped' });
  }

  /** For the host, when it has settled a pending commit as written: sends its replies. */
  releaseSettled({ batch, bytes }: PendingCommit, head: Head): void {
    this.options.bytes.put(batch.seq, bytes);
    this.release(batch, head);
    this.waiters.sendAll();
  }

  private newCourier(): Courier {
    const { core, deliver, maxCommitBytes, clock, onUndelivered } = this.options;
    return new Courier({
      partition: this.partition, outbox: core.state.outbox, deliver, maxBytes: maxCommitBytes, onUndelivered,
      monoMs: () => clock.monoMs(),
      origin: () => core.state.journalId, committedSeq: () => this.head.seq,
      settle: (to, upToSeq, refusals) =>
        this.run(() => core.step(this.time.moment(), () => settle(core, to, upToSeq, refusals))),
    });
  }

  private step(to: ReplyTo, decideIt: (step: Step) => void): void {
    this.run(() => this.options.core.step(this.time.moment(), decideIt), to);
  }

  private run(input: () => void, to?: ReplyTo): void {
    if (!this.deciding.run(input, to)) return;
    if (!this.scheduled && !this.inFlight) this.schedule();
  }

  private tick(): void {
    for (const { to, reply } of this.waiters.takeExpired(this.options.clock.monoMs())) this.step(to, reply);
    this.run(() => this.options.core.tick(this.time.moment()));
    this.time.look();
    if (!this.inFlight) this.options.snapshots?.idle(this.options.core, this.head);
  }

  /** Writes after all requests that have arrived by now, so that they share the commit. */
  private schedule(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.write();
    });
  }

  /**
   * Appends the next commit, if there is one. The replies of the one before are sent directly after it, so that the
   * server syncs meanwhile: microtasks run in order, and the client sends the append in one that is queued by then.
   */
  private write(releaseBefore?: () => void): void {
    if (this.ended || this.inFlight) return;
    let batch = this.deciding.take();
    if (batch?.events.length) {
      this.options.snapshots?.ending(this.options.core);
      this.append(batch);
      if (releaseBefore) queueMicrotask(releaseBefore);
      return;
    }
    releaseBefore?.();
    for (; batch; batch = this.deciding.take()) {
      if (batch.events.length > 0) return this.append(batch);
      this.releaseWithoutCommit(batch);
    }
    this.idle?.();
  }

  private append(batch: Batch): void {
    const { leaderId, journal } = this.options;
    if (batch.seq !== this.head.seq + 1) {
      const error = new RepriseError('FOLD_DIVERGED', `batch ${batch.seq} does not follow head ${this.head.seq}`);
      return this.lose({ kind: 'broken', error });
    }
    const header = headerAfter(this.head, { leaderId, epoch: this.epoch }, batch.nowMs, batch.neededReader);
    const pending = { bytes: batch.body.commit(header), expectedSeq: this.head.seq, batch };
    this.inFlight = pending;
    append(journal, pending).then(
      (appended) => this.appended(appended),
      (error: unknown) => this.lose({ kind: 'ambiguous', message: String(error), pending }),
    );
  }

  private appended(appended: Appended): void {
    const pending = this.inFlight;
    if (pending === undefined || this.ended) return;
    if (appended.kind === 'ambiguous') return this.lose({ kind: 'ambiguous', message: appended.message, pending });
    if (appended.kind === 'refused') return this.lose(appended);
    this.inFlight = undefined;
    this.advance(pending);
    const { core } = this.options;
    if (core.goesOn && !this.stopping) this.run(() => core.tick(this.time.moment()));
    this.write(() => this.releaseCommit(pending));
  }

  private advance({ bytes, batch }: PendingCommit): void {
    const minReader = Math.max(this.head.minReader, batch.neededReader);
    this.head = { ...this.head, seq: batch.seq, hash: batch.body.hashOf(bytes), nowMs: batch.nowMs, minReader };
    this.options.bytes.put(batch.seq, bytes);
    this.options.snapshots?.committed(this.head, bytes.length);
  }

  /** First the replies, then the followers, in one turn: no request sees a follower that lags behind a reply. */
  private releaseCommit({ batch, bytes }: PendingCommit): void {
    const { head } = this;
    this.release(batch, head);
    try {
      for (const follower of this.options.followers) follower.follow({ ...head, bytes, events: batch.events });
    } catch (error) {
      // A follower knows another commit at this position. Thrown further, the error would end the process.
      this.lose({ kind: 'broken', error });
    }
    this.options.onHead(head);
    this.courier.run();
  }

  /** Replies that depend on no commit are sent only while the leadership is valid. */
  private releaseWithoutCommit(batch: Batch): void {
    if (this.options.validForMs() > 0) return this.release(batch, this.head);
    for (const effect of batch.effects) if (effect.kind !== 'ended') sendReply(effect.to, refused(notLeader));
  }

  private release(batch: Batch, head: Head): void {
    const releasing = this.releasing(head);
    for (const effect of batch.effects) this.perform(effect, releasing);
  }

  private perform(effect: Effect, releasing: Releasing): void {
    switch (effect.kind) {
      case 'answer': return release(effect.to, () => effect.reply(effect.answer, releasing));
      case 'wait': return this.waiters.add(effect, releasing.monoMs);
      case 'ended': return this.waiters.ended(effect.actor);
      case 'refused': return sendReply(effect.to, refused(effect.rejection));
      default: return effect satisfies never;
    }
  }

  private releasing(head: Head): Releasing {
    const { bytes, archive, core, clock, onWithheld, snapshots } = this.options;
    const position = { partition: this.partition, seq: head.seq, hash: head.hash, epoch: head.epoch };
    return {
      bytes, archive, position, monoMs: clock.monoMs(), onWithheld,
      read: (kind) => core.read(kind), live: (kind) => core.live(kind),
      takeSnapshot: () => askForSnapshot(this.ended ? undefined : snapshots),
    };
  }

  /** Ends. Decisions that were not appended are discarded with the state, so their requests are refused. */
  private lose(lost: Lost): void {
    if (this.ended) return;
    this.ended = lost;
    clearInterval(this.ticking);
    this.courier.end();
    const isFull = lost.kind === 'refused' && lost.why === 'full';
    const rejection = isFull ? reject('JOURNAL_FULL', `the journal is full: ${lost.message}`) : notLeader;
    // If the commit in flight was refused, it was not written. If the leader ended otherwise, that is unknown.
    if (this.inFlight && lost.kind !== 'ambiguous') {
      refuseAll(this.inFlight.batch, lost.kind === 'refused' ? rejection : unknown);
    }
    for (const batch of this.options.core.abandon()) refuseAll(batch, rejection);
    this.waiters.sendAll();
    this.idle?.();
    this.end(lost);
  }
}

const unknown = reject('UNKNOWN', 'the leader ended before the commit was acknowledged');
const notLeader = reject('NOT_LEADER', 'this broker does not lead the partition (any more)');

export function refuseAll(batch: Batch, rejection: Rejection): void {
  for (const effect of batch.effects) if (effect.kind !== 'ended') sendReply(effect.to, refused(rejection));
}

/** Async, so that a journal without a connection, which throws at once, rejects instead: it is ambiguous as well. */
const append = async (journal: Journal, { bytes, expectedSeq }: PendingAppend): Promise<Appended> =>
  journal.append(bytes, expectedSeq);
