/**
 * The core of a partition: it decides commands one after another, folds the events at once, and gathers them in
 * batches. It does no I/O and reads no clock, so a broker, a test and a simulator run it alike. It uses actors by the
 * interface of their kind.
 */
import type { AsideActor } from '../../actors/aside.js';
import type { CastMember, LeaderParts } from '../../actors/cast.js';
import type { EventType, Kind, Role } from '../../actors/kind.js';
import type { ReplyTo, ReplyOf } from '../../actors/reply.js';
import type { Cause, CommandEntry, Moment, Outgoing, Step, Taken, WaitOf } from '../../actors/step.js';
import type { Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { journal } from '../../protocols/messages.js';
import type { Salts } from '../../streams/content.js';
import { Batch, EVENTS_PER_DECISION, EventWriter, roomBytes } from './batch.js';
import { COMMANDS } from './command-ids.js';
import { ABSENT, fold, foldBarrier, foldCommit, follow, PARTITION } from './fold.js';
import { Holding } from './holding.js';
import { castOf, type Hosted } from './hosted.js';
import { mostBodyBytes, OUTBOX_EVENTS, type OutboxEvent } from './outbox.js';
import { beginCommit, newState, type PartitionState } from './state.js';
import type { Timer } from './timers.js';
import { BARRIER_EVENTS, Barriers, type BarrierEvent } from './version-barrier.js';

/** With more events that are not yet appended, submits are refused. Reports and cancels never are. */
const MOST_PENDING_EVENTS = 20_000;
/** Timers in one tick. After an outage many are due together, and commands must be decided as well. */
const TIMERS_PER_TICK = 1_000;

export interface CoreOptions extends LeaderParts {
  readonly partition: Partition;
  readonly kinds: readonly CastMember[];
  /** Random bytes for the contents of events. */
  readonly salts: Salts;
  /** Of a commit: 512 KiB, or less where the server's max_payload is less. */
  readonly maxCommitBytes?: number;
  /** Of this build, for the record of a VersionBarrier. */
  readonly release?: string;
}

/** A decision threw, and nothing was written or changed by it. */
export class Unchanged extends Error {
  constructor(cause: unknown) {
    super(String(cause), { cause });
  }
}

export class PartitionCore implements Step {
  readonly state: PartitionState;
  /** Of one command that an actor sends or another partition delivers. */
  readonly mostBodyBytes: number;
  moment: Moment = { nowMs: 0, monoMs: 0, draw: 0 };
  /** Whether an actor has more to do in the next tick, because it works in slices. */
  goesOn = false;
  private readonly maxCommitBytes: number;
  private readonly members: readonly Hosted[];
  private readonly holding: Holding;
  private readonly barriers: Barriers;
  /** Of the batch that has events and is open; there is one at most. */
  private readonly writer: EventWriter;
  private readonly sealed: Batch[] = [];
  private open: Batch | undefined;
  /** The one of `open` and `sealed` that last got its sequence. */
  private begun: Batch | undefined;
  private pendingEvents = 0;
  /** How many events and replies were decided. */
  private changes = 0;
  /** Ids of actors whose end a reply waits for, or waited for until its time was over. */
  private readonly awaited = new Set<string>();
  /** Events that the decision may still make. */
  private room = 0;
  /** What the open batch may grow to by the decision. */
  private roomUpTo = 0;

  constructor({ partition, kinds, maxCommitBytes = LIMITS.commitBytes, salts, release = '', ...parts }: CoreOptions) {
    this.state = newState(partition, castOf(kinds, partition, parts));
    this.maxCommitBytes = maxCommitBytes;
    this.mostBodyBytes = mostBodyBytes(maxCommitBytes);
    this.writer = new EventWriter(salts);
    this.barriers = new Barriers([OUTBOX_EVENTS, ...kinds.map(({ kind }) => kind.events)], release);
    this.members = [...this.state.cast.values()];
    this.holding = new Holding(this.members);
  }

  /** Folds a commit of the journal. */
  replay(commit: journal.Commit, seq: number): void {
    foldCommit(this.state, commit, seq);
  }

  /** Leadership begins. */
  lead(moment: Moment): void {
    this.moment = moment;
    for (const { member } of this.members) {
      this.room = 0;
      member.lead?.(this);
    }
  }

  /**
   * @param decide the decision of a command
   * @throws Unchanged if it threw before it wrote, changed or answered anything; after any other error the state is lost
   */
  step(moment: Moment, decide: (step: Step) => void): void {
    this.moment = moment;
    this.room = 0;
    const before = this.changes;
    try {
      decide(this);
    } catch (error) {
      if (this.changes !== before) throw error;
      this.takeBack();
      throw new Unchanged(error);
    }
  }

  /** Fires the timers that are due. */
  tick(moment: Moment): void {
    this.moment = moment;
    this.fireTimers();
    for (const { member } of this.members) {
      this.room = 0;
      member.tick?.(this);
    }
  }

  /** The next batch to be appended, after each kind could add to it. @returns undefined if there is none */
  take(): Batch | undefined {
    if (this.sealed.length === 0) {
      for (const { member } of this.members) {
        this.room = 0;
        member.close?.(this);
      }
      this.seal();
    }
    const batch = this.sealed.shift();
    if (batch) this.pendingEvents -= batch.events.length;
    return batch;
  }

  /** All batches that were not taken. The state is discarded after this, so nothing more may be decided. */
  abandon(): Batch[] {
    return [...this.sealed.splice(0), ...(this.open ? [this.open] : [])];
  }

  get partition(): Partition {
    return this.state.partition;
  }

  get overloaded(): boolean {
    return this.pendingEvents > MOST_PENDING_EVENTS;
  }

  get nowMs(): number {
    return this.open?.events.length ? this.open.nowMs : Math.max(this.state.nowMs, this.moment.nowMs);
  }

  read<R extends Role>(kind: Kind<R>): R['reading'] {
    return this.hosted(kind).store;
  }

  live<R extends Role>(kind: Kind<R>): R['live'] {
    return this.hosted(kind).live;
  }

  heldQueues(): ReadonlySet<string> {
    return this.holding.queues;
  }

  isHeld(queue: string): boolean {
    return this.holding.isHeld(queue);
  }

  whyHeld(queue: string): string | undefined {
    return this.holding.whyHeld(queue);
  }

  aside(kind: Kind, id: string): AsideActor | undefined {
    return this.state.aside.get(kind.name, id);
  }

  seen(commandId: string): CommandEntry | undefined {
    const known = this.state.commands.get(commandId);
    return known && known.atMs + COMMANDS.ms >= this.nowMs ? known : undefined;
  }

  makeRoom(bytes = 0, events = EVENTS_PER_DECISION): void {
    const withBarriers = events + this.barriers.ahead(this.state.versionBarrier);
    if (this.open?.hasRoom(bytes, withBarriers) === false) this.seal();
    this.room = events;
    this.roomUpTo = Math.min(this.writer.size + roomBytes(bytes, withBarriers), this.maxCommitBytes);
  }

  emit<R extends Role>(
    kind: Kind<R>, of: Readonly<R['actor']> | string, event: R['event'], cause: Cause, taken?: Taken,
  ): Readonly<R['actor']> {
    const [id, before] = typeof of === 'string' ? [of, undefined] : [of.id, of];
    const hosted = this.hosted(kind);
    // A copy would be changed, and indexed in place of the stored one.
    if (before && !hosted.store.owns(before)) {
      throw new TypeError(`${kind.name} ${id} is not the one in the store`);
    }
    if (this.state.aside.get(kind.name, id)) throw new TypeError(`${kind.name} ${id} is set aside`);
    const batch = this.begunBatch();
    const known = before ?? hosted.store.get(id);
    // Before anything is written or changed.
    follow(kind.chart, id, known?.status ?? ABSENT, event);
    const eventType = kind.events[event.type]!;
    this.makeRoomForEvent(batch, eventType, cause);
    const index = batch.events.length;
    const content = batch.add(kind.name, id, event.type, cause, eventType, event.body, taken);
    this.checkBytes();
    const at = { seq: batch.seq, index, nowMs: batch.nowMs, content };
    const actor = fold(this.state, hosted, id, event, at, cause, known);
    hosted.member.changed?.(this, actor);
    if (kind.chart.isFinal(actor.status) && this.awaited.delete(id)) {
      batch.effects.push({ kind: 'ended', actor: hosted.kind.detached?.(actor) ?? actor });
    }
    return actor as Readonly<R['actor']>;
  }

  send({ to, command, body }: Outgoing, by: { readonly kind: string; readonly id: string }, cause: Cause): void {
    const { kind, id } = by;
    const { mostBodyBytes: most } = this;
    if (body.length > most) {
      throw new TypeError(`the body of ${command} has ${body.length} bytes; ${kind} ${id} may send ${most}`);
    }
    const seq = this.state.outbox.nextSeq(to);
    this.emitOwn({ type: 'CommandSent', body: { status: '', to, seq, command, body, kind, id } }, cause);
  }

  underWay(to: Partition): number {
    return this.state.outbox.underWay(to);
  }

  /** Records an event of the partition itself. */
  emitOwn(event: OutboxEvent, cause: Cause): void {
    const eventType = OUTBOX_EVENTS[event.type];
    const batch = this.begunBatch();
    this.makeRoomForEvent(batch, eventType, cause);
    const content = batch.add(PARTITION, String(this.partition), event.type, cause, eventType, event.body);
    this.checkBytes();
    this.state.outbox.apply(event, batch.seq, content);
  }

  answer<A>(to: ReplyTo, reply: ReplyOf<A>, answer: A): void {
    this.effects.push({ kind: 'answer', to, reply: reply as ReplyOf<unknown>, answer });
  }

  wait<A>(to: ReplyTo, wait: WaitOf<A>, answers: readonly A[], waitMs: number): void {
    for (const answer of answers) {
      const id = wait.awaits(answer);
      if (id !== undefined) this.awaited.add(id);
    }
    this.effects.push({ kind: 'wait', to, wait: wait as WaitOf<unknown>, answers, waitMs });
  }

  refuse(to: ReplyTo, rejection: Rejection): void {
    this.effects.push({ kind: 'refused', to, rejection });
  }

  private get effects(): Batch['effects'] {
    this.changes += 1;
    return (this.open ??= this.newBatch()).effects;
  }

  private hosted(kind: { readonly name: string }): Hosted {
    const hosted = this.state.cast.get(kind.name);
    if (hosted === undefined) throw new TypeError(`no kind ${kind.name} in the cast`);
    return hosted;
  }

  /** An actor whose timer is still due after its turn goes on in the next tick: so a long task is done in slices. */
  private fireTimers(): void {
    const { timers } = this.state;
    const again: Timer[] = [];
    for (let fired = 0; fired < TIMERS_PER_TICK; fired += 1) {
      const timer = timers.takeDue(this.nowMs);
      if (timer === undefined) break;
      if (!timers.isCurrent(timer)) continue;
      this.room = 0;
      timer.hosted.member.due?.(this, timer.hosted.store.get(timer.id)!);
      if (timers.isCurrent(timer)) again.push(timer);
    }
    for (const { hosted, id, dueMs } of again) timers.change(hosted, id, 0, dueMs);
    this.goesOn = again.length > 0;
  }

  /** The first event that older readers cannot read is preceded by a barrier, for which {@link makeRoom} left room. */
  private makeRoomForEvent(batch: Batch, eventType: EventType, cause: Cause): void {
    if (this.room === 0) throw new TypeError('a decision made more events than it made room for');
    this.room -= 1;
    this.pendingEvents += 1;
    this.changes += 1;
    const barrier = this.barriers.before(eventType, this.state.versionBarrier);
    if (barrier) this.raise(barrier, batch, cause);
  }

  private raise(barrier: BarrierEvent, batch: Batch, cause: Cause): void {
    const { type, body } = barrier;
    this.pendingEvents += 1;
    batch.neededReader = body.reader;
    batch.add(PARTITION, String(this.partition), type, cause, BARRIER_EVENTS[type], body);
    this.checkBytes();
    foldBarrier(this.state, barrier);
  }

  /** A batch gets its sequence and its time with its first event. Until then it has replies only. */
  private begunBatch(): Batch {
    const open = (this.open ??= this.newBatch());
    if (open.events.length > 0) return open;
    const nowMs = Math.max(this.state.nowMs, this.moment.nowMs);
    const begun = new Batch(this.state.seq + 1, nowMs, this.maxCommitBytes, this.writer);
    begun.effects.push(...open.effects);
    beginCommit(this.state, begun.seq, begun.nowMs);
    this.open = begun;
    this.begun = begun;
    return begun;
  }

  /** Before the fold, so that a commit that the journal cannot take is never waited for. */
  private checkBytes(): void {
    if (this.writer.size <= this.roomUpTo) return;
    throw new TypeError(`a decision wrote ${this.writer.size - this.roomUpTo} bytes more than it made room for`);
  }

  /** A batch that was begun for an event that was not made is begun again by the next. */
  private takeBack(): void {
    const { open } = this;
    if (open === undefined || open !== this.begun || open.events.length > 0) return;
    this.begun = undefined;
    this.state.seq -= 1;
  }

  private newBatch(): Batch {
    return new Batch(this.state.seq, this.state.nowMs, this.maxCommitBytes, this.writer);
  }

  private seal(): void {
    if (this.open === undefined) return;
    this.open.close();
    this.sealed.push(this.open);
    this.open = undefined;
  }
}
