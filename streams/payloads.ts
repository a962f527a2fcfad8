/**
 * Payloads and results by their place in the journal. A leader's state holds only where they lie. Recent commits are
 * kept as the bytes that were written, so keeping costs nothing on the way of a job; what has left is read back.
 */
import { RepriseError } from '../protocols/errors.js';
import { eventOffsets } from './commit.js';
import { Fields } from './fields.js';
import type { Stored } from './journal.js';

/** Some 50,000 small jobs. A longer backlog is read back, a commit at a time. */
const MAX_BYTES = 24 * 1024 * 1024;
/** What a kept commit costs beside its bytes, roughly. */
const COMMIT_COST = 400;

/** Field numbers of journal.proto and job.proto: `payload` of JobSubmitted and `result` of JobCompleted share theirs. */
const EVENT_BODY = 6;
const BODY_CONTENT = 4;

interface Kept {
  readonly bytes: Uint8Array;
  /** Found when first asked for. */
  events: Uint32Array | undefined;
}

export class Payloads {
  readonly #read: (seq: number) => Promise<Stored | undefined>;
  readonly #maxBytes: number;
  /** In order of last use. */
  readonly #commits = new Map<number, Kept>();
  readonly #reads = new Map<number, Promise<Kept>>();
  #cost = 0;

  constructor(read: (seq: number) => Promise<Stored | undefined>, maxBytes = MAX_BYTES) {
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  /** What the cache costs now, in bytes. */
  get bytes(): number {
    return this.#cost;
  }

  /** Keeps a commit, as it was written at `seq`. */
  put(seq: number, commit: Uint8Array): void {
    this.#keep(seq, { bytes: commit, events: undefined });
  }

  /** @param index of the event within the commit at `seq` @returns undefined when the commit is not at hand */
  get(seq: number, index: number): Uint8Array | undefined {
    const kept = this.#commits.get(seq);
    return kept && contentOf(kept, seq, index);
  }

  async load(seq: number, index: number): Promise<Uint8Array> {
    const kept = this.#touch(seq) ?? (await this.#shared(seq));
    return contentOf(kept, seq, index);
  }

  #shared(seq: number): Promise<Kept> {
    const running = this.#reads.get(seq);
    if (running) return running;
    const read = this.#load(seq).finally(() => this.#reads.delete(seq));
    this.#reads.set(seq, read);
    return read;
  }

  async #load(seq: number): Promise<Kept> {
    const stored = await this.#read(seq);
    if (stored === undefined) {
      throw new RepriseError('JOURNAL_BROKEN', `Position ${seq}, which holds a payload, is missing.`, { cause: { position: seq } });
    }
    const kept: Kept = { bytes: stored.bytes, events: undefined };
    this.#keep(seq, kept);
    return kept;
  }

  #keep(seq: number, kept: Kept): void {
    if (this.#commits.has(seq)) return;
    this.#commits.set(seq, kept);
    this.#cost += kept.bytes.length + COMMIT_COST;
    for (const [oldest, { bytes }] of this.#commits) {
      if (this.#cost <= this.#maxBytes) return;
      this.#commits.delete(oldest);
      this.#cost -= bytes.length + COMMIT_COST;
    }
  }

  #touch(seq: number): Kept | undefined {
    const kept = this.#commits.get(seq);
    if (kept) {
      this.#commits.delete(seq);
      this.#commits.set(seq, kept);
    }
    return kept;
  }
}

/** A view on the commit: whoever keeps it for long copies it. */
function contentOf(kept: Kept, seq: number, index: number): Uint8Array {
  const events = (kept.events ??= eventOffsets(kept.bytes));
  const [start, end] = [events[2 * index], events[2 * index + 1]];
  const body = start === undefined || end === undefined ? undefined : new Fields(kept.bytes, start, end);
  if (!body?.seek(EVENT_BODY)) throw new RepriseError('NOT_FOUND', `The commit at ${seq} has no event ${index}.`);
  // An absent field is an empty payload, as everywhere in protobuf.
  const content = new Fields(kept.bytes, body.start, body.end);
  return content.seek(BODY_CONTENT) ? kept.bytes.subarray(content.start, content.end) : kept.bytes.subarray(0, 0);
}
