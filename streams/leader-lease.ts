/**
 * The lease on leading a partition: the newest message of ours on its subject, written only behind what was read. What
 * strangers lay there is passed over, so it neither takes the lease from its holder nor keeps anybody from it.
 */
import { JetStreamApiError, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { isWrongLastSequence } from './ack.js';
import { operating } from './connect.js';
import { LeaseWatch, type Entry } from './lease.js';
import { readStream } from './ordered.js';

export interface LeaderLeaseOptions {
  readonly ns: Namespace;
  readonly partition: Partition;
  /** Unique to this broker process: letters, digits, `_` and `-`. */
  readonly holder: string;
  /** Makes the stream again: it lives in the server's memory and is gone when the server was started anew. */
  readonly remake: () => Promise<void>;
  /** Told how many messages of strangers were passed over. */
  readonly onForeign?: (messages: number) => void;
  readonly ttlMs?: number;
  readonly marginMs?: number;
  readonly monotonicMs?: () => number;
}

const TTL_MS = 1_500;
const MARGIN_MS = 250;
/** A request that was in flight when the connection broke is not rejected by the client; it runs into this. */
const REQUEST_MS = 1_000;
/** How often somebody may be faster than one acquisition or renewal. */
const TRIES = 3;
/** The stream keeps everything, so the holder clears away what is older after so many writes. */
const WRITES_KEPT = 64;

/** What lies on the subject: who holds the lease, or that its holder gave it up. */
const ENTRY = /^([A-Za-z0-9_-]{1,200})( released)?$/;

interface Written {
  readonly revision: number;
  /** undefined: it was given up. */
  readonly holder: string | undefined;
}

export class LeaderLease {
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #options: LeaderLeaseOptions;
  readonly #stream: string;
  readonly #subject: string;
  readonly #watch: LeaseWatch;
  readonly #monotonicMs: () => number;
  /** The newest entry of a broker, and the last position that was looked at; between them only strangers wrote. */
  #newest: Written | undefined;
  #looked = 0;
  #writes = 0;

  private constructor(nc: NatsConnection, jsm: JetStreamManager, options: LeaderLeaseOptions) {
    this.#nc = nc;
    this.#jsm = jsm;
    this.#options = options;
    this.#stream = `KV_${streams.leases(options.ns)}`;
    this.#subject = subjects.lease(options.ns, options.partition);
    this.#watch = new LeaseWatch(options.holder, { ttlMs: options.ttlMs ?? TTL_MS, marginMs: options.marginMs ?? MARGIN_MS });
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  static async open(nc: NatsConnection, options: LeaderLeaseOptions): Promise<LeaderLease> {
    if (!ENTRY.test(options.holder)) throw new TypeError(`${options.holder} cannot hold a lease`);
    return new LeaderLease(nc, await jetstreamManager(nc, { checkAPI: false, timeout: REQUEST_MS }), options);
  }

  /** Takes the lease if it is free, ours, or was not renewed for a TTL that we watched. To be called again and again. */
  async tryAcquire(): Promise<boolean> {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const entry = await this.#readAnyway();
      const sentMs = this.#monotonicMs();
      if (this.#watch.decide(entry, sentMs).kind === 'wait') break;
      if (await this.#append(this.#options.holder, sentMs)) return true;
    }
    this.#watch.lost();
    return false;
  }

  /** False when somebody else has it now. Throws when the server does not answer; the lease stays ours while valid. */
  async renew(): Promise<boolean> {
    if (this.#watch.revision === undefined) return false;
    if (await this.#behindOurs(() => this.#append(this.#options.holder, this.#monotonicMs()))) return true;
    this.#watch.lost();
    return false;
  }

  /** Gives the lease up, so that another broker may lead at once. */
  async release(): Promise<void> {
    const held = this.#watch.revision !== undefined;
    this.#watch.lost();
    if (held) await this.#behindOurs(() => this.#append(`${this.#options.holder} released`));
  }

  /** For how much longer no other broker can have taken it, on the own clock; 0 when it is not ours. */
  validForMs(): number {
    return this.#watch.validForMs(this.#monotonicMs());
  }

  /** While the newest entry is ours: a stranger may have written behind it, or a renewal may have arrived without an answer. */
  async #behindOurs(append: () => Promise<boolean>): Promise<boolean> {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      if (await append()) return true;
      if ((await this.#read())?.holder !== this.#options.holder) return false;
    }
    return false;
  }

  async #readAnyway(): Promise<Entry | undefined> {
    try {
      return await this.#read();
    } catch (error) {
      if (!(error instanceof RepriseError && error.code === 'STREAM_MISMATCH')) throw error;
      await this.#options.remake();
      return this.#read();
    }
  }

  async #read(): Promise<Entry | undefined> {
    try {
      const last = await this.#jsm.streams.getMessage(this.#stream, { last_by_subj: this.#subject });
      // The stream was made anew, and counts from one again.
      if (last === null || last.seq < this.#looked) this.#see(undefined, 0);
      const written = last === null ? undefined : writtenBy(last.seq, last.data);
      if (written) this.#see(written, written.revision);
      else if (last !== null && last.seq > this.#looked) await this.#lookThrough(last.seq);
    } catch (error) {
      throw operating(error, 'Reading the lease failed');
    }
    const { revision, holder } = this.#newest ?? {};
    return revision === undefined || holder === undefined ? undefined : { revision, holder };
  }

  /** The last message is a stranger's, so ours lies somewhere before it. */
  async #lookThrough(untilSeq: number): Promise<void> {
    let [newest, foreign] = [this.#newest, 0];
    for await (const { seq, bytes } of readStream(this.#nc, { stream: this.#stream, fromSeq: this.#looked + 1, untilSeq, subject: this.#subject })) {
      const written = writtenBy(seq, bytes);
      if (written) newest = written;
      else foreign += 1;
    }
    this.#see(newest, untilSeq);
    if (foreign > 0) this.#options.onForeign?.(foreign);
  }

  #see(newest: Written | undefined, looked: number): void {
    this.#newest = newest;
    this.#looked = looked;
  }

  /** Behind what was read, or not at all. @param sentMs the lease is ours from then on, if it is written */
  async #append(text: string, sentMs?: number): Promise<boolean> {
    const fence = headers();
    fence.set('Nats-Expected-Last-Subject-Sequence', String(this.#looked));
    try {
      const reply = await this.#nc.request(this.#subject, text, { timeout: REQUEST_MS, headers: fence });
      const ack = reply.json<{ seq?: number; error?: { code: number; err_code: number; description: string } }>();
      if (ack.error && isWrongLastSequence(ack.error.err_code)) return false;
      if (ack.error) throw new JetStreamApiError(ack.error);
      const revision = ack.seq ?? 0;
      this.#see(writtenBy(revision, Buffer.from(text)), revision);
      if (sentMs !== undefined) this.#watch.won(revision, sentMs);
    } catch (error) {
      throw operating(error, 'Writing the lease failed');
    }
    this.#clear();
    return true;
  }

  #clear(): void {
    this.#writes += 1;
    if (this.#writes % WRITES_KEPT !== 0) return;
    void this.#jsm.streams.purge(this.#stream, { filter: this.#subject, seq: this.#looked }).catch(() => undefined);
  }
}

function writtenBy(revision: number, bytes: Uint8Array): Written | undefined {
  const found = ENTRY.exec(Buffer.from(bytes.subarray(0, 256)).toString('latin1'));
  return found ? { revision, holder: found[2] === undefined ? found[1] : undefined } : undefined;
}
