/**
 * Deciding again: a journal is folded, and before each event its decision is made once more, from the journal alone.
 * Events of the partition itself say that it is led, what its outbox sent and received, and which readers it needs from
 * there on; they are no decisions.
 */
import type { ActorEvent, Decoded, Kind } from '../../actors/kind.js';
import type { Again, Recorded, Taken } from '../../actors/recorded.js';
import type { journal } from '../../protocols/messages.js';
import { causeOf, decodeStored, foldCommit, type Place } from './fold.js';
import type { PartitionState } from './state.js';

export interface DecidedAgain {
  readonly at: Place;
  readonly kind: Kind;
  readonly recorded: Recorded<ActorEvent & Decoded>;
  readonly again: Again<ActorEvent>;
}

/** Folds a commit. @param each gets every event of an actor, with what its decision comes to */
export function decideCommitAgain(
  state: PartitionState, commit: journal.Commit, seq: number, each: (decided: DecidedAgain) => void,
): void {
  foldCommit(state, commit, seq, (stored, at) => {
    const hosted = state.cast.get(stored.kind);
    if (hosted === undefined) return;
    const { kind, store } = hosted;
    const { id, input } = stored;
    const event = decodeStored(hosted, stored, at);
    const recorded = { id, event, cause: causeOf(stored), taken: input ? takenOf(input) : undefined, nowMs: at.nowMs };
    each({ at, kind, recorded, again: kind.decideAgain(store.get(id), recorded) });
  });
}

/** A number that was drawn is there even if it is 0. */
function takenOf({ draw, command }: journal.Input.$Properties): Taken {
  return { ...(typeof draw === 'number' && { draw }), ...(command && { command }) };
}
