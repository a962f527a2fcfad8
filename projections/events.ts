/** Re-publishes committed facts, each on a subject of its own, for whoever watches. At least once, in order. */
import protobuf from 'protobufjs/minimal.js';
import type { Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import type { EncodedEvent } from '../actors/partition/batch.js';
import type { Committed } from '../actors/partition/committed.js';
import type { Projection } from './projection.js';

export type Publish = (subject: string, data: Uint8Array) => void;

export class EventsProjection implements Projection {
  readonly name = 'events';

  constructor(
    private readonly ns: Namespace,
    private readonly publish: Publish,
  ) {}

  evolve(event: EncodedEvent, index: number, commit: Committed): void {
    this.publish(subjects.event(this.ns, event.kind, event.id, event.type), encodeFact(event.bytes, index, commit));
  }
}

/** A journal.Fact around the event's own bytes, which are not encoded a second time. */
export function encodeFact(event: Uint8Array, index: number, { partition, seq, nowMs }: Committed): Uint8Array {
  return protobuf.Writer.create()
    .uint32(8).uint32(partition).uint32(16).uint64(seq).uint32(24).uint32(index).uint32(32).uint64(nowMs).uint32(42).bytes(event)
    .finish();
}
