/**
 * The journal on JetStream, on its own connection, which never reconnects. What the client still holds when the
 * connection breaks is therefore never sent later, and an append in flight is ambiguous at once.
 */
import assert from 'node:assert/strict';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { errors, headers, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { messageOf, type RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { appendedOf, ambiguous, refused, silent } from './ack.js';
import { connectNats, inboxOf, operating } from './connect.js';
import { lost, unsettled, type Appended, type Journal, type Stored } from './journal.js';
import { readStream } from './ordered.js';
import { checkWritable } from './writable.js';

export interface JournalOptions {
  readonly url: string;
  readonly ns: Namespace;
  readonly partition: Partition;
  /** How long to wait for an append's acknowledgement. */
  readonly ackTimeoutMs?: number;
}

const ACK_TIMEOUT_MS = 5_000;

export function openJournal(options: JournalOptions): Promise<Journal> {
  return JetStreamJournal.open(options);
}

/** The append that waits for its acknowledgement. */
interface Flight {
  /** Counts the appends of this handle; the last token of the reply subject. */
  readonly number: number;
  readonly timer: NodeJS.Timeout;
  readonly end: (appended: Appended) => void;
}

class JetStreamJournal implements Journal {
  readonly partition: Partition;
  readonly closed: Promise<void>;
  private readonly stream: string;
  private readonly subject: string;
  /** Prefix of the reply subjects of appends. */
  private readonly acks: string;
  /** Rejects each read in flight. */
  private readonly waiting = new Set<(error: RepriseError) => void>();
  private lastNumber = 0;
  private flight: Flight | undefined;
  private down = false;
  /** An append was ambiguous: this handle takes no more. */
  private spent = false;
  /** The ambiguous append was not acknowledged in time, although the connection held. */
  private silent = false;
  private resolveClosed: () => void = () => undefined;

  private constructor(
    private readonly options: JournalOptions,
    private readonly nc: NatsConnection,
    private readonly jsm: JetStreamManager,
  ) {
    this.partition = options.partition;
    this.stream = streams.journal(options.ns, options.partition);
    this.subject = subjects.journal(options.ns, options.partition);
    this.acks = inboxOf(nc);
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  static async open(options: JournalOptions): Promise<JetStreamJournal> {
    let journal: JetStreamJournal | undefined;
    const name = `reprise journal ${options.ns}/${options.partition}`;
    const onError = (error: RepriseError): void => journal?.publishRefused(error);
    const nc = await connectNats({ url: options.url, name, reconnect: false, onError });
    journal = new JetStreamJournal(options, nc, await jetstreamManager(nc, { checkAPI: false }));
    journal.listen();
    return journal;
  }

  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended> {
    if (this.down || this.nc.isClosed()) return Promise.reject(lost());
    if (this.spent) return Promise.reject(unsettled());
    assert(this.flight === undefined, 'Only one append may be in flight.');
    const number = ++this.lastNumber;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.finish(number, silent), this.options.ackTimeoutMs ?? ACK_TIMEOUT_MS);
      this.flight = { number, timer, end: resolve };
      try {
        this.nc.publish(this.subject, bytes, { reply: `${this.acks}.${number}`, headers: this.fence(expectedSeq) });
      } catch (error) {
        // Thrown before anything was sent: the message is too large, or the connection is closed.
        clearTimeout(timer);
        this.flight = undefined;
        if (this.nc.isClosed()) reject(operating(error, 'Appending to the journal failed'));
        else resolve(refused('other', messageOf(error)));
      }
    });
  }

  async *replay(fromSeq: number): AsyncGenerator<Stored> {
    const untilSeq = await this.lastSeq();
    yield* readStream(this.nc, { stream: this.stream, fromSeq: Math.max(1, fromSeq), untilSeq });
  }

  async read(seq: number): Promise<Stored | undefined> {
    const request = this.jsm.streams.getMessage(this.stream, { seq });
    const message = await this.whileOpen(request, 'Reading the journal failed');
    return message === null ? undefined : { seq: message.seq, bytes: message.data };
  }

  async lastSeq(): Promise<number> {
    return (await this.end()).lastSeq;
  }

  async end(): Promise<{ firstSeq: number; lastSeq: number; serverMs: number }> {
    const request = this.jsm.streams.info(this.stream);
    const { state, ts } = await this.whileOpen(request, 'Reading the end of the journal failed');
    const { first_seq: firstSeq, last_seq: lastSeq } = state;
    return { firstSeq: Math.max(1, firstSeq), lastSeq, serverMs: Date.parse(ts ?? '') };
  }

  async truncate(firstSeq: number): Promise<void> {
    await this.whileOpen(this.jsm.streams.purge(this.stream, { seq: firstSeq }), 'Truncating the journal failed');
  }

  async reopen(): Promise<Journal> {
    await this.close();
    const fresh = await JetStreamJournal.open(this.options);
    if (this.silent) {
      await checkWritable(fresh.jsm, this.stream).catch(async (error: unknown) => {
        await fresh.close();
        throw error;
      });
    }
    return fresh;
  }

  async close(): Promise<void> {
    this.disconnected();
    await this.nc.close();
  }

  private fence(expectedSeq: number): ReturnType<typeof headers> {
    const fence = headers();
    fence.set('Nats-Expected-Last-Sequence', String(expectedSeq));
    fence.set('Nats-Expected-Stream', this.stream);
    return fence;
  }

  private listen(): void {
    this.nc.subscribe(`${this.acks}.*`, {
      callback: (error, message) => (error ? this.subscriptionRefused(error) : this.acknowledged(message)),
    });
    void this.nc.closed().then(() => this.disconnected());
  }

  /** A second or late acknowledgement carries the number of an append that has ended, and is ignored. */
  private acknowledged(message: Msg): void {
    const number = Number(message.subject.slice(this.acks.length + 1));
    if (this.flight?.number === number) this.finish(number, appendedOf(message));
  }

  /** The server refuses the subscription: without acknowledgements every append is ambiguous. */
  private subscriptionRefused(error: Error): void {
    const ended = ambiguous(`Acknowledgements cannot be received: ${error.message}.`);
    if (this.flight) this.finish(this.flight.number, ended);
    else this.spent = true;
  }

  /** The server names a refused publish by its subject only. With one append in flight, it is that one. */
  private publishRefused(error: RepriseError): void {
    const { cause } = error;
    if (!(cause instanceof errors.PermissionViolationError) || cause.operation !== 'publish') return;
    if (cause.subject === this.subject && this.flight) this.finish(this.flight.number, refused('other', error.message));
  }

  /** Ends the append, unless it has ended before. */
  private finish(number: number, appended: Appended): void {
    const flight = this.flight;
    if (flight?.number !== number) return;
    clearTimeout(flight.timer);
    this.flight = undefined;
    if (appended.kind === 'ambiguous') this.spent = true;
    if (appended === silent) this.silent = true;
    flight.end(appended);
  }

  private disconnected(): void {
    if (this.down) return;
    this.down = true;
    if (this.flight) this.finish(this.flight.number, ambiguous('The connection was lost.'));
    for (const fail of this.waiting) fail(lost());
    this.resolveClosed();
  }

  /** When the connection is lost, the client lets requests run into their time-out. This rejects them at once. */
  private whileOpen<T>(request: Promise<T>, doing: string): Promise<T> {
    if (this.down) {
      request.catch(() => undefined);
      return Promise.reject(lost());
    }
    return new Promise((resolve, reject) => {
      this.waiting.add(reject);
      const done = (): boolean => this.waiting.delete(reject);
      request.then((value) => (done(), resolve(value)), (error: unknown) => (done(), reject(operating(error, doing))));
    });
  }
}
