/** A projection: a fold of the journal into something to look at. It never decides and never writes into a journal. */
import type { EncodedEvent } from '../actors/partition/batch.js';
import type { Committed } from '../actors/partition/committed.js';

export interface Projection {
  readonly name: string;
  /** @param index of the event within its commit */
  evolve(event: EncodedEvent, index: number, commit: Committed): void;
}
