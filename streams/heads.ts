/**
 * Known heads, stored apart from the journals: a journal that lost its tail is a shorter, valid chain, and only a head
 * that was stored elsewhere shows the loss. Two streams hold them: the witness, written by leaders, and the checkpoints
 * of projections. The server drops nothing from either, so that messages that are not heads cannot displace ours;
 * the writer purges what is older than its own newest heads.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { storedAt } from './ack.js';
import { operating } from './connect.js';
import { checkpointHeads, plainHeads, type HeadCodec, type StoredHead } from './head.js';
import { readStream } from './ordered.js';
import { WITNESS, type KnownHead } from './takeover.js';

export interface HeadsOptions {
  /** Called for the first failure of a series. The head is written again unless a newer one has replaced it. */
  readonly onError?: (error: RepriseError) => void;
  readonly delayMs?: number;
}

export interface StoredHeads {
  /** Oldest first. */
  readonly heads: readonly StoredHead[];
  /** How many messages were skipped because they are not heads of this partition. */
  readonly foreign: number;
}

/** The minimum number of heads that stay stored for each subject; a purge happens at twice as many. */
export const HEADS_KEPT = 64;
const WITNESS_DELAY_MS = 250;
const CHECKPOINT_DELAY_MS = 1_000;
const RETRY_MS = 1_000;
const WRITE_MS = 2_000;

/** The witness: heads of commits, written at most 250 ms after the commit. */
export function openWitness(nc: NatsConnection, ns: Namespace, options: HeadsOptions = {}): Heads {
  return new Heads(nc, {
    stream: streams.witness(ns),
    codec: plainHeads,
    delayMs: WITNESS_DELAY_MS,
    ...options,
    subject: ({ partition }) => subjects.witness(ns, partition),
    all: (partition) => subjects.witness(ns, partition),
  });
}

/**
 * Heads that projections have reached, written once a second.
 * @param nc the connection on which the projections publish, so that their order is kept
 */
export function openCheckpoints(nc: NatsConnection, ns: Namespace, options: HeadsOptions = {}): Heads {
  return new Heads(nc, {
    stream: `KV_${streams.checkpoints(ns)}`,
    codec: checkpointHeads,
    delayMs: CHECKPOINT_DELAY_MS,
    ...options,
    subject: ({ partition, projection }) => subjects.checkpoint(ns, partition, projection),
    all: (partition) => subjects.checkpoint(ns, partition, '*'),
  });
}

interface Place extends HeadsOptions {
  readonly stream: string;
  readonly codec: HeadCodec;
  readonly delayMs: number;
  readonly subject: (head: StoredHead) => string;
  /** Where all heads of a partition are. */
  readonly all: (partition: Partition) => string;
}

export class Heads {
  private readonly noted = new Map<string, StoredHead>();
  /** Positions of our heads in the stream, by subject. */
  private readonly positions = new Map<string, number[]>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private failing = false;
  private closed = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly place: Place,
  ) {}

  /** Schedules the write of the newest head of its partition and projection. Never throws. */
  note(head: StoredHead): void {
    if (this.closed) return;
    this.noted.set(this.place.subject(head), head);
    this.writeAfter(this.place.delayMs);
  }

  /** Writes what was noted so far. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const heads = [...this.noted.values()];
    this.noted.clear();
    // One flush after the other: a head must not be written behind a newer one.
    this.writing = this.writing.then(async () => void (await Promise.all(heads.map((head) => this.write(head)))));
    return this.writing;
  }

  /** All heads of a partition that are stored, of every projection. */
  async read(partition: Partition): Promise<StoredHeads> {
    const { stream, codec, all, subject } = this.place;
    const heads: StoredHead[] = [];
    const positions = new Map<string, number[]>();
    let foreign = 0;
    try {
      const jsm = await jetstreamManager(this.nc, { checkAPI: false });
      const { state } = await jsm.streams.info(stream);
      const reading = { stream, fromSeq: 1, untilSeq: state.last_seq, subject: all(partition) };
      for await (const { seq, bytes } of readStream(this.nc, reading)) {
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
    for (const [of, seqs] of positions) this.positions.set(of, seqs);
    return { heads, foreign };
  }

  /** Flushes; heads that are noted afterwards are ignored. */
  async close(): Promise<void> {
    this.closed = true;
    await this.flush();
    clearTimeout(this.timer);
  }

  /** Counted from the first head of a burst, so that a steady stream of commits cannot postpone the write for ever. */
  private writeAfter(ms: number): void {
    this.timer ??= setTimeout(() => void this.flush(), ms).unref();
  }

  private async write(head: StoredHead): Promise<void> {
    const { codec } = this.place;
    const subject = this.place.subject(head);
    try {
      const seq = storedAt(await this.nc.request(subject, codec.encode(head), { timeout: WRITE_MS }));
      this.failing = false;
      if (seq !== undefined) await this.purge(subject, seq).catch((error: unknown) => this.fail(error, head));
    } catch (error) {
      this.fail(error, head);
      if (!this.noted.has(subject)) this.noted.set(subject, head);
      if (!this.closed) this.writeAfter(RETRY_MS);
    }
  }

  private fail(error: unknown, { partition }: StoredHead): void {
    if (!this.failing) {
      this.place.onError?.(operating(error, `Writing a known head of partition ${partition} failed`));
    }
    this.failing = true;
  }

  /** Purges everything before our newest heads, messages that are not heads included. */
  private async purge(subject: string, written: number): Promise<void> {
    let positions = this.positions.get(subject) ?? [];
    // The stream was made again, and counts from one.
    if (written <= (positions.at(-1) ?? 0)) positions = [];
    positions.push(written);
    if (positions.length >= 2 * HEADS_KEPT) {
      positions = positions.slice(-HEADS_KEPT);
      const jsm = await jetstreamManager(this.nc, { checkAPI: false });
      await jsm.streams.purge(this.place.stream, { filter: subject, seq: positions[0]! });
    }
    this.positions.set(subject, positions);
  }
}

export interface KnownHeads extends Record<'witness' | 'checkpoints', StoredHeads> {
  readonly heads: readonly KnownHead[];
}

/** Every head of a partition that is stored. To be read before the journal, which then must contain them all. */
export async function readKnown(witness: Heads, checkpoints: Heads, partition: Partition): Promise<KnownHeads> {
  return knownOf(...(await Promise.all([witness.read(partition), checkpoints.read(partition)])));
}

export function knownOf(witness: StoredHeads, checkpoints: StoredHeads): KnownHeads {
  const from = (projection: string): string => (projection === '' ? WITNESS : `the checkpoint of ${projection}`);
  const all = [...witness.heads, ...checkpoints.heads];
  const heads = all.map(({ seq, hash, projection }) => ({ seq, hash, from: from(projection) }));
  return { heads, witness, checkpoints };
}

/** The farthest head that a projection has reached. A late write of a deposed leader does not move it back. */
export function checkpointOf(heads: readonly StoredHead[], projection: string): StoredHead | undefined {
  let farthest: StoredHead | undefined;
  for (const head of heads) if (head.projection === projection && head.seq > (farthest?.seq ?? 0)) farthest = head;
  return farthest;
}
