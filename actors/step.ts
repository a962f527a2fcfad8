/**
 * The interface of a partition to the commands that it decides: they read the state, emit events, and answer. They
 * cannot write into the state, and time and chance are inputs.
 */
import type { Rejection } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import type { AsideReading, Repair } from './actor/aside.js';
import type { Actor, Held, Kind, Role } from './kind.js';
import type { Cause, Taken } from './recorded.js';
import type { RetentionChange, RetentionReading } from './retention/retention.js';
import type { ReplyTo, Releasing, Reply, ReplyOf, Sooner } from './reply.js';

export type { Cause, Taken } from './recorded.js';

/** Given with every input, because the core reads no clock. */
export interface Moment {
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
  /** Monotonic clock of this process, milliseconds. */
  readonly monoMs: number;
  /** Drawn from [0, 1). */
  readonly draw: number;
}

/** A command that was accepted in the last ten minutes. */
export interface CommandEntry {
  readonly type: string;
  /** Of the actor that it was about. */
  readonly id: string;
  /** SHA-256 of its content, hexadecimal; empty if the content is not compared. */
  readonly fingerprint: string;
  readonly atMs: number;
}

/** How a reply waits for actors to end, one for each of its answers. */
export interface WaitOf<A> {
  reply(answers: readonly A[], releasing: Releasing): Sooner<Reply>;
  /** The id of the actor that the answer waits for; undefined if it is final. */
  awaits(answer: A): string | undefined;
  /** The answer, now that its actor has ended. */
  ended(answer: A, actor: Actor): A;
  /** The answer from the current state, when the time to wait is over. */
  current(answer: A, step: Step): A;
}

/** A command to another partition. */
export interface Outgoing {
  readonly to: Partition;
  /** `<noun>.<verb>` */
  readonly command: string;
  /** Its request message, 320 KiB at most, or less where the server's max_payload makes commits smaller. */
  readonly body: Uint8Array;
}

export interface Step {
  readonly partition: Partition;
  readonly moment: Moment;
  /** The time that is recorded with a decision made now, Unix milliseconds. */
  readonly nowMs: number;
  /** Too many events are decided and not yet appended. */
  readonly overloaded: boolean;
  read<R extends Role>(kind: Kind<R>): R['reading'];
  live<R extends Role>(kind: Kind<R>): R['live'];
  /** The queues that neither accept nor lease jobs, because one of the kinds holds them. */
  heldQueues(): Held;
  /** Whether a queue is one of them. */
  isHeld(queue: string): boolean;
  /** Why, for people; undefined if it is not held. */
  whyHeld(queue: string): string | undefined;
  /** Actors that are not in the state, because they are set aside. No event of one may be emitted. */
  readonly setAside: AsideReading;
  /** Records that an actor that is set aside is taken back or dropped. Counts as an event of the decision. */
  repair(repair: Repair, cause: Cause): void;
  /** For how long the archive keeps contents. */
  readonly retention: RetentionReading;
  /** Records a setting of it. Counts as an event of the decision. */
  setRetention(setting: RetentionChange, cause: Cause): void;
  /** A command id that is still remembered. */
  seen(commandId: string): CommandEntry | undefined;
  /**
   * Makes sure that the next decision is in one commit as a whole. Every decision makes room first. One that then makes
   * more events, or writes more bytes, is a broken invariant.
   * @param bytes of content, and whatever is large @param events that it makes at most: 3, unless it says so
   */
  makeRoom(bytes?: number, events?: number): void;
  /**
   * Records and folds what was decided.
   * @param of the actor, or the id of one that may be new
   * @param taken what the decision took from outside and the event does not say; undefined if there is nothing
   */
  emit<R extends Role>(
    kind: Kind<R>, of: Readonly<R['actor']> | string, event: R['event'], cause: Cause, taken?: Taken,
  ): Readonly<R['actor']>;
  /**
   * Sends a command to another partition: it is recorded now, and delivered after the commit until the destination has
   * recorded it. Counts as an event of the decision.
   * @param from the actor that sends it
   */
  send(outgoing: Outgoing, from: { readonly kind: string; readonly id: string }, cause: Cause): void;
  /** How many commands to a partition are not recorded there yet. A fan-out pauses while there are many. */
  underWay(to: Partition): number;
  /** Sends a reply when the commit is acknowledged. */
  answer<A>(to: ReplyTo, reply: ReplyOf<A>, answer: A): void;
  /** Sends the reply when the actors that it waits for have ended, or the time is over. */
  wait<A>(to: ReplyTo, wait: WaitOf<A>, answers: readonly A[], waitMs: number): void;
  refuse(to: ReplyTo, rejection: Rejection): void;
}
