/** A projection: a fold of the journal into a read model. It never decides and never writes into a journal. */
import type { Committed, EventName } from '../streams/committed.js';

/** The last commit that a projection has processed. */
export interface Checkpoint {
  readonly seq: number;
  readonly hash: Uint8Array;
}

export interface Projection {
  readonly name: string;
  /** @param index of the event within its commit */
  evolve(event: EventName, index: number, commit: Committed): void;
  /** Commits up to a position cannot be read now. Those after it follow. */
  skipped?(seq: number): void;
  /** Called after the last event of a commit. */
  committed?(commit: Committed): void;
  /** Saves what it keeps outside of memory. */
  close?(): Promise<void>;
}
