/**
 * The journal on JetStream, on a connection of its own that never reconnects: what the client still holds when the
 * connection breaks must not be sent later, and everything in flight is ambiguous at once.
 */
import assert from 'node:assert/strict';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { errors, headers, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { appendedOf, ambiguous, refused, silent } from './ack.js';
import { connectNats, inboxOf, operating } from './connect.js';
import type { Appended, Journal, Stored } from './journal.js';
import { readStream } from './ordered.js';
import { checkRoom } from './room.js';

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

interface Flight {
  readonly number: number;
  readonly timer: NodeJS.Timeout;
  readonly end: (appended: Appended) => void;
}

class JetStreamJournal implements Journal {
  readonly partition: Partition;
  readonly closed: Promise<void>;
  readonly #options: JournalOptions;
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #stream: string;
  readonly #subject: string;
  readonly #acks: string;
  readonly #waiting = new Set<(error: RepriseError) => void>();
  #number = 0;
  #flight: Flight | undefined;
  #down = false;
  #spent = false;
  #silent = false;
  #tellClosed: () => void = () => undefined;

  private constructor(options: JournalOptions, nc: NatsConnection, jsm: JetStreamManager) {
    this.partition = options.partition;
    this.#options = options;
    this.#nc = nc;
    this.#jsm = jsm;
    this.#stream = streams.journal(options.ns, options.partition);
    this.#subject = subjects.journal(options.ns, options.partition);
    this.#acks = inboxOf(nc);
    this.closed = new Promise((resolve) => (this.#tellClosed = resolve));
  }

  static async open(options: JournalOptions): Promise<JetStreamJournal> {
    let journal: JetStreamJournal | undefined;
    const name = `reprise journal ${options.ns}/${options.partition}`;
    const nc = await connectNats({ url: options.url, name, reconnect: false, onError: (error) => journal && journal.#refuse(error) });
    journal = new JetStreamJournal(options, nc, await jetstreamManager(nc, { checkAPI: false }));
    journal.#listen();
    return journal;
  }

  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended> {
    const unfit = this.#unfit();
    if (unfit) return Promise.reject(unfit);
    assert(this.#flight === undefined, 'One append may be in flight, not two.');
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(number, silent), this.#options.ackTimeoutMs ?? ACK_TIMEOUT_MS);
      this.#flight = { number, timer, end: resolve };
      try {
        this.#nc.publish(this.#subject, bytes, { reply: `${this.#acks}.${number}`, headers: this.#fence(expectedSeq) });
      } catch (error) {
        // Thrown before anything was handed over: too large, or the connection is closed.
        clearTimeout(timer);
        this.#flight = undefined;
        if (this.#nc.isClosed()) reject(operating(error, 'Appending to the journal failed'));
        else resolve(refused('other', error instanceof Error ? error.message : String(error)));
      }
    });
  }

  async *replay(fromSeq: number): AsyncGenerator<Stored> {
    const untilSeq = await this.lastSeq();
    yield* readStream(this.#nc, { stream: this.#stream, fromSeq: Math.max(1, fromSeq), untilSeq });
  }

  async read(seq: number): Promise<Stored | undefined> {
    const message = await this.#during(this.#jsm.streams.getMessage(this.#stream, { seq }), 'Reading the journal failed');
    return message === null ? undefined : { seq: message.seq, bytes: message.data };
  }

  async lastSeq(): Promise<number> {
    return (await this.end()).lastSeq;
  }

  async end(): Promise<{ lastSeq: number; serverMs: number }> {
    const { state, ts } = await this.#during(this.#jsm.streams.info(this.#stream), 'Asking for the end of the journal failed');
    return { lastSeq: state.last_seq, serverMs: Date.parse(ts ?? '') };
  }

  async reopen(): Promise<Journal> {
    await this.close();
    const fresh = await JetStreamJournal.open(this.#options);
    if (this.#silent) {
      await checkRoom(fresh.#jsm, this.#stream).catch(async (error: unknown) => {
        await fresh.close();
        throw error;
      });
    }
    return fresh;
  }

  async close(): Promise<void> {
    this.#disconnected();
    await this.#nc.close();
  }

  #fence(expectedSeq: number): ReturnType<typeof headers> {
    const fence = headers();
    fence.set('Nats-Expected-Last-Sequence', String(expectedSeq));
    fence.set('Nats-Expected-Stream', this.#stream);
    return fence;
  }

  #listen(): void {
    this.#nc.subscribe(`${this.#acks}.*`, { callback: (error, message) => (error ? this.#deaf(error) : this.#acknowledged(message)) });
    void this.#nc.closed().then(() => this.#disconnected());
  }

  /** Acknowledgements of appends given up long ago, and second ones, carry another number and fall through. */
  #acknowledged(message: Msg): void {
    const number = Number(message.subject.slice(this.#acks.length + 1));
    if (this.#flight?.number === number) this.#end(number, appendedOf(message));
  }

  /** Without acknowledgements nothing is certain. */
  #deaf(error: Error): void {
    if (this.#flight) this.#end(this.#flight.number, ambiguous(`Acknowledgements cannot be received: ${error.message}.`));
    else this.#spent = true;
  }

  /** A refused publish is told of by its subject only. With one append in flight on this connection it is that one. */
  #refuse(error: RepriseError): void {
    const { cause } = error;
    const ours = cause instanceof errors.PermissionViolationError && cause.operation === 'publish' && cause.subject === this.#subject;
    if (ours && this.#flight) this.#end(this.#flight.number, refused('other', error.message));
  }

  #end(number: number, appended: Appended): void {
    const flight = this.#flight;
    if (flight?.number !== number) return;
    clearTimeout(flight.timer);
    this.#flight = undefined;
    if (appended.kind === 'ambiguous') this.#spent = true;
    if (appended === silent) this.#silent = true;
    flight.end(appended);
  }

  #disconnected(): void {
    if (this.#down) return;
    this.#down = true;
    if (this.#flight) this.#end(this.#flight.number, ambiguous('The connection was lost.'));
    for (const fail of this.#waiting) fail(lost());
    this.#tellClosed();
  }

  #unfit(): RepriseError | undefined {
    if (this.#down || this.#nc.isClosed()) return lost();
    return this.#spent ? new RepriseError('SERVER_UNREACHABLE', 'An append before this one ended without an answer. Settle it on a fresh connection.') : undefined;
  }

  /** The client lets requests in flight run into their time-out when the connection is lost; this ends them at once. */
  #during<T>(request: Promise<T>, doing: string): Promise<T> {
    if (this.#down) {
      request.catch(() => undefined);
      return Promise.reject(lost());
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const done = (): boolean => this.#waiting.delete(reject);
      request.then((value) => (done(), resolve(value)), (error: unknown) => (done(), reject(operating(error, doing))));
    });
  }
}

const lost = (): RepriseError => new RepriseError('SERVER_UNREACHABLE', 'The connection of the journal is closed.');
