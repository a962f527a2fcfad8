/**
 * A batch becomes a commit: encoded events that were decided and folded, and the effects that wait for the commit's
 * acknowledgement, such as replies.
 */
import protobuf from 'protobufjs/minimal.js';
import type { Effect } from '../../actors/effect.js';
import type { EventType } from '../../actors/kind.js';
import type { Cause, Taken } from '../../actors/step.js';
import { LIMITS } from '../../protocols/limits.js';
import { CommitBody, EVENTS_TAG } from '../../streams/commit.js';
import type { EventName } from '../../streams/committed.js';
import { ContentWriter, type ContentRef, type Salts } from '../../streams/content.js';

/** How many events a decision may make, unless it makes room for more. */
export const EVENTS_PER_DECISION = 3;
/** Of an event, beside its content. */
const EVENT_OVERHEAD_BYTES = 4_096;

/** What a decision may write that made room for so much content and so many events. */
export const roomBytes = (bytes: number, events: number): number => bytes + events * EVENT_OVERHEAD_BYTES;

export class Batch {
  readonly events: EventName[] = [];
  readonly effects: Effect[] = [];
  /** Of a VersionBarrier in it; 0: it has none. */
  neededReader = 0;
  private closed: CommitBody | undefined;

  /**
   * @param nowMs the time of all its events, set when the first is made
   * @param writer shared with the earlier batches, which are closed
   */
  constructor(
    readonly seq: number,
    readonly nowMs: number,
    private readonly maxBytes: number,
    private readonly writer: EventWriter,
  ) {}

  hasRoom(bytes: number, events: number): boolean {
    return (
      this.events.length + events <= LIMITS.commitEvents &&
      this.writer.size + roomBytes(bytes, events) <= this.maxBytes
    );
  }

  /** @returns hash and size of the event's content, for the fold; undefined if it has none */
  add(
    kind: string, id: string, type: string, cause: Cause, of: EventType, body: object, taken?: Taken,
  ): ContentRef | undefined {
    const content = this.writer.write(this.events.length, kind, id, type, cause, of, body, taken);
    this.events.push({ kind, id, type });
    return content;
  }

  /** After this nothing may be added, and the writer is free for the next batch. */
  close(): void {
    if (this.events.length > 0) this.closed = this.writer.finish();
  }

  /** The events and contents, encoded as in the commit. */
  get body(): CommitBody {
    if (this.closed === undefined) throw new TypeError(`batch ${this.seq} is not closed`);
    return this.closed;
  }
}

/** Tags of journal.Event and of its messages, for the fields that are written one by one. */
const BODY_TAG = (6 << 3) | 2;
const CONTENT_TAG = (7 << 3) | 2;
const INPUT_TAG = (8 << 3) | 2;
const HASH_BYTES = 32;
/** Of journal.ContentHash: the hash, and the tag of `size` behind it. */
const HASH_TAG = (1 << 3) | 2;
const SIZE_TAG = 2 << 3;
const FIELD_TAG = 3 << 3;

/** Writes the events of one batch after another. */
export class EventWriter {
  private readonly events = protobuf.Writer.create();
  private readonly contents = new ContentWriter();
  private readonly hash = Buffer.alloc(HASH_BYTES);

  constructor(private readonly salts: Salts) {}

  /** Of the open batch, in bytes. */
  get size(): number {
    return this.events.pos + this.contents.size;
  }

  /**
   * Writes a journal.Event as an entry of a commit, field by field, because there are three for each job. The body is
   * encoded in place, and the fields that the events of one command share are encoded once.
   */
  write(
    index: number, kind: string, id: string, type: string, cause: Cause, of: EventType, body: object, taken?: Taken,
  ): ContentRef | undefined {
    const { events } = this;
    const content = of.content?.bytes(body);
    events.uint32(EVENTS_TAG).fork();
    events.raw(sharedFields(kind, type, of.version, cause)).uint32(18).string(id);
    const ref = content?.length ? this.writeApart(index, of, body, content) : this.writeBody(of, body);
    if (taken) writeTaken(events, taken);
    events.ldelim();
    return ref;
  }

  /** Returns what was written since the last call. */
  finish(): CommitBody {
    const body = new CommitBody(this.events.pos, this.contents.size);
    this.events.finishInto(body.events);
    this.contents.finishInto(body.contents, 0);
    this.events.reset();
    return body;
  }

  private writeBody(of: EventType, body: object): undefined {
    of.message.encode(body, this.events.uint32(BODY_TAG).fork()).ldelim();
  }

  /** Writes the body without its content, and the hash of the content, which is written after the events. */
  private writeApart(index: number, of: EventType, body: object, content: Uint8Array): ContentRef {
    const { events, hash } = this;
    this.writeBody(of, of.content?.without(body) ?? body);
    const ref = { hash: this.contents.add(index, content, this.salts), size: content.length };
    hash.write(ref.hash, 'latin1');
    events.uint32(CONTENT_TAG).fork().uint32(HASH_TAG).bytes(hash);
    events.uint32(SIZE_TAG).uint32(ref.size).uint32(FIELD_TAG).uint32(of.content?.field ?? 0).ldelim();
    return ref;
  }
}

/** A journal.Input. */
function writeTaken(writer: protobuf.Writer, { draw, command }: Taken): void {
  writer.uint32(INPUT_TAG).fork();
  if (draw !== undefined) writer.uint32((1 << 3) | 1).double(draw);
  if (command?.length) writer.uint32((2 << 3) | 2).bytes(command);
  writer.ldelim();
}

interface Shared {
  readonly kind: string;
  readonly type: string;
  readonly cause: Cause;
  readonly bytes: Uint8Array;
}

let last: Shared | undefined;

/** Kind, type, version and cause. All events of a command have the same cause object, so caching the last is enough. */
function sharedFields(kind: string, type: string, version: number, cause: Cause): Uint8Array {
  if (last?.cause === cause && last.type === type && last.kind === kind) return last.bytes;
  const writer = protobuf.Writer.create();
  writer.uint32(10).string(kind).uint32(26).string(type).uint32(32).uint32(version).uint32(42).fork();
  if (cause.commandId !== '') writer.uint32(10).string(cause.commandId);
  writer.uint32(18).string(cause.type);
  if (cause.by !== '') writer.uint32(26).string(cause.by);
  const bytes = writer.ldelim().finish();
  last = { kind, type, cause, bytes };
  return bytes;
}
