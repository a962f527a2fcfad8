/** A projection: a fold of the journal into something to look at. It never decides and never writes into a journal. */
import type { Committed, EventName } from '../streams/committed.js';

/** A commit that a projection has come to. */
export interface Checkpoint {
  readonly seq: number;
  readonly hash: Uint8Array;
}

export interface Projection {
  readonly name: string;
  /** @param index of the event within its commit */
  evolve(event: EventName, index: number, commit: Committed): void;
}
