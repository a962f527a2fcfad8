/**
 * What a command sees of the partition that decides it: it reads, says what happened, and says what to reply. It cannot
 * write into the state, and time and chance are given to it.
 */
import type { Rejection } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import type { Actor, Hold, Kind, Role } from './kind.js';
import type { ReplyTo, Releasing, Reply, ReplyOf, Sooner } from './reply.js';

/** What made an event happen, as the journal records it. */
export interface Cause {
  readonly commandId: string;
  /** The command, imperative. */
  readonly type: string;
  /** The principal as claimed; nothing vouches for it yet. */
  readonly by: string;
}

/** Given with every input, because the core may not look for itself. */
export interface Moment {
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
  /** Monotonic clock of this process, milliseconds. */
  readonly monoMs: number;
  /** Drawn from [0, 1). */
  readonly draw: number;
}

/** A command that was accepted lately, by its id. */
export interface CommandEntry {
  readonly type: string;
  /** Of the actor that it was about. */
  readonly id: string;
  /** SHA-256 of what it said, hexadecimal; empty if that is not compared. */
  readonly fingerprint: string;
  readonly atMs: number;
}

/** How a reply waits for actors to end, one for each of its answers. */
export interface WaitOf<A> {
  reply(answers: readonly A[], releasing: Releasing): Sooner<Reply>;
  /** The actor that the answer still waits for; undefined if it is final. */
  awaits(answer: A): string | undefined;
  /** The answer, now that its actor has ended. */
  ended(answer: A, actor: Actor): A;
  /** The answer as it stands when the time to wait is over. */
  current(answer: A, step: Step): A;
}

/** A command to another partition. */
export interface Outgoing {
  readonly to: Partition;
  /** `<noun>.<verb>` */
  readonly command: string;
  /** Its request message. */
  readonly body: Uint8Array;
}

export interface Step {
  readonly partition: Partition;
  readonly moment: Moment;
  /** The time that a decision made now is recorded with, Unix milliseconds. */
  readonly nowMs: number;
  /** More events wait for the journal than may wait. */
  readonly overloaded: boolean;
  read<R extends Role>(kind: Kind<R>): R['reading'];
  live<R extends Role>(kind: Kind<R>): R['live'];
  /** Why a queue neither takes jobs nor hands them out, if one of the kinds keeps it from that. */
  holdOf(queue: string): Hold | undefined;
  /** A command id that is still remembered. */
  seen(commandId: string): CommandEntry | undefined;
  /**
   * Makes sure that the next decision lies in one commit as a whole.
   * @param bytes of content @param events that it makes at most: 3, unless it says so
   */
  makeRoom(bytes?: number, events?: number): void;
  /** Records and folds what was decided. @param id of the actor, which may be new */
  emit<R extends Role>(kind: Kind<R>, id: string, event: R['event'], cause: Cause): Readonly<R['actor']>;
  /**
   * Sends a command to another partition: recorded now, delivered after the commit until it is answered. Counts as an
   * event of the decision.
   * @param from the actor that sends it
   */
  send(outgoing: Outgoing, from: { readonly kind: string; readonly id: string }, cause: Cause): void;
  /** How many commands to a partition are not answered yet. What fans out waits while there are many. */
  underWay(to: Partition): number;
  /** Sends a reply when the commit is acknowledged. */
  answer<A>(to: ReplyTo, reply: ReplyOf<A>, answer: A): void;
  /** Sends the reply only when what it waits for has ended, or the time is over. */
  wait<A>(to: ReplyTo, wait: WaitOf<A>, answers: readonly A[], waitMs: number): void;
  refuse(to: ReplyTo, rejection: Rejection): void;
}
