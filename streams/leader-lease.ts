/** The lease on leading a partition, in the leases bucket. Written by compare-and-set on the revision only. */
import { jetstream, JetStreamApiError } from '@nats-io/jetstream';
import { Kvm, type KV, type KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams } from '../protocols/subjects.js';
import { operating } from './connect.js';
import { LeaseWatch, type Entry } from './lease.js';

export interface LeaderLeaseOptions {
  readonly ns: Namespace;
  readonly partition: Partition;
  /** Unique to this broker process. */
  readonly holder: string;
  /** Makes the bucket again: it lives in the server's memory and is gone when the server was started anew. */
  readonly remake: () => Promise<void>;
  readonly ttlMs?: number;
  readonly marginMs?: number;
  readonly monotonicMs?: () => number;
}

const TTL_MS = 1_500;
const MARGIN_MS = 250;
/** A request that was in flight when the connection broke is not rejected by the client; it runs into this. */
const REQUEST_MS = 1_000;
const WRONG_LAST_SEQUENCE = 10071;

export class LeaderLease {
  readonly #kv: KV;
  readonly #key: string;
  readonly #holder: string;
  readonly #watch: LeaseWatch;
  readonly #monotonicMs: () => number;
  readonly #remake: () => Promise<void>;

  private constructor(kv: KV, options: LeaderLeaseOptions) {
    this.#kv = kv;
    this.#key = String(options.partition);
    this.#holder = options.holder;
    this.#remake = options.remake;
    this.#watch = new LeaseWatch(options.holder, { ttlMs: options.ttlMs ?? TTL_MS, marginMs: options.marginMs ?? MARGIN_MS });
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  static async open(nc: NatsConnection, options: LeaderLeaseOptions): Promise<LeaderLease> {
    return new LeaderLease(await new Kvm(jetstream(nc, { timeout: REQUEST_MS })).open(streams.leases(options.ns), { allow_direct: false }), options);
  }

  /** Takes the lease if it is free, ours, or was not renewed for a TTL that we watched. To be called again and again. */
  async tryAcquire(): Promise<boolean> {
    const entry = await this.#readAnyway();
    const sentMs = this.#monotonicMs();
    const decision = this.#watch.decide(entry, sentMs);
    if (decision.kind === 'wait') {
      this.#watch.lost();
      return false;
    }
    return this.#write(decision.kind === 'create' ? undefined : decision.revision, sentMs);
  }

  /** False when somebody else has it now. Throws when the server does not answer; the lease stays ours while valid. */
  async renew(): Promise<boolean> {
    const { revision } = this.#watch;
    return revision === undefined ? false : this.#write(revision, this.#monotonicMs());
  }

  /** Gives the lease up, so that another broker may lead at once. */
  async release(): Promise<void> {
    const { revision } = this.#watch;
    this.#watch.lost();
    if (revision === undefined) return;
    try {
      await this.#kv.delete(this.#key, { previousSeq: revision });
    } catch (error) {
      if (!isOvertaken(error)) throw operating(error, 'Giving up the lease failed');
    }
  }

  /** For how much longer no other broker can have taken it, on the own clock; 0 when it is not ours. */
  validForMs(): number {
    return this.#watch.validForMs(this.#monotonicMs());
  }

  /** Who holds it, as far as the bucket says. */
  async holder(): Promise<string | undefined> {
    return (await this.#read())?.holder;
  }

  async #readAnyway(): Promise<Entry | undefined> {
    try {
      return await this.#read();
    } catch (error) {
      if (!(error instanceof RepriseError && error.code === 'STREAM_MISMATCH')) throw error;
      await this.#remake();
      return this.#read();
    }
  }

  async #read(): Promise<Entry | undefined> {
    try {
      return entryOf(await this.#kv.get(this.#key));
    } catch (error) {
      throw operating(error, 'Reading the lease failed');
    }
  }

  async #write(revision: number | undefined, sentMs: number): Promise<boolean> {
    try {
      const written = revision === undefined ? await this.#kv.create(this.#key, this.#holder) : await this.#kv.update(this.#key, this.#holder, revision);
      this.#watch.won(written, sentMs);
      return true;
    } catch (error) {
      if (!isOvertaken(error)) throw operating(error, 'Writing the lease failed');
      this.#watch.lost();
      return false;
    }
  }
}

const entryOf = (entry: KvEntry | null): Entry | undefined =>
  entry === null || entry.operation !== 'PUT' ? undefined : { revision: entry.revision, holder: entry.string() };

const isOvertaken = (error: unknown): boolean => error instanceof JetStreamApiError && error.apiError().err_code === WRONG_LAST_SEQUENCE;
