/** One pull consumer that lives only for one reading, and pulls ahead of its reader. */
import { AckPolicy, DeliverPolicy, jetstreamManager } from '@nats-io/jetstream';
import { errors, nanos, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import { inboxOf, onRefusal, operating } from './connect.js';
import type { Stored } from './journal.js';

export interface PulledFrom {
  readonly stream: string;
  readonly fromSeq: number;
  /** Only messages of this subject. */
  readonly subject?: string;
}

/** A pull ends at either; with 4 MiB a slow reader holds at most two of them. */
const PULL_MESSAGES = 1_000;
const PULL_BYTES = 4 * 1024 * 1024;
/** Silence for so long means that the server or the way to it hangs. */
export const SILENCE_MS = 5_000;
const NO_MESSAGES = 404;
const PULL_ENDED = 408;

export class Puller {
  readonly #nc: NatsConnection;
  readonly #inbox: string;
  readonly #nextSubject: string;
  readonly #queue: Stored[] = [];
  #at = 0;
  #bytes = 0;
  #left = 0;
  #pulls = 0;
  #pulling = false;
  #ended = false;
  #delivered = 0;
  #failure: RepriseError | undefined;
  #wake: (() => void) | undefined;
  #sub: Subscription | undefined;
  readonly #forget: () => Promise<unknown>;
  #unwatch: (() => void) | undefined;

  private constructor(nc: NatsConnection, stream: string, consumer: string, forget: () => Promise<unknown>) {
    this.#nc = nc;
    this.#inbox = inboxOf(nc);
    this.#nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#forget = forget;
  }

  static async open(nc: NatsConnection, reading: PulledFrom): Promise<Puller> {
    try {
      const jsm = await jetstreamManager(nc, { checkAPI: false });
      const info = await jsm.consumers.add(reading.stream, {
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: Math.max(1, reading.fromSeq),
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: nanos(30_000),
        ...(reading.subject === undefined ? {} : { filter_subject: reading.subject }),
      });
      const puller = new Puller(nc, reading.stream, info.name, () => jsm.consumers.delete(reading.stream, info.name));
      puller.#listen();
      return puller;
    } catch (error) {
      throw operating(error, `Reading ${reading.stream} failed`);
    }
  }

  /** The next message that has arrived already. */
  take(): Stored | undefined {
    const message = this.#queue[this.#at];
    if (message === undefined) return undefined;
    this.#at += 1;
    this.#bytes -= message.bytes.length;
    if (this.#at === this.#queue.length) {
      this.#queue.length = 0;
      this.#at = 0;
    }
    if (this.#bytes < PULL_BYTES) this.#pull();
    return message;
  }

  /** The next message, or undefined when the server has no more just now. */
  async wait(): Promise<Stored | undefined> {
    this.#ended = false;
    for (;;) {
      const message = this.take();
      if (message !== undefined) return message;
      if (this.#failure) throw this.#failure;
      if (this.#ended) return undefined;
      this.#pull();
      await this.#something();
    }
  }

  async close(): Promise<void> {
    this.#sub?.unsubscribe();
    this.#unwatch?.();
    if (!this.#nc.isClosed()) await this.#forget().catch(() => undefined);
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#fail('TIMED_OUT', 'The server stopped delivering'), SILENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #listen(): void {
    this.#sub = this.#nc.subscribe(`${this.#inbox}.*`, { callback: (error, message) => (error ? this.#fail('PERMISSION_DENIED', error.message) : this.#receive(message)) });
    this.#unwatch = onRefusal(this.#nc, (error) => {
      if (error instanceof errors.PermissionViolationError && error.subject === this.#nextSubject) this.#fail('PERMISSION_DENIED', error.message);
    });
    void this.#nc.closed().then(() => this.#fail('SERVER_UNREACHABLE', 'The connection was lost while reading'));
  }

  #pull(): void {
    if (this.#pulling || this.#failure || this.#ended || this.#nc.isClosed()) return;
    this.#pulling = true;
    this.#pulls += 1;
    this.#left = PULL_MESSAGES;
    this.#nc.publish(this.#nextSubject, JSON.stringify({ batch: PULL_MESSAGES, max_bytes: PULL_BYTES, no_wait: true }), { reply: `${this.#inbox}.${this.#pulls}` });
  }

  #receive(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code !== 0) this.#status(code, message);
    else this.#message(message);
    this.#wake?.();
  }

  #message(message: Msg): void {
    const tokens = (message.reply ?? '').split('.');
    // Newer servers put the domain and the account before the stream.
    const shift = tokens.length > 9 ? 2 : 0;
    const seq = Number(tokens[5 + shift]);
    this.#delivered += 1;
    if (!(seq > 0) || Number(tokens[6 + shift]) !== this.#delivered) {
      this.#fail('SERVER_UNREACHABLE', 'Messages were lost on the way');
      return;
    }
    this.#queue.push({ seq, bytes: message.data });
    this.#bytes += message.data.length;
    if (--this.#left === 0) this.#pulling = false;
  }

  #status(code: number, message: Msg): void {
    const description = message.headers?.description ?? '';
    // A pull that was counted to its end is told of as well, when the next one may be on its way already.
    const ofThisPull = message.subject === `${this.#inbox}.${this.#pulls}`;
    if (ofThisPull) this.#pulling = false;
    if (code === NO_MESSAGES) this.#ended = ofThisPull;
    else if (code !== PULL_ENDED && !/max ?bytes|batch completed/i.test(description)) this.#fail('SERVER_UNREACHABLE', `The server stopped delivering: ${code} ${description}`);
  }

  #fail(code: 'SERVER_UNREACHABLE' | 'PERMISSION_DENIED' | 'TIMED_OUT', message: string): void {
    this.#failure ??= new RepriseError(code, `${message}.`, { retryable: code !== 'PERMISSION_DENIED' });
    this.#wake?.();
  }
}
