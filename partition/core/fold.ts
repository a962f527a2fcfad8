/**
 * Folding: one event changes one actor and the indexes of its kind. The leader folds new events with the same functions
 * that replay uses, so the two cannot diverge.
 */
import type { Chart } from '../../actors/chart.js';
import { decodeEvent, type Actor, type ActorEvent, type At, type Decoded } from '../../actors/kind.js';
import type { Cause } from '../../actors/step.js';
import { RepriseError } from '../../protocols/errors.js';
import { journal } from '../../protocols/messages.js';
import type { Hosted } from './hosted.js';
import { OUTBOX_EVENTS, type OutboxEvent } from './outbox.js';
import { beginCommit, type PartitionState } from './state.js';
import { BARRIER_EVENTS, type BarrierEvent } from './version-barrier.js';

/**
 * Folds a commit of the journal.
 * @param before called for each event before it is folded
 * @throws RepriseError FOLD_DIVERGED, JOURNAL_TOO_NEW
 */
export function foldCommit(
  state: PartitionState, commit: journal.Commit, seq: number, before?: (event: journal.Event, at: Place) => void,
): void {
  const { nowMs } = commit;
  beginCommit(state, seq, nowMs);
  state.journalId = commit.journalId as PartitionState['journalId'];
  commit.events.forEach((event, index) => {
    const at = { seq, index, nowMs };
    before?.(event as journal.Event, at);
    foldStored(state, event as journal.Event, at);
  });
}

export type Place = Pick<At, 'seq' | 'index' | 'nowMs'>;
type PlaceAndContent = Omit<At, 'place'>;

function foldStored(state: PartitionState, event: journal.Event, at: Place): void {
  const hosted = state.cast.get(event.kind);
  if (hosted === undefined) return foldOwn(state, event, at);
  const decoded = decodeStored(hosted, event, at);
  fold(state, hosted, event.id, decoded, { ...at, content: decoded.content }, causeOf(event));
}

export function decodeStored({ kind }: Hosted, event: journal.Event, at: Place): ActorEvent & Decoded {
  return decodeEvent(kind.events, event, `${at.seq}.${at.index}, ${event.kind} ${event.id}`);
}

export function causeOf({ cause }: journal.Event): Cause {
  return { commandId: cause?.commandId ?? '', type: cause?.type ?? '', by: cause?.by ?? '' };
}

/** The kind of the partition's own events. There is no actor of that kind. */
export const PARTITION = 'partition';

function foldOwn(state: PartitionState, event: journal.Event, { seq, index }: Place): void {
  const { kind, type, version, body } = event;
  if (kind === PARTITION && type === 'LeaderStarted' && version === 1) {
    state.epoch = journal.LeaderStarted.decode(body).epoch;
  } else if (kind === PARTITION && type === 'VersionBarrier') {
    foldBarrier(state, decodeEvent<BarrierEvent>(BARRIER_EVENTS, event, `${seq}.${index}`));
  } else if (kind === PARTITION && type === 'JournalRestored' && version === 1) {
    // What was restored is in the commits before it, and its epoch is in the LeaderStarted beside it.
  } else if (kind === PARTITION) {
    const decoded = decodeEvent<OutboxEvent>(OUTBOX_EVENTS, event, `${seq}.${index}`);
    state.outbox.apply(decoded, seq, decoded.content);
  } else {
    const which = `The event ${kind}/${type} at ${seq}.${index}`;
    throw new RepriseError('JOURNAL_TOO_NEW', `${which} is of a kind that this version does not know.`);
  }
}

/** A higher one may follow, when a later release writes something newer still. */
export function foldBarrier(state: PartitionState, { body: { reader, release } }: BarrierEvent): void {
  state.versionBarrier = { reader, release };
}

/** Folds one event of an actor, which may be its first. */
export function fold(
  state: PartitionState, hosted: Hosted, id: string, event: ActorEvent, at: PlaceAndContent, cause: Cause,
  before = hosted.store.get(id),
): Actor {
  const { kind, store } = hosted;
  follow(kind.chart, id, before?.status ?? 'absent', event, at);
  const beforeDueMs = before === undefined ? 0 : (kind.dueMs?.(before) ?? 0);
  if (before !== undefined) store.leave(before);
  const { seq, index, nowMs, content } = at;
  const changed = kind.apply(before, event, id, { seq, index, nowMs, content, place: hosted.seen });
  if (before === undefined) hosted.seen += 1;
  const actor = store.enter(changed, before === undefined, event);
  const dueMs = kind.dueMs?.(actor) ?? 0;
  if (dueMs !== beforeDueMs) state.timers.change(hosted, id, beforeDueMs, dueMs);
  if (cause.commandId !== '' && !state.commands.has(cause.commandId)) {
    const fingerprint = kind.events[event.type]?.fingerprint?.(event.body);
    state.commands.add(cause.commandId, cause.type, id, fingerprint, nowMs);
  }
  return actor;
}

function follow(chart: Chart, id: string, from: string, { type, body }: ActorEvent, { seq, index }: Place): void {
  const next = chart.next(from, type);
  if (next === body.status) return;
  throw new RepriseError(
    'FOLD_DIVERGED',
    `${id}: ${type} at ${seq}.${index} names status ${body.status}, `
      + `but from ${from} the chart leads to ${next ?? 'no status'}`,
  );
}
