/**
 * Leadership of a partition: the newest claim on its subject, written only if nothing was written there since the last
 * read. Messages that are not claims are skipped, so they neither end a leadership nor keep a broker from taking one.
 */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { storedAt } from './ack.js';
import { operating } from './connect.js';
import { LeadershipWatch, type Claim } from './leadership-watch.js';
import { readStream } from './ordered.js';

export interface Leadership {
  /** Takes it if it is free, ours, or was not renewed for a TTL. To be called again and again. */
  tryAcquire(): Promise<boolean>;
  /** False when another broker has it now. Throws when the server does not reply; it stays ours while it is valid. */
  renew(): Promise<boolean>;
  /** Gives it up, so that another broker may lead at once. */
  release(): Promise<void>;
  /** For how much longer no other broker can have taken it, on this process's clock; 0 when it is not ours. */
  validForMs(): number;
}

export interface LeadershipOptions {
  readonly ns: Namespace;
  readonly partition: Partition;
  /** Unique to this broker process: letters, digits, `_` and `-`. */
  readonly holder: string;
  /** Makes the stream again: it is in the server's memory, so a restart of the server removes it. */
  readonly remake: () => Promise<void>;
  /** Called with the number of messages that were skipped because they are not claims. */
  readonly onForeign?: (messages: number) => void;
  readonly ttlMs?: number;
  readonly marginMs?: number;
  readonly monotonicMs?: () => number;
}

const TTL_MS = 1_500;
const MARGIN_MS = 250;
/** A request that was in flight when the connection broke is not rejected by the client; it runs into this. */
const REQUEST_MS = 1_000;
/** How many times other writers may come first during one acquisition or renewal. */
const TRIES = 3;
/** The stream keeps everything, so the holder purges older messages after this many writes. */
const WRITES_KEPT = 64;

/** The name of the holder; with ` released` behind it, the leadership was given up. */
const CLAIM = /^([A-Za-z0-9_-]{1,200})( released)?$/;

interface StoredClaim {
  readonly revision: number;
  /** undefined: it was released. */
  readonly holder: string | undefined;
}

export async function openLeadership(nc: NatsConnection, options: LeadershipOptions): Promise<Leadership> {
  if (!CLAIM.test(options.holder)) {
    throw new TypeError(`holder must be 1 to 200 letters, digits, _ or -, got ${JSON.stringify(options.holder)}`);
  }
  return new StreamLeadership(nc, await jetstreamManager(nc, { checkAPI: false, timeout: REQUEST_MS }), options);
}

class StreamLeadership implements Leadership {
  private readonly stream: string;
  private readonly subject: string;
  private readonly watch: LeadershipWatch;
  private readonly monotonicMs: () => number;
  /** The newest claim, and the last position that was read. Between them are only messages that are not claims. */
  private newest: StoredClaim | undefined;
  private readSeq = 0;
  private writes = 0;

  constructor(
    private readonly nc: NatsConnection,
    private readonly jsm: JetStreamManager,
    private readonly options: LeadershipOptions,
  ) {
    const { ns, partition, holder, ttlMs = TTL_MS, marginMs = MARGIN_MS } = options;
    this.stream = `KV_${streams.leadership(ns)}`;
    this.subject = subjects.leadership(ns, partition);
    this.watch = new LeadershipWatch(holder, { ttlMs, marginMs });
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  async tryAcquire(): Promise<boolean> {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      const claim = await this.readOrRemake();
      const sentMs = this.monotonicMs();
      if (!this.watch.mayTake(claim, sentMs)) break;
      if (await this.claim(sentMs)) return true;
    }
    this.watch.lost();
    return false;
  }

  async renew(): Promise<boolean> {
    if (!this.watch.isHeld) return false;
    if (await this.whileOurs(() => this.claim(this.monotonicMs()))) return true;
    this.watch.lost();
    return false;
  }

  async release(): Promise<void> {
    const { isHeld } = this.watch;
    this.watch.lost();
    if (isHeld) await this.whileOurs(() => this.write(`${this.options.holder} released`));
  }

  validForMs(): number {
    return this.watch.validForMs(this.monotonicMs());
  }

  /**
   * Writes again while the newest claim is ours: a message that is not a claim may have come between, or an earlier
   * renewal whose reply was lost.
   */
  private async whileOurs(write: () => Promise<boolean>): Promise<boolean> {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      if (await write()) return true;
      if ((await this.read())?.holder !== this.options.holder) return false;
    }
    return false;
  }

  private async readOrRemake(): Promise<Claim | undefined> {
    try {
      return await this.read();
    } catch (error) {
      if (!(error instanceof RepriseError && error.code === 'STREAM_MISMATCH')) throw error;
      await this.options.remake();
      return this.read();
    }
  }

  private async read(): Promise<Claim | undefined> {
    try {
      const last = await this.jsm.streams.getMessage(this.stream, { last_by_subj: this.subject });
      // The stream was made again, and counts from one.
      if (last === null || last.seq < this.readSeq) this.remember(undefined, 0);
      const claim = last === null ? undefined : claimIn(last.seq, last.data);
      if (claim) this.remember(claim, claim.revision);
      else if (last !== null && last.seq > this.readSeq) await this.readOn(last.seq);
    } catch (error) {
      throw operating(error, 'Reading the leadership failed');
    }
    const { revision, holder } = this.newest ?? {};
    return revision === undefined || holder === undefined ? undefined : { revision, holder };
  }

  /** The last message is not a claim, so the newest claim is somewhere before it. */
  private async readOn(untilSeq: number): Promise<void> {
    let [newest, foreign] = [this.newest, 0];
    const reading = { stream: this.stream, fromSeq: this.readSeq + 1, untilSeq, subject: this.subject };
    for await (const { seq, bytes } of readStream(this.nc, reading)) {
      const claim = claimIn(seq, bytes);
      if (claim) newest = claim;
      else foreign += 1;
    }
    this.remember(newest, untilSeq);
    if (foreign > 0) this.options.onForeign?.(foreign);
  }

  private remember(newest: StoredClaim | undefined, readSeq: number): void {
    this.newest = newest;
    this.readSeq = readSeq;
  }

  /** @param sentMs from when on the leadership is ours, if the claim is stored */
  private async claim(sentMs: number): Promise<boolean> {
    const stored = await this.write(this.options.holder);
    if (stored) this.watch.won(sentMs);
    return stored;
  }

  /** Writes right behind what was read. @returns false, and writes nothing, if another message is there */
  private async write(text: string): Promise<boolean> {
    const fence = headers();
    fence.set('Nats-Expected-Last-Subject-Sequence', String(this.readSeq));
    try {
      const seq = storedAt(await this.nc.request(this.subject, text, { timeout: REQUEST_MS, headers: fence }));
      if (seq === undefined) return false;
      this.remember(claimIn(seq, Buffer.from(text)), seq);
    } catch (error) {
      throw operating(error, 'Writing the leadership failed');
    }
    this.purge();
    return true;
  }

  private purge(): void {
    this.writes += 1;
    if (this.writes % WRITES_KEPT !== 0) return;
    void this.jsm.streams.purge(this.stream, { filter: this.subject, seq: this.readSeq }).catch(() => undefined);
  }
}

function claimIn(revision: number, bytes: Uint8Array): StoredClaim | undefined {
  const found = CLAIM.exec(Buffer.from(bytes.subarray(0, 256)).toString('latin1'));
  return found ? { revision, holder: found[2] === undefined ? found[1] : undefined } : undefined;
}
