/**
 * The state of a partition: plain data, folded from its journal and nothing else. Volatile knowledge of a leader
 * (sessions, open pulls, the time of a worker's last request) is in the live part of a kind, not here.
 */
import type { AsideActor } from '../../actors/actor/aside.js';
import type { Store } from '../../actors/kind.js';
import { listIn, listPart, type Part, type PartBytes } from '../../actors/rows/parts.js';
import type { RetentionSetting } from '../../actors/retention/retention.js';
import type { CommandEntry } from '../../actors/step.js';
import type { JournalId, Partition } from '../../protocols/ids.js';
import { Aside } from './aside.js';
import { CommandIds } from './command-ids.js';
import type { Cast, Hosted } from './hosted.js';
import { Outbox } from './outbox.js';
import { Retention } from './retention.js';
import { Timers } from './timers.js';
import type { Truncated } from './truncation-event.js';
import type { VersionBarrier } from './version-barrier.js';

export interface PartitionState {
  readonly partition: Partition;
  journalId: JournalId | '';
  epoch: number;
  /** Of the last commit. */
  seq: number;
  nowMs: number;
  readonly cast: Cast;
  /** Derived from the actors, and no part of the view. */
  readonly timers: Timers;
  readonly commands: CommandIds;
  readonly outbox: Outbox;
  /** The last one; undefined while release 0.3.0 can read the whole journal. */
  versionBarrier: VersionBarrier | undefined;
  readonly aside: Aside;
  /** How far the journal is truncated; undefined while it begins at its beginning. */
  truncated: Truncated | undefined;
  readonly retention: Retention;
}

export const newState = (partition: Partition, cast: Cast): PartitionState => ({
  partition, journalId: '', epoch: 0, seq: 0, nowMs: 0, cast, timers: new Timers(), commands: new CommandIds(partition),
  outbox: new Outbox(), versionBarrier: undefined, aside: new Aside(), truncated: undefined,
  retention: new Retention(),
});

/** A commit begins: the time advances, and what is too old is forgotten. */
export function beginCommit(state: PartitionState, seq: number, nowMs: number): void {
  state.seq = seq;
  state.nowMs = nowMs;
  for (const { store } of state.cast.values()) store.begin(nowMs);
  state.commands.forget(nowMs);
}

interface View {
  readonly version: 2;
  readonly partition: Partition;
  readonly journalId: JournalId | '';
  readonly epoch: number;
  readonly seq: number;
  readonly nowMs: number;
  readonly commands: readonly [string, CommandEntry][];
  readonly outbox: object;
  /** Absent if there is none, so that views of older journals stay equal. */
  readonly versionBarrier?: VersionBarrier;
  readonly aside?: readonly AsideActor[] | undefined;
  readonly truncated?: Truncated | undefined;
  readonly retention?: readonly RetentionSetting[] | undefined;
  /** By kind: how many actors were seen, and the view of its store. */
  readonly kinds: Readonly<Record<string, { readonly seen: number; readonly state: object }>>;
}

/** The canonical view: equal for equal journals, on every machine and in every release that keeps its version. */
export function viewOf({ partition, journalId, epoch, seq, nowMs, versionBarrier, ...of }: PartitionState): View {
  const { commands, outbox, cast, aside, truncated, retention } = of;
  const kinds = Object.fromEntries(shown(cast).map(([name, { seen, store }]) => [name, { seen, state: store.view() }]));
  return {
    version: 2, partition, journalId, epoch, seq, nowMs, commands: [...commands], outbox: outbox.view(),
    ...(versionBarrier && { versionBarrier: { ...versionBarrier } }), ...(aside.size > 0 && { aside: aside.view() }),
    ...(truncated && { truncated: { ...truncated } }),
    ...(retention.size > 0 && { retention: retention.view() }), kinds,
  };
}

const shown = (cast: Cast): [string, Hosted][] => [...cast].filter(([, { kind, seen }]) => !kind.isLater || seen > 0);

interface Places {
  readonly outbox: object;
  readonly aside?: ReturnType<Aside['places']>;
  readonly kinds: Readonly<Record<string, object>>;
}

/** Where the content is that the view has by hash and size. Not part of the view, but needed to restore the state. */
export function placesOf({ outbox, cast, aside }: PartitionState): Places {
  const kinds = Object.fromEntries(shown(cast).map(([name, { store }]) => [name, store.places?.() ?? {}]));
  return { outbox: outbox.places(), ...(aside.size > 0 && { aside: aside.places() }), kinds };
}

/** What is not of a kind. */
type OwnInView =
  | 'journalId' | 'epoch' | 'seq' | 'nowMs' | 'outbox' | 'versionBarrier' | 'aside' | 'truncated' | 'retention';
interface Own extends Pick<View, OwnInView> {
  readonly outboxPlaces: object;
  readonly asidePlaces?: ReturnType<Aside['places']>;
  readonly seen: Readonly<Record<string, number>>;
}

/** The state as it is now, for a snapshot. It takes a moment, and may be read while the state goes on. */
export function freeze({ journalId, epoch, seq, nowMs, versionBarrier, ...of }: PartitionState): Part[] {
  const { commands, outbox, cast, aside, truncated, retention } = of;
  const seen = Object.fromEntries(shown(cast).map(([name, hosted]) => [name, hosted.seen]));
  const own: Own = {
    journalId, epoch, seq, nowMs, versionBarrier, truncated, seen, outbox: outbox.view(), outboxPlaces: outbox.places(),
    ...(aside.size > 0 && { aside: aside.view(), asidePlaces: aside.places() }),
    ...(retention.size > 0 && { retention: retention.view() }),
  };
  const kinds = shown(cast).flatMap(([name, { store }]) => under(name, store.freeze?.() ?? [viewPart(store)]));
  return [listPart('partition', own), ...under('commands', commands.freeze()), ...kinds];
}

const VIEW_PART = 'view';
const viewPart = (store: Store): Part => listPart(VIEW_PART, { view: store.view(), places: store.places?.() ?? {} });

const under = (name: string, parts: readonly Part[]): Part[] =>
  parts.map((part) => ({ name: `${name}/${part.name}`, bytes: () => part.bytes(), hash: () => part.hash() }));

/** Fills a new state. @param parts of {@link freeze} @throws RangeError if parts are missing or of another layout */
export function thaw(state: PartitionState, parts: PartBytes): void {
  const { seen, outbox, outboxPlaces, aside, asidePlaces, retention, ...own } = listIn<Own>(parts, 'partition');
  const unknown = Object.keys(seen).filter((name) => !state.cast.has(name));
  if (unknown.length > 0) throw new RangeError(`this version has no kind ${unknown.join()}`);
  Object.assign(state, own);
  state.aside.restore(aside, asidePlaces);
  state.retention.restore(retention);
  state.commands.thaw(partsUnder('commands', parts));
  state.outbox.restore(outbox, outboxPlaces);
  for (const [name, hosted] of state.cast) {
    // A kind that is newer than the snapshot.
    if (seen[name] === undefined) continue;
    hosted.seen = seen[name];
    thawStore(hosted.store, partsUnder(name, parts));
    setTimers(state, hosted);
  }
}

function thawStore(store: Store, parts: PartBytes): void {
  if (store.thaw) return store.thaw(parts);
  const { view, places } = listIn<{ view: object; places: object }>(parts, VIEW_PART);
  store.restore(view, places);
}

function partsUnder(name: string, parts: PartBytes): PartBytes {
  const prefix = `${name}/`;
  const found = [...parts].filter(([of]) => of.startsWith(prefix));
  return new Map(found.map(([of, bytes]) => [of.slice(prefix.length), bytes]));
}

function setTimers({ timers }: PartitionState, hosted: Hosted): void {
  if (hosted.kind.dueMs === undefined) return;
  for (const actor of hosted.store.all()) timers.change(hosted, actor.id, 0, hosted.kind.dueMs(actor));
}

/** Fills a new state. @param view of {@link viewOf}, @param places of {@link placesOf}, perhaps through JSON */
export function restore(state: PartitionState, view: unknown, places: unknown): void {
  const at = places as Places;
  const { journalId, epoch, seq, nowMs, commands, outbox, versionBarrier, kinds, ...own } = view as View;
  const { aside, truncated, retention } = own;
  Object.assign(state, { journalId, epoch, seq, nowMs, versionBarrier, truncated });
  state.aside.restore(aside, at.aside);
  state.retention.restore(retention);
  for (const [name, { type, id, fingerprint, atMs }] of commands) {
    state.commands.add(name, type, id, Buffer.from(fingerprint, 'hex'), atMs);
  }
  state.outbox.restore(outbox, at.outbox);
  for (const [name, hosted] of state.cast) {
    const of = kinds[name];
    if (of === undefined) continue;
    hosted.seen = of.seen;
    hosted.store.restore(of.state, at.kinds[name] ?? {});
    setTimers(state, hosted);
  }
}
