/**
 * Known heads, kept apart from the journals: a journal that lost its tail is a shorter, valid chain, and only somebody
 * who remembers its head can tell. Two streams hold them: the witness, written by leaders, and the checkpoints of
 * projections. The server drops nothing of either by itself, or messages of strangers could push ours out; whoever
 * writes clears away what is older than the last ones of its own.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { operating } from './connect.js';
import { checkpointHeads, plainHeads, type HeadCodec, type KeptHead } from './head.js';
import { readStream } from './ordered.js';
import { WITNESS, type KnownHead } from './takeover.js';

export interface HeadsOptions {
  /** Told of the first write of several that failed. The head is written again unless a newer one takes its place. */
  readonly onError?: (error: RepriseError) => void;
  readonly delayMs?: number;
}

export interface Kept {
  /** Oldest first. */
  readonly heads: readonly KeptHead[];
  /** How many messages are not ours. */
  readonly foreign: number;
}

/** Heads of a partition that are kept for sure; up to twice as many are. */
export const HEADS_KEPT = 64;
const WITNESS_DELAY_MS = 250;
const CHECKPOINT_DELAY_MS = 1_000;
const AGAIN_MS = 1_000;
const WRITE_MS = 2_000;

/** Heads of commits, at most 250 ms after the commit. */
export function openWitness(nc: NatsConnection, ns: Namespace, options: HeadsOptions = {}): Heads {
  return new Heads(nc, {
    stream: streams.witness(ns), codec: plainHeads, delayMs: WITNESS_DELAY_MS, ...options,
    subject: ({ partition }) => subjects.witness(ns, partition), all: (partition) => subjects.witness(ns, partition),
  });
}

/** How far projections have come, once a second. @param nc the connection on which they publish, which keeps the order */
export function openCheckpoints(nc: NatsConnection, ns: Namespace, options: HeadsOptions = {}): Heads {
  return new Heads(nc, {
    stream: `KV_${streams.checkpoints(ns)}`, codec: checkpointHeads, delayMs: CHECKPOINT_DELAY_MS, ...options,
    subject: ({ partition, projection }) => subjects.checkpoint(ns, partition, projection),
    all: (partition) => subjects.checkpoint(ns, partition, '*'),
  });
}

interface Place extends HeadsOptions {
  readonly stream: string;
  readonly codec: HeadCodec;
  readonly delayMs: number;
  readonly subject: (head: KeptHead) => string;
  /** Where all heads of a partition are. */
  readonly all: (partition: Partition) => string;
}

export class Heads {
  readonly #nc: NatsConnection;
  readonly #place: Place;
  readonly #noted = new Map<string, KeptHead>();
  /** Where ours lie in the stream, by subject. */
  readonly #positions = new Map<string, number[]>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;
  #closed = false;

  constructor(nc: NatsConnection, place: Place) {
    this.#nc = nc;
    this.#place = place;
  }

  /** Has the newest head of its partition and projection written a little later. Never throws. */
  note(head: KeptHead): void {
    if (this.#closed) return;
    this.#noted.set(this.#place.subject(head), head);
    this.#writeAfter(this.#place.delayMs);
  }

  /** Writes what is noted now. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const heads = [...this.#noted.values()];
    this.#noted.clear();
    // One after the other: a head must not be written behind a newer one.
    this.#writing = this.#writing.then(async () => void (await Promise.all(heads.map((head) => this.#write(head)))));
    return this.#writing;
  }

  /** All heads kept of a partition. */
  async read(partition: Partition): Promise<Kept> {
    const { stream, codec, all, subject } = this.#place;
    const heads: KeptHead[] = [];
    const positions = new Map<string, number[]>();
    let foreign = 0;
    try {
      const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
      const { state } = await jsm.streams.info(stream);
      const reading = { stream, fromSeq: 1, untilSeq: state.last_seq, subject: all(partition) };
      for await (const { seq, bytes } of readStream(this.#nc, reading)) {
        const head = codec.decode(bytes, partition);
        if (head === undefined) foreign += 1;
        else {
          heads.push(head);
          const of = subject(head);
          if (!positions.get(of)?.push(seq)) positions.set(of, [seq]);
        }
      }
    } catch (error) {
      throw operating(error, 'Reading the known heads failed');
    }
    for (const [of, where] of positions) this.#positions.set(of, where);
    return { heads, foreign };
  }

  /** Flushes, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    clearTimeout(this.#timer);
  }

  /** Counted from the first head of a burst, so that a steady stream of commits cannot put the write off for ever. */
  #writeAfter(ms: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), ms).unref();
  }

  async #write(head: KeptHead): Promise<void> {
    const { codec } = this.#place;
    const subject = this.#place.subject(head);
    try {
      const reply = await this.#nc.request(subject, codec.encode(head), { timeout: WRITE_MS });
      const ack = reply.json<{ seq?: number; error?: { description?: string } }>();
      if (ack.error) throw new RepriseError('SERVER_FAILED', ack.error.description ?? 'The server gave no reason.');
      this.#failing = false;
      await this.#clear(subject, ack.seq ?? 0).catch((error: unknown) => this.#fail(error, head));
    } catch (error) {
      this.#fail(error, head);
      if (!this.#noted.has(subject)) this.#noted.set(subject, head);
      if (!this.#closed) this.#writeAfter(AGAIN_MS);
    }
  }

  #fail(error: unknown, { partition }: KeptHead): void {
    if (!this.#failing) this.#place.onError?.(operating(error, `Writing a known head of partition ${partition} failed`));
    this.#failing = true;
  }

  /** Clears away what lies before the last ones of ours, also what strangers wrote. */
  async #clear(subject: string, written: number): Promise<void> {
    let positions = this.#positions.get(subject) ?? [];
    // The stream was made anew, and counts from one again.
    if (written <= (positions.at(-1) ?? 0)) positions = [];
    positions.push(written);
    if (positions.length >= 2 * HEADS_KEPT) {
      positions = positions.slice(-HEADS_KEPT);
      const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
      await jsm.streams.purge(this.#place.stream, { filter: subject, seq: positions[0]! });
    }
    this.#positions.set(subject, positions);
  }
}

export interface Known extends Record<'witness' | 'checkpoints', Kept> {
  readonly heads: readonly KnownHead[];
}

/** Every head of a partition that the server keeps. To be read before the journal, so that no commit comes between. */
export async function readKnown(witness: Heads, checkpoints: Heads, partition: Partition): Promise<Known> {
  return knownOf(...(await Promise.all([witness.read(partition), checkpoints.read(partition)])));
}

export function knownOf(witness: Kept, checkpoints: Kept): Known {
  const from = (projection: string): string => (projection === '' ? WITNESS : `the checkpoint of ${projection}`);
  const all = [...witness.heads, ...checkpoints.heads];
  return { heads: all.map(({ seq, hash, projection }) => ({ seq, hash, from: from(projection) })), witness, checkpoints };
}

/** How far a projection has come, as far as anybody wrote it down: a deposed leader's late word does not take it back. */
export function checkpointOf(heads: readonly KeptHead[], projection: string): KeptHead | undefined {
  let farthest: KeptHead | undefined;
  for (const head of heads) if (head.projection === projection && head.seq > (farthest?.seq ?? 0)) farthest = head;
  return farthest;
}
