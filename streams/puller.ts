/** A pull consumer made for one reading. It pulls ahead of its reader. */
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

/** A pull ends at either limit. A slow reader holds at most two pulls in memory. */
const PULL_MESSAGES = 1_000;
const PULL_BYTES = 4 * 1024 * 1024;
/** If nothing arrives for this long, the server or the connection hangs. */
export const SILENCE_MS = 5_000;
const NO_MESSAGES = 404;
const PULL_ENDED = 408;

export class Puller {
  private readonly inbox: string;
  private readonly nextSubject: string;
  private readonly queue: Stored[] = [];
  /** Index of the next message in `queue`, and the bytes from there on. */
  private at = 0;
  private bytes = 0;
  /** Number of pulls so far, whether the last one is open, and how many messages it may still bring. */
  private pulls = 0;
  private pulling = false;
  private left = 0;
  /** The server had no more messages for the last pull. */
  private ended = false;
  private delivered = 0;
  private failure: RepriseError | undefined;
  private wake: (() => void) | undefined;
  private sub: Subscription | undefined;
  private unwatch: (() => void) | undefined;

  private constructor(
    private readonly nc: NatsConnection,
    stream: string,
    consumer: string,
    private readonly deleteConsumer: () => Promise<unknown>,
  ) {
    this.inbox = inboxOf(nc);
    this.nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
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
      const deleteConsumer = (): Promise<unknown> => jsm.consumers.delete(reading.stream, info.name);
      const puller = new Puller(nc, reading.stream, info.name, deleteConsumer);
      puller.listen();
      return puller;
    } catch (error) {
      throw operating(error, `Reading ${reading.stream} failed`);
    }
  }

  /** The next message, if one has arrived already. */
  take(): Stored | undefined {
    const message = this.queue[this.at];
    if (message === undefined) return undefined;
    this.at += 1;
    this.bytes -= message.bytes.length;
    if (this.at === this.queue.length) {
      this.queue.length = 0;
      this.at = 0;
    }
    if (this.bytes < PULL_BYTES) this.pull();
    return message;
  }

  /** Waits for the next message. @returns undefined if the server has no more at the moment */
  async wait(): Promise<Stored | undefined> {
    this.ended = false;
    for (;;) {
      const message = this.take();
      if (message !== undefined) return message;
      if (this.failure) throw this.failure;
      if (this.ended) return undefined;
      this.pull();
      await this.untilWoken();
    }
  }

  async close(): Promise<void> {
    this.sub?.unsubscribe();
    this.unwatch?.();
    if (!this.nc.isClosed()) await this.deleteConsumer().catch(() => undefined);
  }

  private untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.fail('TIMED_OUT', 'The server stopped delivering'), SILENCE_MS);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }

  private listen(): void {
    this.sub = this.nc.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => (error ? this.fail('PERMISSION_DENIED', error.message) : this.receive(message)),
    });
    this.unwatch = onRefusal(this.nc, (error) => {
      const ours = error instanceof errors.PermissionViolationError && error.subject === this.nextSubject;
      if (ours) this.fail('PERMISSION_DENIED', error.message);
    });
    void this.nc.closed().then(() => this.fail('SERVER_UNREACHABLE', 'The connection was lost while reading'));
  }

  private pull(): void {
    if (this.pulling || this.failure || this.ended || this.nc.isClosed()) return;
    this.pulling = true;
    this.pulls += 1;
    this.left = PULL_MESSAGES;
    const request = JSON.stringify({ batch: PULL_MESSAGES, max_bytes: PULL_BYTES, no_wait: true });
    this.nc.publish(this.nextSubject, request, { reply: `${this.inbox}.${this.pulls}` });
  }

  private receive(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code !== 0) this.status(code, message);
    else this.message(message);
    this.wake?.();
  }

  private message(message: Msg): void {
    const tokens = (message.reply ?? '').split('.');
    // Newer servers put domain and account before the stream.
    const shift = tokens.length > 9 ? 2 : 0;
    const seq = Number(tokens[5 + shift]);
    this.delivered += 1;
    if (!(seq > 0) || Number(tokens[6 + shift]) !== this.delivered) {
      this.fail('SERVER_UNREACHABLE', 'Messages were lost between server and broker');
      return;
    }
    this.queue.push({ seq, bytes: message.data });
    this.bytes += message.data.length;
    if (--this.left === 0) this.pulling = false;
  }

  private status(code: number, message: Msg): void {
    const description = message.headers?.description ?? '';
    // The status of a pull may come after its last message, when the next pull has been sent already.
    const ofThisPull = message.subject === `${this.inbox}.${this.pulls}`;
    if (ofThisPull) this.pulling = false;
    if (code === NO_MESSAGES) this.ended = ofThisPull;
    else if (code !== PULL_ENDED && !/max ?bytes|batch completed/i.test(description)) {
      this.fail('SERVER_UNREACHABLE', `The server stopped delivering: ${code} ${description}`);
    }
  }

  private fail(code: 'SERVER_UNREACHABLE' | 'PERMISSION_DENIED' | 'TIMED_OUT', message: string): void {
    this.failure ??= new RepriseError(code, `${message}.`, { retryable: code !== 'PERMISSION_DENIED' });
    this.wake?.();
  }
}
