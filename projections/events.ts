/**
 * Re-publishes committed facts, each on a subject of its own, for whoever watches: at least once, those of a kind in order.
 * Those of jobs only while somebody listens: three a job are a fifth of a broker's work and two fifths of its server's.
 */
import protobuf from 'protobufjs/minimal.js';
import type { EventName } from '../actors/partition/batch.js';
import type { Committed } from '../actors/partition/committed.js';
import type { Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import { eventOffsets } from '../streams/commit.js';
import { Audience } from './audience.js';
import type { Checkpoint, Projection } from './projection.js';

/** The message comes in pieces, to be laid behind one another. */
export type Publish = (subject: string, parts: readonly Uint8Array[]) => void;

/** The one kind that has facts by the thousand a second. */
const MANY = 'job';

export class EventsProjection implements Projection {
  readonly name = 'events';
  private readonly audience: Audience;
  private folding: Committed | undefined;
  private attended = true;
  private published: Committed | undefined;
  private head: Uint8Array = new Uint8Array();
  private offsets: Uint32Array = new Uint32Array();

  /** @param anybody resolves to false only if nobody can have listened to facts of jobs when it was called */
  constructor(
    private readonly ns: Namespace,
    private readonly publish: Publish,
    anybody: () => Promise<boolean>,
  ) {
    this.audience = new Audience({ ask: anybody, publish: (commit) => this.publishJobs(commit) });
  }

  get settled(): Checkpoint | undefined {
    return this.audience.settled;
  }

  evolve(event: EventName, index: number, commit: Committed): void {
    if (commit !== this.folding) {
      this.folding = commit;
      this.attended = this.audience.attends(commit);
    }
    if (this.attended || event.kind !== MANY) this.publishFact(event, index, commit);
  }

  private publishJobs(commit: Committed): void {
    for (const [index, event] of commit.events.entries()) if (event.kind === MANY) this.publishFact(event, index, commit);
  }

  private publishFact({ kind, id, type }: EventName, index: number, commit: Committed): void {
    if (commit !== this.published) {
      this.published = commit;
      this.head = factHead(commit);
      this.offsets = eventOffsets(commit.bytes);
    }
    const event = commit.bytes.subarray(this.offsets[2 * index], this.offsets[2 * index + 1]);
    this.publish(subjects.event(this.ns, kind, id, type), [this.head, factIndex(index, event.length), event]);
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
