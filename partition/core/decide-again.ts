/**
 * Deciding again: a journal is folded, and before each event its decision is made once more, from the journal alone.
 * Events of the partition itself say that it is led, what its outbox sent and received, and which readers it needs from
 * there on; they are no decisions.
 */
import type { Actor, ActorEvent, Decoded, Kind } from '../../actors/kind.js';
import type { Again, Recorded, Taken } from '../../actors/recorded.js';
import type { journal } from '../../protocols/messages.js';
import { causeOf, decodeStored, foldCommit, type Place } from './fold.js';
import type { Hosted } from './hosted.js';
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
    if (hosted === undefined || state.aside.get(stored.kind, stored.id)) return;
    const { kind, store } = hosted;
    const { id, input } = stored;
    const event = decoded(hosted, stored, at);
    if (event === undefined) return;
    const recorded = { id, event, cause: causeOf(stored), taken: input ? takenOf(input) : undefined, nowMs: at.nowMs };
    each({ at, kind, recorded, again: decidedFrom(kind, store.get(id), recorded) });
  });
}

/** @returns undefined for one whose body is broken: its fold sets the actor aside, or halts */
function decoded(hosted: Hosted, stored: journal.Event, at: Place): (ActorEvent & Decoded) | undefined {
  try {
    return decodeStored(hosted, stored, at);
  } catch {
    return undefined;
  }
}

/** Of an event that may not follow, the decision may have no sense at all. */
function decidedFrom(
  kind: Kind, actor: Actor | undefined, recorded: Recorded<ActorEvent & Decoded>,
): Again<ActorEvent> {
  try {
    return kind.decideAgain(actor, recorded);
  } catch (error) {
    return { kind: 'undecided', why: String(error) };
  }
}

/** A number that was drawn is there even if it is 0. */
function takenOf({ draw, command }: journal.Input.$Properties): Taken {
  return { ...(typeof draw === 'number' && { draw }), ...(command && { command }) };
}
