/**
 * Payloads and results by their place in the journal. A leader's state holds only where they lie; what is asked for
 * again soon is kept here, and the rest is read back.
 */
import { RepriseError } from '../protocols/errors.js';
import { job, journal } from '../protocols/messages.js';
import type { Stored } from './journal.js';

const MAX_BYTES = 32 * 1024 * 1024;
/** What the maps cost for one payload and for one commit, roughly, so that many tiny ones are bounded too. */
const ENTRY_COST = 100;
const COMMIT_COST = 200;

interface Kept {
  readonly payloads: Map<number, Uint8Array>;
  cost: number;
}

export class Payloads {
  readonly #read: (seq: number) => Promise<Stored | undefined>;
  readonly #maxBytes: number;
  /** In order of last use. */
  readonly #commits = new Map<number, Kept>();
  readonly #reads = new Map<number, Promise<ReadonlyMap<number, Uint8Array>>>();
  #cost = 0;

  constructor(read: (seq: number) => Promise<Stored | undefined>, maxBytes = MAX_BYTES) {
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  /** What the cache costs now, in bytes. */
  get bytes(): number {
    return this.#cost;
  }

  /** @param index of the event within the commit at `seq` */
  put(seq: number, index: number, bytes: Uint8Array): void {
    const kept = this.#touch(seq) ?? this.#begin(seq);
    const before = kept.payloads.get(index);
    const cost = before ? bytes.length - before.length : bytes.length + ENTRY_COST;
    kept.payloads.set(index, owned(bytes));
    kept.cost += cost;
    this.#cost += cost;
    this.#evict();
  }

  get(seq: number, index: number): Uint8Array | undefined {
    return this.#touch(seq)?.payloads.get(index);
  }

  async load(seq: number, index: number): Promise<Uint8Array> {
    const bytes = this.get(seq, index) ?? (await this.#shared(seq)).get(index);
    if (bytes === undefined) throw new RepriseError('NOT_FOUND', `Event ${index} of the commit at ${seq} holds neither a payload nor a result.`);
    return bytes;
  }

  #shared(seq: number): Promise<ReadonlyMap<number, Uint8Array>> {
    const running = this.#reads.get(seq);
    if (running) return running;
    const read = this.#load(seq).finally(() => this.#reads.delete(seq));
    this.#reads.set(seq, read);
    return read;
  }

  async #load(seq: number): Promise<ReadonlyMap<number, Uint8Array>> {
    const stored = await this.#read(seq);
    if (stored === undefined) {
      throw new RepriseError('JOURNAL_BROKEN', `Position ${seq}, which holds a payload, is missing.`, { cause: { position: seq } });
    }
    const payloads = payloadsOf(stored);
    for (const [index, bytes] of payloads) this.put(seq, index, bytes);
    return payloads;
  }

  #touch(seq: number): Kept | undefined {
    const kept = this.#commits.get(seq);
    if (kept === undefined) return undefined;
    this.#commits.delete(seq);
    this.#commits.set(seq, kept);
    return kept;
  }

  #begin(seq: number): Kept {
    const kept = { payloads: new Map<number, Uint8Array>(), cost: COMMIT_COST };
    this.#commits.set(seq, kept);
    this.#cost += COMMIT_COST;
    return kept;
  }

  #evict(): void {
    for (const [seq, kept] of this.#commits) {
      if (this.#cost <= this.#maxBytes) return;
      this.#commits.delete(seq);
      this.#cost -= kept.cost;
    }
  }
}

function payloadsOf(stored: Stored): Map<number, Uint8Array> {
  const payloads = new Map<number, Uint8Array>();
  for (const [index, event] of journal.Commit.decode(stored.bytes).events.entries()) {
    const bytes = payloadOf(event.kind ?? '', event.type ?? '', event.body ?? new Uint8Array(0));
    if (bytes) payloads.set(index, owned(bytes));
  }
  return payloads;
}

function payloadOf(kind: string, type: string, body: Uint8Array): Uint8Array | undefined {
  if (kind !== 'job') return undefined;
  if (type === 'JobSubmitted') return job.JobSubmitted.decode(body).payload;
  return type === 'JobCompleted' ? job.JobCompleted.decode(body).result : undefined;
}

/** A view on a request or on a commit would keep the whole of it in memory. */
const owned = (bytes: Uint8Array): Uint8Array => (bytes.buffer.byteLength > bytes.length ? new Uint8Array(bytes) : bytes);
