/**
 * A kind of actor: jobs, workers, queues. The core of a partition uses every kind through this interface only. A new
 * kind is a folder beside this file and a line in kinds.ts.
 */
import type protobuf from 'protobufjs/minimal.js';
import { RepriseError } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import { decodeLeniently } from '../protocols/lenient.js';
import type { journal } from '../protocols/messages.js';
import { unsaltedRef, type ContentRef } from '../streams/content.js';
import { contentRefOf } from '../streams/contents.js';
import type { Kept } from './actor/aside.js';
import type { Chart } from './chart.js';
import type { Part, PartBytes } from './rows/parts.js';
import type { Again, Recorded } from './recorded.js';

/** An actor in its store: plain data. */
export interface Actor {
  readonly id: string;
  readonly status: string;
}

/** An event as it is decided and folded. `body.status` is the status that it leads to. */
export interface ActorEvent {
  readonly type: string;
  readonly body: { readonly status: string };
}

/** Position and time of an event in the journal. */
export interface At {
  readonly seq: number;
  readonly index: number;
  readonly nowMs: number;
  /** How many actors of the kind the partition had seen before. */
  readonly place: number;
  /** Hash and size of the event's content; undefined if it has none. */
  readonly content: ContentRef | undefined;
}

/** The protobuf message of an event's body. */
export interface BodyMessage {
  encode(body: object, writer?: protobuf.Writer): protobuf.Writer;
  decode(reader: protobuf.Reader): object;
}

/**
 * The part of a body that is content: a payload, a result, the text of an error. It is stored outside the hashed part.
 */
export interface BodyContent {
  /** Number of the length-delimited field of the message that it belongs to. */
  readonly field: number;
  /** As the bytes of that field. Empty: this body has none. */
  bytes(body: object): Uint8Array;
  /** The body as it is hashed. The field may be set in part; the content is merged into it. */
  without(body: object): object;
}

export interface EventType {
  /** The version of the body that is written. */
  readonly version: number;
  readonly message: BodyMessage;
  /** At most one. */
  readonly content?: BodyContent;
  /** What a repeated command must be equal to, in 32 bytes. Remembered with the id of the command. */
  fingerprint?(body: object): Uint8Array | undefined;
  /**
   * The number that a reader must have to read this type in this version ({@link READER} of the release that brings
   * it). Before the first such event the core writes a VersionBarrier, where older brokers halt. Absent: release 0.3.0
   * reads it.
   */
  readonly since?: number;
  /** Whether this body is one that readers before `since` cannot read. Absent: every one is. */
  needsSince?(body: object): boolean;
  /** Upcasters: decode bodies of older versions into the current form. */
  readonly older?: Readonly<Record<number, (bytes: Uint8Array) => object>>;
}

export type EventTable<E extends ActorEvent = ActorEvent> = Readonly<Record<E['type'], EventType>>;

/** An event as it is read from the journal, with its content put back unless that was removed. */
export interface StoredEvent {
  readonly type: string;
  readonly version: number;
  readonly body: Uint8Array;
  readonly content?: journal.ContentHash.$Properties | null;
}

/** What the journal has of an event beside its body. */
export interface Decoded {
  /** undefined: it never had any. */
  readonly content: ContentRef | undefined;
  /** The body lacks its content. */
  readonly isContentRemoved: boolean;
}

/**
 * The generated classes fill every absent field with its default, which is what the types of bodies promise.
 * @throws RepriseError JOURNAL_TOO_NEW for a type or a version that the table does not have
 */
export function decodeEvent<E extends ActorEvent>(
  events: EventTable<E>, stored: StoredEvent, where: string,
): E & Decoded {
  const { type, version } = stored;
  const known = Object.hasOwn(events, type) ? events[type as E['type']] : undefined;
  if (known === undefined) {
    throw new RepriseError('JOURNAL_TOO_NEW', `${where}: the event ${type} is unknown to this version.`);
  }
  const body = decodeBody(known, stored);
  if (body) return { type, body, ...contentOf(known, stored, body) } as unknown as E & Decoded;
  throw new RepriseError(
    'JOURNAL_TOO_NEW',
    `${where}: version ${version} of the event ${type} is unknown to this version, which reads ${known.version}.`,
  );
}

function decodeBody(known: EventType, { version, body }: StoredEvent): object | undefined {
  if (version === known.version) return decodeLeniently<object>(known.message, body);
  return known.older?.[version]?.(body);
}

const NO_CONTENT: Decoded = { content: undefined, isContentRemoved: false };

/** Content inside the body, as in a commit of version 1, is identified by a hash without salt. */
function contentOf({ content }: EventType, stored: StoredEvent, body: object): Decoded {
  const apart = contentRefOf(stored);
  if (content === undefined) return apart ? { content: apart, isContentRemoved: false } : NO_CONTENT;
  const bytes = content.bytes(body);
  if (apart) return { content: apart, isContentRemoved: bytes.length === 0 };
  return bytes.length === 0 ? NO_CONTENT : { content: unsaltedRef(bytes), isContentRemoved: false };
}

/** All actors of a kind in one partition: the state and its indexes, both made by folding. */
export interface Store<A extends Actor = Actor> {
  get(id: string): A | undefined;
  /** Whether it is the stored actor, not a copy. */
  owns(actor: Readonly<A>): boolean;
  all(): Iterable<Readonly<A>>;
  /** The actor is about to change: it is removed from the indexes. */
  leave(actor: A): void;
  /** The actor has changed, or is new: it is stored and added to the indexes. @returns the stored actor */
  enter(actor: A, isNew: boolean, event: ActorEvent): A;
  /**
   * The actor is set aside: it has left the indexes, and is taken out. What its kind needs to take it back is returned;
   * undefined if it begins anew.
   */
  remove(actor: A): Kept | undefined;
  /** One that is set aside is taken back with a status, and added to the indexes. @param seq of the commit */
  takeBack?(kept: Kept, status: string, seq: number): A;
  /** One that is set aside is forgotten. */
  dropped?(kept: Kept | undefined, nowMs: number): void;
  /** A commit begins: what is too old at its time is forgotten. */
  begin(nowMs: number): void;
  /** The canonical view: plain data, equal for equal journals. Content is in it by hash and size. */
  view(): object;
  /** The content of the view, or its position. Not part of the view. */
  places?(): object;
  /**
   * Where the contents are that actors still need, of commits up to a position: they are kept when the journal is
   * truncated. It may give undefined in between, where the caller may pause; actors change meanwhile.
   * @param setAside what is kept of those that are set aside, which may be taken back
   */
  needed?(
    upToSeq: number, setAside: Iterable<Kept>,
  ): Iterable<{ readonly seq: number; readonly index: number } | undefined>;
  /** Its state as it is now, for a snapshot. Absent: it is small, and is encoded at once from its view and places. */
  freeze?(): Part[];
  /** Into an empty store. @param parts of {@link freeze} @throws RangeError if parts are missing */
  thaw?(parts: PartBytes): void;
  /** Into an empty store. @param view of {@link view}, @param places of {@link places}, perhaps through JSON */
  restore(view: object, places: object): void;
}

/** The types of one kind, under one name. */
export interface Role {
  readonly actor: Actor;
  readonly event: ActorEvent;
  readonly store: Store;
  /** What steps may read of the store. */
  readonly reading: object;
  /** Volatile knowledge of a leader about the kind. It is lost with the leader, and the next one gets it again. */
  readonly live: object;
}

/** Queues that are held, by name. */
export interface Held extends Iterable<string> {
  has(queue: string): boolean;
  /** Infinity while whole groups are held. Then more have it than it yields. */
  readonly size: number;
}

/**
 * How actors of a kind are folded. Commands, timers and what a leader does with them are added in the cast list.
 * Methods are bivariant, so `Kind<JobRole>` is assignable to `Kind`.
 */
export interface Kind<R extends Role = Role> {
  readonly name: string;
  readonly chart: Chart;
  readonly events: EventTable;
  /**
   * It came after the first views were recorded: it is in views and snapshots once there was an actor of it, so that
   * those of older journals stay equal.
   */
  readonly isLater?: true;
  /** Empty, to be filled by folding. */
  open(partition: Partition): R['store'];
  /** Applies an event: changes the actor in place, or makes it. No clock, no chance, no policy. */
  apply(actor: R['actor'] | undefined, event: R['event'], id: string, at: At): R['actor'];
  /**
   * Makes the decision of an event again, from the journal alone: by the functions that decide it, with what it took
   * from outside. The same rules give an equal event.
   * @param actor before the event; undefined if it did not exist
   */
  decideAgain(actor: Readonly<R['actor']> | undefined, recorded: Recorded<R['event']>): Again<R['event']>;
  /** A copy that may be kept after the step, of an actor that is only valid within it. */
  detached?(actor: Readonly<R['actor']>): R['actor'];
  /** Whether its store has forgotten the actor, although its status is not final: its next event is its first. */
  hasLeft?(actor: Readonly<R['actor']>): boolean;
  /** When time has something to do with the actor, in Unix milliseconds; 0: never. Asked after every event. */
  dueMs?(actor: R['actor']): number;
  /** The queues that neither accept nor lease jobs. Asked for every lease. */
  holds?(store: R['store']): Held;
  /** Why it holds one of them. A kind that holds queues has this method. */
  whyHeld?(store: R['store'], queue: string): string;
}
