/**
 * The core of a partition: it decides commands one after another, folds the events at once, and gathers them in
 * batches. It does no I/O and reads no clock, so a broker, a test and a simulator run it alike. It uses actors by the
 * interface of their kind.
 */
import type { AsideReading, Repair } from '../../actors/actor/aside.js';
import type { CastMember, LeaderParts } from '../../actors/cast.js';
import type { Actor, ActorEvent, Held, Kind, Role } from '../../actors/kind.js';
import type { ReplyTo, ReplyOf } from '../../actors/reply.js';
import type { RetentionChange, RetentionReading } from '../../actors/retention/retention.js';
import type { Cause, CommandEntry, Moment, Outgoing, Step, Taken, WaitOf } from '../../actors/step.js';
import type { Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { journal } from '../../protocols/messages.js';
import { wellFormed } from '../../protocols/utf8.js';
import type { ContentRef, Salts } from '../../streams/content.js';
import { EVENTS_PER_DECISION, type Batch } from './batch.js';
import { Batches } from './batches.js';
import { COMMANDS } from './command-ids.js';
import type { Failing, Suspect } from './failing.js';
import { ABSENT, applyOwn, fold, foldCommit, follow, OWN_EVENTS, PARTITION, type OwnEvent } from './fold.js';
import { Holding } from './holding.js';
import { castOf, type Hosted } from './hosted.js';
import { mostBodyBytes } from './outbox.js';
import { newState, type PartitionState } from './state.js';
import type { Timer } from './timers.js';
import { Barriers } from './version-barrier.js';

/** With more events that are not yet appended, submits are refused. Reports and cancels never are. */
const MOST_PENDING_EVENTS = 20_000;
/** Timers in one tick. After an outage many are due together, and commands must be decided as well. */
const TIMERS_PER_TICK = 1_000;
/** In characters. */
const MOST_WHY = 512;

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
  readonly setAside: AsideReading;
  readonly retention: RetentionReading;
  /** Of one command that an actor sends or another partition delivers. */
  readonly mostBodyBytes: number;
  moment: Moment = { nowMs: 0, monoMs: 0, draw: 0 };
  /** Whether an actor has more to do in the next tick, because it works in slices. */
  goesOn = false;
  /** Whose turn it was when a decision threw, if that is known. */
  suspect: Suspect | undefined;
  private turn: Suspect | undefined;
  private readonly members: readonly Hosted[];
  private readonly holding: Holding;
  private readonly batches: Batches;
  /** Ids of actors whose end a reply waits for, or waited for until its time was over. */
  private readonly awaited = new Set<string>();

  constructor({ partition, kinds, maxCommitBytes = LIMITS.commitBytes, salts, release = '', ...parts }: CoreOptions) {
    this.state = newState(partition, castOf(kinds, partition, parts));
    this.setAside = this.state.aside;
    this.retention = this.state.retention;
    this.mostBodyBytes = mostBodyBytes(maxCommitBytes);
    const tables = [OWN_EVENTS, ...kinds.map(({ kind }) => kind.events)];
    this.batches = new Batches(this.state, new Barriers(tables, release), maxCommitBytes, salts);
    this.members = [...this.state.cast.values()];
    this.holding = new Holding(this.members);
  }

  /** Folds a commit of the journal. */
  replay(commit: journal.Commit, seq: number): void {
    foldCommit(this.state, commit, seq);
  }

  /** Leadership begins. @param failing actors that are set aside first, if leaders broke by them repeatedly */
  lead(moment: Moment, failing?: Failing): void {
    this.moment = moment;
    for (const { kind, id, error } of failing?.takeRepeated() ?? []) this.setActorAside(kind, id, error);
    this.forEach((member) => member.lead?.(this));
  }

  /**
   * @param decide the decision of a command
   * @throws Unchanged if it threw before it changed or answered anything; after any other error the state is lost
   */
  step(moment: Moment, decide: (step: Step) => void): void {
    this.moment = moment;
    const { batches } = this;
    batches.next();
    const before = batches.changes;
    try {
      decide(this);
    } catch (error) {
      if (batches.changes !== before) throw error;
      batches.takeBack();
      this.suspect = undefined;
      throw new Unchanged(error);
    }
  }

  /** Fires the timers that are due. */
  tick(moment: Moment): void {
    this.moment = moment;
    this.fireTimers();
    this.forEach((member) => member.tick?.(this));
  }

  /** The next batch to be appended, after each kind could add to it. @returns undefined if there is none */
  take(): Batch | undefined {
    if (this.batches.isEmpty) {
      this.forEach((member) => member.close?.(this));
      this.batches.seal();
    }
    return this.batches.take();
  }

  /** Ends the open commit. @returns whether the state is then the one at the end of the last commit, as in a replay */
  readonly endCommit = (): boolean => this.batches.endCommit();

  /** All batches that were not taken. The state is discarded after this, so nothing more may be decided. */
  readonly abandon = (): Batch[] => this.batches.abandon();

  get partition(): Partition {
    return this.state.partition;
  }

  get overloaded(): boolean {
    return this.batches.pendingEvents > MOST_PENDING_EVENTS;
  }

  get nowMs(): number {
    return this.batches.openMs ?? Math.max(this.state.nowMs, this.moment.nowMs);
  }

  read<R extends Role>(kind: Kind<R>): R['reading'] {
    return this.hosted(kind).store;
  }

  live<R extends Role>(kind: Kind<R>): R['live'] {
    return this.hosted(kind).live;
  }

  readonly heldQueues = (): Held => this.holding.queues;
  readonly isHeld = (queue: string): boolean => this.holding.isHeld(queue);
  readonly whyHeld = (queue: string): string | undefined => this.holding.whyHeld(queue);

  repair(repair: Repair, cause: Cause): void {
    this.emitOwn({ type: 'ActorRepaired', body: { status: '', ...repair } }, cause);
  }

  setRetention(setting: RetentionChange, cause: Cause): void {
    this.emitOwn({ type: 'RetentionSet', body: { status: '', ...setting } }, cause);
  }

  seen(commandId: string): CommandEntry | undefined {
    const known = this.state.commands.get(commandId);
    return known && known.atMs + COMMANDS.ms >= this.nowMs ? known : undefined;
  }

  makeRoom(bytes = 0, events = EVENTS_PER_DECISION): void {
    this.batches.makeRoom(bytes, events);
  }

  emit<R extends Role>(
    kind: Kind<R>, of: Readonly<R['actor']> | string, event: R['event'], cause: Cause, taken?: Taken,
  ): Readonly<R['actor']> {
    try {
      return this.emitted(this.hosted(kind), of, event, cause, taken) as Readonly<R['actor']>;
    } catch (error) {
      this.suspect ??= this.turn ?? { kind: kind.name, id: typeof of === 'string' ? of : of.id };
      throw error;
    }
  }

  send({ to, command, body }: Outgoing, by: { readonly kind: string; readonly id: string }, cause: Cause): void {
    const { kind, id } = by;
    const given = `the body of ${command} has ${body.length} bytes`;
    if (body.length > this.mostBodyBytes) throw new TypeError(`${given}; ${kind} ${id} may send ${this.mostBodyBytes}`);
    const seq = this.state.outbox.nextSeq(to);
    this.emitOwn({ type: 'CommandSent', body: { status: '', to, seq, command, body, kind, id } }, cause);
  }

  underWay(to: Partition): number {
    return this.state.outbox.underWay(to);
  }

  /** Records an event of the partition itself. */
  emitOwn(event: OwnEvent, cause: Cause): void {
    const eventType = OWN_EVENTS[event.type];
    const batch = this.batches.begin(this.moment.nowMs);
    const content = this.batches.add(batch, PARTITION, String(this.partition), event, eventType, cause);
    applyOwn(this.state, event, placeIn(batch, content), cause);
  }

  /** Notes whose turn it is, for the case that it throws. */
  inTurn(kind: string, id: string, decide: () => void): void {
    this.turn = { kind, id };
    try {
      decide();
    } catch (error) {
      this.suspect ??= this.turn;
      throw error;
    }
    this.turn = undefined;
  }

  answer<A>(to: ReplyTo, reply: ReplyOf<A>, answer: A): void {
    this.batches.effects.push({ kind: 'answer', to, reply: reply as ReplyOf<unknown>, answer });
  }

  wait<A>(to: ReplyTo, wait: WaitOf<A>, answers: readonly A[], waitMs: number): void {
    for (const id of answers.map((answer) => wait.awaits(answer))) if (id !== undefined) this.awaited.add(id);
    this.batches.effects.push({ kind: 'wait', to, wait: wait as WaitOf<unknown>, answers, waitMs });
  }

  refuse(to: ReplyTo, rejection: Rejection): void {
    this.batches.effects.push({ kind: 'refused', to, rejection });
  }

  private emitted(
    hosted: Hosted, of: Readonly<Actor> | string, event: ActorEvent, cause: Cause, taken: Taken | undefined,
  ): Actor {
    const { kind, store } = hosted;
    const [id, given] = typeof of === 'string' ? [of, undefined] : [of.id, of];
    // A copy would be changed, and indexed in place of the stored one.
    if (given && !store.owns(given)) throw new TypeError(`${kind.name} ${id} is not the one in the store`);
    if (this.state.aside.get(kind.name, id)) throw new TypeError(`${kind.name} ${id} is set aside`);
    const before = given ?? store.get(id);
    // Before anything is written or changed.
    follow(kind.chart, id, before?.status ?? ABSENT, event);
    const batch = this.batches.begin(this.moment.nowMs);
    // A commit that begins may forget an actor, as it does in a replay.
    const still = before && store.owns(before) ? before : undefined;
    if (still !== before) follow(kind.chart, id, ABSENT, event);
    const content = this.batches.add(batch, kind.name, id, event, kind.events[event.type]!, cause, taken);
    const actor = fold(this.state, hosted, id, event, placeIn(batch, content), cause, still);
    hosted.member.changed?.(this, actor);
    if (kind.chart.isFinal(actor.status) && this.awaited.delete(id)) {
      batch.effects.push({ kind: 'ended', actor: kind.detached?.(actor) ?? actor });
    }
    return actor;
  }

  private forEach(turn: (member: CastMember) => void): void {
    for (const { member } of this.members) {
      this.batches.next();
      turn(member);
    }
  }

  private setActorAside(kind: string, id: string, why: string): void {
    if (this.state.cast.get(kind)?.store.get(id) === undefined) return;
    this.batches.next();
    this.makeRoom();
    const body = { status: '' as const, kind, id, why: wellFormed(why.slice(0, MOST_WHY)) };
    this.emitOwn({ type: 'ActorSetAside', body }, { commandId: '', type: 'SetAside', by: '' });
  }

  private hosted(kind: { readonly name: string }): Hosted {
    const hosted = this.state.cast.get(kind.name);
    if (hosted) return hosted;
    throw new TypeError(`no kind ${kind.name} in the cast`);
  }

  /** An actor whose timer is still due after its turn goes on in the next tick: so a long task is done in slices. */
  private fireTimers(): void {
    const { timers } = this.state;
    const again: Timer[] = [];
    for (let fired = 0; fired < TIMERS_PER_TICK; fired += 1) {
      const timer = timers.takeDue(this.nowMs);
      if (timer === undefined) break;
      if (!timers.isCurrent(timer)) continue;
      this.batches.next();
      const { hosted, id } = timer;
      this.inTurn(hosted.kind.name, id, () => hosted.member.due?.(this, hosted.store.get(id)!));
      if (timers.isCurrent(timer)) again.push(timer);
    }
    for (const { hosted, id, dueMs } of again) timers.change(hosted, id, 0, dueMs);
    this.goesOn = again.length > 0;
  }
}

/** Of the event that was added last. */
const placeIn = ({ seq, nowMs, events }: Batch, content: ContentRef | undefined) =>
  ({ seq, index: events.length - 1, nowMs, content });
