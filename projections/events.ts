/**
 * Publishes committed facts for watchers, each on its own subject: at least once, those of a kind in order, and
 * only while this broker leads. Facts of jobs are published only while there are listeners, because three for each job
 * are a fifth of a broker's work and two fifths of its server's.
 */
import protobuf from 'protobufjs/minimal.js';
import type { Committed, EventName } from '../streams/committed.js';
import type { Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import { EncodedCommit } from '../streams/encoded-commit.js';
import { Audience, type CommitHead } from './audience.js';
import { Gate } from './gate.js';
import type { Projection } from './projection.js';

/** @param parts the message in pieces, to be concatenated */
export type Publish = (subject: string, parts: readonly Uint8Array[]) => void;

/** The kind with so many facts that they are published only while there are listeners. */
const GATED_KIND = 'job';

/** Which facts of a commit are published now. */
type Selection = 'none' | 'without jobs' | 'all';

export interface EventsOptions {
  readonly ns: Namespace;
  readonly publish: Publish;
  /** Resolves to false only if facts of jobs certainly had no listener when it was called. */
  readonly hasListener: () => Promise<boolean>;
  /** Whether it is certain, at this moment, that no other broker leads. */
  readonly mayPublish: () => boolean;
  /** The projection's new checkpoint: facts up to it are not published again. */
  readonly onSettled: (commit: CommitHead) => void;
  readonly onDropped?: (commits: number) => void;
}

export class EventsProjection implements Projection {
  readonly name = 'events';
  private readonly gate: Gate;
  private readonly audience: Audience;
  private folding: Committed | undefined;
  private selected: Selection = 'none';
  private published: Committed | undefined;
  private head: Uint8Array = new Uint8Array();
  private encoded: EncodedCommit | undefined;

  constructor(private readonly options: EventsOptions) {
    const { hasListener, mayPublish, onSettled } = options;
    this.gate = new Gate({ ...options, publish: (commit) => this.publishHeld(commit) });
    const publish = (commit: Committed): void => this.publishJobs(commit);
    this.audience = new Audience({ ask: hasListener, mayPublish, onSettled, publish });
  }

  /** This broker leads: publishes what was replayed after the checkpoint, and what is committed from now on. */
  lead(): void {
    this.gate.open();
  }

  /** This broker does not lead, or begins to take over. */
  follow(): void {
    this.gate.close();
    this.audience.forget();
  }

  evolve(event: EventName, index: number, commit: Committed): void {
    if (commit !== this.folding) {
      this.folding = commit;
      this.selected = this.gate.passes(commit) ? this.select(commit) : 'none';
    }
    this.publishSelected(this.selected, event, index, commit);
  }

  private select(commit: Committed): Selection {
    return this.audience.publishesNow(commit) ? 'all' : 'without jobs';
  }

  private publishHeld(commit: Committed): void {
    const selected = this.select(commit);
    for (const [index, event] of commit.events.entries()) this.publishSelected(selected, event, index, commit);
  }

  private publishSelected(selected: Selection, event: EventName, index: number, commit: Committed): void {
    if (selected === 'none' || (selected === 'without jobs' && event.kind === GATED_KIND)) return;
    this.publishFact(event, index, commit);
  }

  private publishJobs(commit: Committed): void {
    for (const [index, event] of commit.events.entries()) {
      if (event.kind === GATED_KIND) this.publishFact(event, index, commit);
    }
  }

  private publishFact({ kind, id, type }: EventName, index: number, commit: Committed): void {
    if (commit !== this.published) {
      this.published = commit;
      this.head = factHead(commit);
      this.encoded = new EncodedCommit(commit.bytes);
    }
    const event = this.encoded?.wholeEvent(index) ?? new Uint8Array();
    const { ns, publish } = this.options;
    publish(subjects.event(ns, kind, id, type), [this.head, factIndex(index, event.length), event]);
  }
}

/**
 * A journal.Fact in three pieces: the fields that all facts of a commit share, the index with the tag and length of the
 * event, and the event's own bytes with its content put back. Nothing is decoded and encoded again.
 */
const factHead = ({ partition, seq, nowMs, epoch }: Committed): Uint8Array =>
  protobuf.Writer.create()
    .uint32(8).uint32(partition).uint32(16).uint64(seq).uint32(32).uint64(nowMs).uint32(48).uint64(epoch)
    .finish();

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
