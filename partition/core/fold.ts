/**
 * Folding: one event changes one actor and the indexes of its kind. The leader folds new events with the same functions
 * that replay uses, so the two cannot diverge. A stored event that cannot be folded sets its actor aside.
 */
import type { AsideActor, AsideReason, Repair } from '../../actors/actor/aside.js';
import type { Chart } from '../../actors/chart.js';
import { decodeEvent, type Actor, type ActorEvent, type At, type Decoded, type EventTable } from '../../actors/kind.js';
import type { Cause } from '../../actors/step.js';
import { RepriseError } from '../../protocols/errors.js';
import { journal } from '../../protocols/messages.js';
import { ASIDE_EVENTS, type AsideBodies, type AsideEvent } from './aside-events.js';
import type { Hosted } from './hosted.js';
import { OUTBOX_EVENTS, type OutboxEvent } from './outbox.js';
import { RETENTION_EVENTS, type RetentionEvent } from './retention.js';
import { beginCommit, type PartitionState } from './state.js';
import { TRUNCATION_EVENTS, type TruncationEvent } from './truncation-event.js';
import { BARRIER_EVENTS, type BarrierEvent } from './version-barrier.js';

/**
 * Folds a commit of the journal.
 * @param before called for each event before it is folded
 * @throws RepriseError FOLD_DIVERGED for an event of the partition itself, JOURNAL_TOO_NEW
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
  if (state.aside.skips(event.kind, event.id)) return rememberCommand(state, event.id, causeOf(event), at);
  const before = hosted.store.get(event.id);
  const seen = hosted.seen;
  // Of the actor as it was: a row changes in place.
  const status = before?.status ?? ABSENT;
  let reason: AsideReason = 'body';
  try {
    const decoded = decodeStored(hosted, event, at);
    reason = 'chart';
    follow(hosted.kind.chart, event.id, status, decoded);
    reason = 'apply';
    fold(state, hosted, event.id, decoded, { ...at, content: decoded.content }, causeOf(event), before);
  } catch (error) {
    if (!isPoison(error)) throw error;
    hosted.seen = seen + (before === undefined && isFirst(hosted, event.type) ? 1 : 0);
    setAside(state, hosted, { id: event.id, reason, type: event.type, status, detail: '' }, at);
    rememberCommand(state, event.id, causeOf(event), at);
  }
}

/** The status of an actor that does not exist. */
export const ABSENT = 'absent';

/**
 * Whether every reader fails at the event. One that is too new is none of it, nor is a machine that has no memory left.
 */
function isPoison(error: unknown): boolean {
  if (error instanceof RepriseError) return error.code === 'FOLD_DIVERGED';
  return !(error instanceof RangeError && OF_THE_MACHINE.test(error.message));
}

const OF_THE_MACHINE = /allocation failed|call stack/;

const isFirst = ({ kind: { chart } }: Hosted, type: string): boolean => chart.next(chart.initial, type) !== undefined;

type Why = Pick<AsideActor, 'id' | 'reason' | 'type' | 'status' | 'detail'>;

/** The actor leaves the state. What is left of its timer fires for nothing. */
export function setAside(state: PartitionState, hosted: Hosted, why: Why, { seq, index, nowMs }: Place): void {
  const { kind, store } = hosted;
  const actor = store.get(why.id);
  // An event that failed while it was applied has taken the actor out of the indexes, and may have changed its status.
  if (actor !== undefined && why.reason !== 'apply') store.leave(actor);
  if (actor !== undefined) Object.assign(actor, { status: why.status });
  const kept = actor && store.remove(actor);
  state.aside.add({ kind: kind.name, ...why, seq, index, sinceMs: nowMs, skipped: 0 }, kept);
}

/** So that a command that was accepted is not done once more. */
function rememberCommand(
  { commands }: PartitionState, id: string, { commandId, type }: Cause, { nowMs }: Pick<At, 'nowMs'>,
): void {
  if (commandId !== '' && !commands.has(commandId)) commands.add(commandId, type, id, undefined, nowMs);
}

export function decodeStored({ kind }: Hosted, event: journal.Event, at: Place): ActorEvent & Decoded {
  return decodeEvent(kind.events, event, `${at.seq}.${at.index}, ${event.kind} ${event.id}`);
}

export function causeOf({ cause }: journal.Event): Cause {
  return { commandId: cause?.commandId ?? '', type: cause?.type ?? '', by: cause?.by ?? '' };
}

/** The kind of the partition's own events. There is no actor of that kind. */
export const PARTITION = 'partition';

function foldOwn(state: PartitionState, event: journal.Event, at: Place): void {
  const { seq, index } = at;
  const { kind, type, version, body } = event;
  if (kind === PARTITION && type === 'LeaderStarted' && version === 1) {
    state.epoch = journal.LeaderStarted.decode(body).epoch;
  } else if (kind === PARTITION && type === 'VersionBarrier') {
    foldBarrier(state, decodeEvent<BarrierEvent>(BARRIER_EVENTS, event, `${seq}.${index}`));
  } else if (kind === PARTITION && type === 'JournalRestored' && version === 1) {
    // What was restored is in the commits before it, and its epoch is in the LeaderStarted beside it.
  } else if (kind === PARTITION) {
    const decoded = decodeEvent<OwnEvent>(OWN_EVENTS, event, `${seq}.${index}`);
    applyOwn(state, decoded, { ...at, content: decoded.content }, causeOf(event));
  } else {
    const which = `The event ${kind}/${type} at ${seq}.${index}`;
    throw new RepriseError('JOURNAL_TOO_NEW', `${which} is of a kind that this version does not know.`);
  }
}

/** Of the outbox, of actors that are set aside, of the truncation, of settings. */
export type OwnEvent = OutboxEvent | AsideEvent | TruncationEvent | RetentionEvent;
export const OWN_EVENTS: EventTable<OwnEvent> = {
  ...OUTBOX_EVENTS, ...ASIDE_EVENTS, ...TRUNCATION_EVENTS, ...RETENTION_EVENTS,
};

export function applyOwn(state: PartitionState, event: OwnEvent, at: PlaceAndContent, cause: Cause): void {
  switch (event.type) {
    case 'ActorSetAside': return setAsideByDecision(state, event.body, at);
    case 'ActorRepaired':
      rememberCommand(state, event.body.id, cause, at);
      return repair(state, event.body, at);
    case 'JournalTruncated':
      state.truncated = { seq: event.body.seq, hash: Buffer.from(event.body.hash).toString('hex') };
      return;
    case 'RetentionSet':
      rememberCommand(state, event.body.queue, cause, at);
      return state.retention.apply(event.body, cause.by, at.nowMs);
    default: return state.outbox.apply(event, at.seq, at.content);
  }
}

function setAsideByDecision(state: PartitionState, { kind, id, why }: AsideBodies['ActorSetAside'], at: Place): void {
  const hosted = state.cast.get(kind);
  const status = hosted?.store.get(id)?.status;
  if (hosted === undefined || status === undefined) return;
  setAside(state, hosted, { id, reason: 'decision', type: 'ActorSetAside', status, detail: why }, at);
}

function repair(state: PartitionState, { kind, id, as }: Repair, at: Place): void {
  const hosted = state.cast.get(kind);
  const kept = state.aside.kept(kind, id);
  if (hosted === undefined || state.aside.get(kind, id) === undefined) return;
  state.aside.delete(kind, id);
  if (as === '') return hosted.store.dropped?.(kept, at.nowMs);
  const actor = kept && hosted.store.takeBack?.(kept, as, at.seq);
  const dueMs = actor ? (hosted.kind.dueMs?.(actor) ?? 0) : 0;
  if (dueMs > 0) state.timers.change(hosted, id, 0, dueMs);
}

/** A higher one may follow, when a later release writes something newer still. */
export function foldBarrier(state: PartitionState, { body: { reader, release } }: BarrierEvent): void {
  state.versionBarrier = { reader, release };
}

/** Folds one event of an actor, which may be its first, and may follow: see {@link follow}. */
export function fold(
  state: PartitionState, hosted: Hosted, id: string, event: ActorEvent, at: PlaceAndContent, cause: Cause,
  before: Actor | undefined,
): Actor {
  const { kind, store } = hosted;
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

/** @throws RepriseError FOLD_DIVERGED for an event that may not happen to an actor of this status */
export function follow(chart: Chart, id: string, from: string, { type, body }: ActorEvent): void {
  const next = chart.next(from, type);
  if (next === body.status) return;
  throw new RepriseError(
    'FOLD_DIVERGED',
    `${id}: ${type} names status ${body.status}, but from ${from} the chart leads to ${next ?? 'no status'}`,
  );
}
