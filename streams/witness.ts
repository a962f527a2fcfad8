/**
 * Known heads, kept apart from the journals: a journal that lost its tail is a shorter, valid chain, and only somebody
 * who remembers its head can tell.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { streams, subjects } from '../protocols/subjects.js';
import type { Head } from './chain.js';
import { operating } from './connect.js';
import { readStream } from './ordered.js';

/** What is kept of a head: all but its time. */
export type KeptHead = Omit<Head, 'nowMs'>;

export interface WitnessOptions {
  /** Told of writes that failed. The leader goes on: the next head takes the place of this one. */
  readonly onError?: (error: RepriseError) => void;
  readonly delayMs?: number;
}

export interface Witness {
  /** Has the newest head of its partition written, at most 250 ms later. Never throws. */
  note(head: KeptHead): void;
  /** Writes what is noted now. Never throws. */
  flush(): Promise<void>;
  /** All heads kept of a partition, oldest first. */
  heads(partition: Partition): Promise<KeptHead[]>;
  /** Flushes, and takes no more. */
  close(): Promise<void>;
}

const DELAY_MS = 250;
const WRITE_MS = 2_000;

export function openWitness(nc: NatsConnection, ns: Namespace, options: WitnessOptions = {}): Witness {
  return new StreamWitness(nc, ns, options);
}

class StreamWitness implements Witness {
  readonly #nc: NatsConnection;
  readonly #ns: Namespace;
  readonly #options: WitnessOptions;
  readonly #noted = new Map<Partition, KeptHead>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(nc: NatsConnection, ns: Namespace, options: WitnessOptions) {
    this.#nc = nc;
    this.#ns = ns;
    this.#options = options;
  }

  note(head: KeptHead): void {
    if (this.#closed) return;
    this.#noted.set(head.partition, head);
    // Counted from the first head of a burst, so that a steady stream of commits cannot put the write off for ever.
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.delayMs ?? DELAY_MS);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const heads = [...this.#noted.values()];
    this.#noted.clear();
    // One after the other: a head must not be written behind a newer one.
    this.#writing = this.#writing.then(async () => void (await Promise.all(heads.map((head) => this.#write(head)))));
    return this.#writing;
  }

  async heads(partition: Partition): Promise<KeptHead[]> {
    const stream = streams.witness(this.#ns);
    const heads: KeptHead[] = [];
    try {
      const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
      const { state } = await jsm.streams.info(stream);
      const kept = readStream(this.#nc, { stream, fromSeq: 1, untilSeq: state.last_seq, subject: subjects.witness(this.#ns, partition) });
      for await (const { bytes } of kept) {
        const head = journal.Head.decode(bytes);
        heads.push({ journalId: head.journalId, partition, seq: head.seq, hash: head.hash.slice(), epoch: head.epoch });
      }
    } catch (error) {
      throw operating(error, 'Reading the known heads failed');
    }
    return heads;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async #write(head: KeptHead): Promise<void> {
    try {
      const reply = await this.#nc.request(subjects.witness(this.#ns, head.partition), journal.Head.encode(head).finish(), { timeout: WRITE_MS });
      const ack = reply.json<{ error?: { description?: string } }>();
      if (ack.error) throw new RepriseError('SERVER_FAILED', ack.error.description ?? 'The server gave no reason.');
    } catch (error) {
      this.#options.onError?.(operating(error, `Writing a known head of partition ${head.partition} failed`));
    }
  }
}
