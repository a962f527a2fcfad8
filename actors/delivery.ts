/** What a command must offer to be received from another partition, and what its sender learns of it. */
import type { Rejection } from '../protocols/errors.js';
import type { Step } from './step.js';

/** The recorded answer to a command that an actor sent. */
export interface Answered {
  /** Of the actor. */
  readonly id: string;
  readonly command: string;
  readonly seq: number;
  /** undefined: it was accepted. */
  readonly refusal: { readonly code: string; readonly message: string } | undefined;
}

/**
 * A command as the leader of its destination decides it. It makes at most {@link DELIVERED_EVENTS} events. One that makes
 * more, or throws, breaks that leader once and is then recorded as refused.
 */
export interface Deliverable {
  /** @param by the actor that sent it, `<kind>/<id>` */
  decide(step: Step, body: Uint8Array, by: string): void;
  /** What an answer that is no rejection refuses all the same: a job of a list. */
  refusalIn?(answer: unknown): Rejection | undefined;
}

export type Deliverables = ReadonlyMap<string, Deliverable>;

export const DELIVERED_EVENTS = 3;
