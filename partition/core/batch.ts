/**
 * A commit in the making: events that were decided and folded already, encoded, and the words that wait for its
 * acknowledgement.
 */
import protobuf from 'protobufjs/minimal.js';
import type { EventType } from '../../actors/kind.js';
import { LIMITS } from '../../protocols/limits.js';
import { EVENTS_TAG } from '../../streams/commit.js';
import type { Effect } from '../../actors/effect.js';
import type { Cause } from '../../actors/step.js';
import type { EventName } from '../../streams/committed.js';

/** No decision makes more events than this, so a batch with this much room takes any. */
const EVENTS_PER_DECISION = 3;
const EVENT_OVERHEAD_BYTES = 4_096;

export class Batch {
  readonly events: EventName[] = [];
  readonly effects: Effect[] = [];
  private closed: Uint8Array | undefined;

  /**
   * @param nowMs the one time of all its events, set when the first is made
   * @param writer shared with the batches before, which are closed
   */
  constructor(
    readonly seq: number,
    readonly nowMs: number,
    private readonly maxBytes: number,
    private readonly writer: protobuf.Writer,
  ) {}

  hasRoom(bytes: number): boolean {
    return (
      this.events.length + EVENTS_PER_DECISION <= LIMITS.commitEvents &&
      this.writer.pos + bytes + EVENTS_PER_DECISION * EVENT_OVERHEAD_BYTES <= this.maxBytes
    );
  }

  add(kind: string, id: string, type: string, cause: Cause, of: EventType, body: object): void {
    writeEvent(this.writer, kind, id, type, cause, of, body);
    this.events.push({ kind, id, type });
  }

  /** Nothing more is added: the writer is free for the next batch. */
  close(): void {
    if (this.events.length === 0) return;
    this.closed = this.writer.finish();
    this.writer.reset();
  }

  /** The events as they will lie in the commit. */
  get encodedEvents(): Uint8Array {
    if (this.closed === undefined) throw new TypeError(`batch ${this.seq} is not closed`);
    return this.closed;
  }
}

/**
 * A journal.Event as one of a commit's, written field by field: it is made three times a job. Its body is encoded in
 * place, and what the events of one command share is encoded once.
 */
function writeEvent(writer: protobuf.Writer, kind: string, id: string, type: string, cause: Cause, of: EventType, body: object): void {
  writer.uint32(EVENTS_TAG).fork();
  writer.raw(sharedFields(kind, type, of.version, cause)).uint32(18).string(id);
  of.message.encode(body, writer.uint32(50).fork()).ldelim();
  writer.ldelim();
}

let last: { readonly kind: string; readonly type: string; readonly cause: Cause; readonly bytes: Uint8Array } | undefined;

/** Kind, type, version and cause. A command hands the same cause to all its events, so one look back is enough. */
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
