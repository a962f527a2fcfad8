/** What the journal records of a decision beside its event, and the result of making the decision again. */

/** What made an event happen. */
export interface Cause {
  readonly commandId: string;
  /** The command, imperative. */
  readonly type: string;
  /** The claimed principal; not verified. */
  readonly by: string;
}

/** What a decision took from outside and its event does not say: journal.Input. */
export interface Taken {
  /** The number drawn, if it was used. */
  readonly draw?: number;
  /** A message of the kind, encoded. */
  readonly command?: Uint8Array;
}

/** An event of the journal with all that is recorded of its decision. */
export interface Recorded<E> {
  /** Of the actor. */
  readonly id: string;
  /** With its content, unless that was removed. */
  readonly event: E;
  readonly cause: Cause;
  readonly taken: Taken | undefined;
  /** Of the commit, and of the decision. */
  readonly nowMs: number;
}

export type Again<E> =
  | { readonly kind: 'decided'; readonly event: E }
  /** The rules of this version decide nothing or refuse the command. */
  | { readonly kind: 'undecided'; readonly why: string }
  /** The journal does not say what the decision took from outside, as in commits of version 1. */
  | { readonly kind: 'unrecorded'; readonly missing: string };

/** @param event undefined: nothing was decided */
export function decidedAgain<E>(event: E | undefined): Again<E> {
  return event === undefined ? { kind: 'undecided', why: 'nothing is decided' } : { kind: 'decided', event };
}
