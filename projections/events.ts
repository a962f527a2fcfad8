/** Re-publishes committed facts, each on a subject of its own, for whoever watches. At least once, in order. */
import protobuf from 'protobufjs/minimal.js';
import type { EncodedEvent } from '../actors/partition/batch.js';
import type { Committed } from '../actors/partition/committed.js';
import type { Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import type { Projection } from './projection.js';

/** The message comes in pieces, to be laid behind one another. */
export type Publish = (subject: string, parts: readonly Uint8Array[]) => void;

export class EventsProjection implements Projection {
  readonly name = 'events';
  private commit: Committed | undefined;
  private head: Uint8Array = new Uint8Array();

  constructor(
    private readonly ns: Namespace,
    private readonly publish: Publish,
  ) {}

  evolve(event: EncodedEvent, index: number, commit: Committed): void {
    if (commit !== this.commit) {
      this.commit = commit;
      this.head = factHead(commit);
    }
    const { bytes } = event;
    this.publish(subjects.event(this.ns, event.kind, event.id, event.type), [this.head, factIndex(index, bytes.length), bytes]);
  }
}

/**
 * A journal.Fact in three pieces: what all facts of a commit share, the index with the opening of the event, and the
 * event's own bytes, which are not encoded a second time.
 */
const factHead = ({ partition, seq, nowMs }: Committed): Uint8Array =>
  protobuf.Writer.create().uint32(8).uint32(partition).uint32(16).uint64(seq).uint32(32).uint64(nowMs).finish();

const INDEX_TAG = 24;
const EVENT_TAG = 42;

const MOST_INDEX_BYTES = 12;

function factIndex(index: number, eventBytes: number): Uint8Array {
  const bytes = new Uint8Array(MOST_INDEX_BYTES);
  bytes[0] = INDEX_TAG;
  let at = varint(index, bytes, 1);
  bytes[at] = EVENT_TAG;
  at = varint(eventBytes, bytes, at + 1);
  return bytes.subarray(0, at);
}

/** @returns where the next byte goes */
function varint(value: number, into: Uint8Array, from: number): number {
  let [rest, at] = [value, from];
  for (; rest > 127; rest >>>= 7) into[at++] = (rest & 127) | 128;
  into[at++] = rest;
  return at;
}
