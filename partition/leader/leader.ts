/**
 * A leader: the core of a partition driven by real time, with its commits written to the journal one at a time. While
 * one is in flight the next is gathered. Nothing is said before the commit it depends on is acknowledged.
 */
import { reject, RepriseError, type Rejection } from '../../protocols/errors.js';
import type { LeaderId, Partition } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import { headerAfter } from '../../streams/commit.js';
import type { Appended, Journal } from '../../streams/journal.js';
import type { Archive } from '../../actors/job/archive.js';
import type { Effect } from '../../actors/effect.js';
import type { Command, From } from '../../actors/command.js';
import type { Kind, Role } from '../../actors/kind.js';
import { refused, sendReply, type Contents, type Releasing, type ReplyTo } from '../../actors/reply.js';
import type { Step } from '../../actors/step.js';
import type { Batch } from '../core/batch.js';
import type { Follower } from '../../streams/committed.js';
import type { PartitionCore } from '../core/core.js';
import { receive, settle, type Delivery } from '../core/deliveries.js';
import { Courier, type Deliver } from './courier.js';
import { LeaderTime, type Clock } from './leader-time.js';
import { release } from './release.js';
import type { Deliverables } from '../../actors/delivery.js';
import { Waiters } from './waiters.js';

const TICK_MS = 50;

export interface Leadership {
  readonly core: PartitionCore;
  readonly journal: Journal;
  readonly head: Head;
  readonly leaderId: LeaderId;
  readonly bytes: Contents & { put(seq: number, commit: Uint8Array): void };
  readonly archive: Archive;
  readonly followers: readonly Follower[];
  readonly clock: Clock;
  /** How long this leader may still take itself for the only one, by its own clock. */
  validForMs(): number;
  /** Commands that other partitions may send to this one. */
  readonly deliverables: Deliverables;
  readonly deliver: Deliver;
  onHead(head: Head): void;
  /** The wall clock and the journal's time have come apart, by so many milliseconds; 0: together again. */
  onApart(apartMs: number): void;
}

/** Why a leader ended. `pending`: the commit whose fate must be settled first. */
export type Lost =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'refused'; readonly why: 'fenced' | 'full' | 'other'; readonly message: string }
  | { readonly kind: 'ambiguous'; readonly message: string; readonly pending: Pending | undefined }
  | { readonly kind: 'broken'; readonly error: unknown };

export interface Pending {
  readonly bytes: Uint8Array;
  readonly expectedSeq: number;
  readonly batch: Batch;
}

export class Leader {
  readonly lost: Promise<Lost>;
  head: Head;
  private readonly waiters: Waiters;
  private readonly time: LeaderTime;
  private readonly courier: Courier;
  private readonly ticking: NodeJS.Timeout;
  private inFlight: Pending | undefined;
  private scheduled = false;
  private ended: Lost | undefined;
  private readonly end: (lost: Lost) => void;
  private idle: (() => void) | undefined;

  constructor(private readonly leadership: Leadership) {
    this.head = leadership.head;
    let end: (lost: Lost) => void = () => {};
    this.lost = new Promise((resolve) => (end = resolve));
    this.end = end;
    this.waiters = new Waiters(({ to, wait }, answers) => release(to, wait.reply(answers, this.releasing(this.head))));
    this.time = new LeaderTime(leadership);
    leadership.core.lead(this.time.moment());
    this.courier = this.newCourier();
    this.courier.run();
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    void leadership.journal.closed.then(() => this.lose({ kind: 'ambiguous', message: 'the connection was lost', pending: this.inFlight }));
  }

  get partition(): Partition {
    return this.leadership.core.state.partition;
  }

  get epoch(): number {
    return this.head.epoch;
  }

  /** For how long a command is known again that is sent once more. */
  get commandWindowMs(): number {
    const { state, nowMs } = this.leadership.core;
    return state.commands.windowMs(nowMs);
  }

  /** @param checked the command's request */
  handle(command: Command, checked: object, from: From): void {
    this.decide(from.to, (step) => command.decide(step, checked, from));
  }

  /** @param decideIt what a command does; it answers or refuses `to` */
  decide(to: ReplyTo, decideIt: (step: Step) => void): void {
    if (this.ended) return sendReply(to, refused(notLeader));
    this.step(to, decideIt);
  }

  read<R extends Role>(kind: Kind<R>): R['reading'] {
    return this.leadership.core.read(kind);
  }

  /** Commands of another partition's actors. */
  receive(delivery: Delivery, to: ReplyTo): void {
    const { core, deliverables } = this.leadership;
    this.decide(to, () => receive(core, delivery, deliverables, to));
  }

  /** Stops taking commands, writes what was decided, and ends. */
  async stop(): Promise<void> {
    if (this.ended) return;
    clearInterval(this.ticking);
    while (!this.ended && (this.inFlight || this.scheduled)) await new Promise<void>((done) => (this.idle = done));
    this.lose({ kind: 'stopped' });
  }

  /** For the host, when it has settled a pending commit as written: its words may be said after all. */
  releaseSettled({ batch, bytes }: Pending, head: Head): void {
    this.leadership.bytes.put(batch.seq, bytes);
    this.release(batch, head);
    this.waiters.sendAll();
  }

  private newCourier(): Courier {
    const { core, deliver } = this.leadership;
    return new Courier({
      partition: this.partition, outbox: core.state.outbox, deliver,
      origin: () => core.state.journalId, committedSeq: () => this.head.seq,
      settle: (to, upToSeq, refusals) => this.run(() => core.step(this.time.moment(), () => settle(core, to, upToSeq, refusals))),
    });
  }

  private step(to: ReplyTo, decideIt: (step: Step) => void): void {
    this.run(() => this.leadership.core.step(this.time.moment(), decideIt), to);
  }

  private run(input: () => void, to?: ReplyTo): void {
    try {
      input();
    } catch (error) {
      // A broken invariant: the state can no longer be trusted, so the host folds it again from the journal.
      if (to) sendReply(to, refused(reject('UNKNOWN', `internal error: ${String(error)}`)));
      return this.lose({ kind: 'broken', error });
    }
    if (!this.scheduled && !this.inFlight) this.schedule();
  }

  private tick(): void {
    for (const { to, reply } of this.waiters.takeExpired(this.leadership.clock.monoMs())) this.step(to, reply);
    this.run(() => this.leadership.core.tick(this.time.moment()));
    this.time.look();
  }

  /** After everything that has arrived by now: it shares the commit. */
  private schedule(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.write();
    });
  }

  /**
   * Sends the next commit on its way, if there is one. The words of the one before are said right behind it, so that
   * the server syncs while we talk: microtasks run in order, and the client sends in one that it has queued by then.
   */
  private write(tellBefore?: () => void): void {
    if (this.ended || this.inFlight) return;
    let batch = this.leadership.core.take();
    if (batch?.events.length) {
      this.append(batch);
      if (tellBefore) queueMicrotask(tellBefore);
      return;
    }
    tellBefore?.();
    for (; batch; batch = this.leadership.core.take()) {
      if (batch.events.length > 0) return this.append(batch);
      this.sayWithoutCommit(batch);
    }
    this.idle?.();
  }

  private append(batch: Batch): void {
    const { leaderId, journal } = this.leadership;
    if (batch.seq !== this.head.seq + 1) {
      return this.lose({ kind: 'broken', error: new RepriseError('FOLD_DIVERGED', `batch ${batch.seq} does not follow head ${this.head.seq}`) });
    }
    const header = headerAfter(this.head, { leaderId, epoch: this.epoch }, batch.nowMs);
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
    if (appended.kind === 'refused') return this.lose({ kind: 'refused', why: appended.why, message: appended.message });
    this.inFlight = undefined;
    this.advance(pending);
    if (this.leadership.core.goesOn) this.run(() => this.leadership.core.tick(this.time.moment()));
    this.write(() => this.tell(pending));
  }

  private advance({ bytes, batch }: Pending): void {
    this.head = { ...this.head, seq: batch.seq, hash: batch.body.hashOf(bytes), nowMs: batch.nowMs };
    this.leadership.bytes.put(batch.seq, bytes);
  }

  /** The words of a commit: whoever waits first, then the followers, in one turn, before anybody can ask them. */
  private tell({ batch, bytes }: Pending): void {
    const { head } = this;
    this.release(batch, head);
    try {
      for (const follower of this.leadership.followers) follower.follow({ ...head, bytes, events: batch.events });
    } catch (error) {
      // A follower that knows another commit at this position; thrown from here it would end the process.
      this.lose({ kind: 'broken', error });
    }
    this.leadership.onHead(head);
    this.courier.run();
  }

  /** Replies without a commit: only a leadership that is still valid, with its margin, stands for them. */
  private sayWithoutCommit(batch: Batch): void {
    if (this.leadership.validForMs() > 0) return this.release(batch, this.head);
    for (const effect of batch.effects) if (effect.kind !== 'ended') sendReply(effect.to, refused(notLeader));
  }

  private release(batch: Batch, head: Head): void {
    const releasing = this.releasing(head);
    for (const effect of batch.effects) this.say(effect, releasing);
  }

  private say(effect: Effect, releasing: Releasing): void {
    switch (effect.kind) {
      case 'answer': return release(effect.to, effect.reply(effect.answer, releasing));
      case 'wait': return this.waiters.add(effect, releasing.monoMs);
      case 'ended': return this.waiters.ended(effect.actor);
      case 'refused': return sendReply(effect.to, refused(effect.rejection));
      default: return effect satisfies never;
    }
  }

  private releasing(head: Head): Releasing {
    const { bytes, archive, core, clock } = this.leadership;
    const position = { partition: this.partition, seq: head.seq, hash: head.hash, epoch: head.epoch };
    return { bytes, archive, position, monoMs: clock.monoMs(), live: (kind) => core.live(kind) };
  }

  /** Ends. What was decided but never sent is gone with the state, so everybody who waits for it is told so. */
  private lose(lost: Lost): void {
    if (this.ended) return;
    this.ended = lost;
    clearInterval(this.ticking);
    this.courier.end();
    const rejection = lost.kind === 'refused' && lost.why === 'full' ? reject('JOURNAL_FULL', `the journal takes no more: ${lost.message}`) : notLeader;
    // Of a commit in flight only its own end is certain; a state that broke meanwhile says nothing about it.
    if (this.inFlight && lost.kind !== 'ambiguous') refuseAll(this.inFlight.batch, lost.kind === 'refused' ? rejection : unknown);
    for (const batch of this.leadership.core.abandon()) refuseAll(batch, rejection);
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

/** A journal whose connection is gone throws at once; that is one more way of not knowing. */
const append = async (journal: Journal, { bytes, expectedSeq }: Pending): Promise<Appended> => journal.append(bytes, expectedSeq);
