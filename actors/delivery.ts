/** How a command from another partition is decided, and the result that its sender gets. */
import type { Rejection } from '../protocols/errors.js';
import type { Step } from './step.js';

/** The recorded result of a command that an actor sent. */
export interface Answered {
  /** Of the actor. */
  readonly id: string;
  readonly command: string;
  readonly seq: number;
  /** undefined: it was accepted. */
  readonly refusal: { readonly code: string; readonly message: string } | undefined;
}

/** Who sent a command. Origin and sequence identify it. */
export interface Sender {
  /** The actor, `<kind>/<id>`. */
  readonly by: string;
  /** Id of the origin's journal. */
  readonly origin: string;
  readonly seq: number;
}

/**
 * A command as the leader of its destination decides it. It makes at most {@link DELIVERED_EVENTS} events, and writes
 * hardly more bytes than its body has. One that makes or writes more, or throws, breaks that leader once and is then
 * recorded as refused.
 */
export interface Deliverable {
  /** A function of the state, the body, the sender and the moment: the same command, decided again, is the same. */
  decide(step: Step, body: Uint8Array, sender: Sender): void;
  /** The refusal in an answer that is not a rejection as a whole, such as one refused job of a list. */
  refusalIn?(answer: unknown): Rejection | undefined;
}

export type Deliverables = ReadonlyMap<string, Deliverable>;

export const DELIVERED_EVENTS = 3;
