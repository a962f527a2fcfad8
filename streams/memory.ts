/**
 * The journal's twin in memory, for tests and simulation: the same fence, the same ends of an append, and the faults
 * of the real one on demand. It has no timers; what runs into a time-out there ends at once here.
 */
import assert from 'node:assert/strict';
import { RepriseError } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import { ambiguous, refused, silent } from './ack.js';
import type { Appended, Journal, Stored } from './journal.js';

/** What happens to the next append. Held things arrive with {@link MemoryStream.arrive}. */
export type Fault =
  | 'refused'
  | 'full'
  /** Written, but the acknowledgement never comes, comes after the time-out, or comes twice. */
  | 'ack lost'
  | 'ack late'
  | 'ack duplicated'
  /** Never written, or written after its time-out if it still fits. */
  | 'message lost'
  | 'message late'
  /** The connection breaks before or after the message is written. */
  | 'cut before'
  | 'cut after';

export class MemoryStream {
  readonly partition: Partition;
  readonly messages = new Map<number, Uint8Array>();
  lastSeq = 0;
  readonly maxBytes: number;
  /** Awaited before an append reaches the stream and before its acknowledgement: latency, as the test likes it. */
  delay: () => Promise<void> = () => Promise.resolve();
  /** The server's wall clock. */
  serverMs: () => number = () => Date.now();
  #bytes = 0;
  readonly #faults: Fault[] = [];
  #held: (() => void)[] = [];
  readonly #open = new Set<MemoryJournal>();

  constructor(partition: Partition, options: { maxBytes?: number } = {}) {
    this.partition = partition;
    this.maxBytes = options.maxBytes ?? Infinity;
  }

  open(): Promise<Journal> {
    const journal = new MemoryJournal(this);
    this.#open.add(journal);
    return Promise.resolve(journal);
  }

  /** Faults of the coming appends, one each, in this order. */
  fault(...faults: Fault[]): void {
    this.#faults.push(...faults);
  }

  nextFault(): Fault | undefined {
    return this.#faults.shift();
  }

  hold(what: () => void): void {
    this.#held.push(what);
  }

  /** Lets everything that was held back arrive, in the order in which it was sent. */
  arrive(): void {
    const held = this.#held;
    this.#held = [];
    for (const what of held) what();
  }

  /** Cuts every connection. */
  disconnect(): void {
    for (const journal of this.#open) journal.disconnected();
  }

  forget(journal: MemoryJournal): void {
    this.#open.delete(journal);
  }

  /** What the server does. Without an expected sequence the message is a stranger's. */
  write(bytes: Uint8Array, expectedSeq?: number): Appended {
    if (expectedSeq !== undefined && expectedSeq !== this.lastSeq) return refused('fenced', `wrong last sequence: ${this.lastSeq}`);
    if (this.#bytes + bytes.length > this.maxBytes) return refused('full', 'maximum bytes exceeded');
    this.lastSeq += 1;
    this.#bytes += bytes.length;
    this.messages.set(this.lastSeq, bytes.slice());
    return { kind: 'committed', seq: this.lastSeq };
  }
}

class MemoryJournal implements Journal {
  readonly partition: Partition;
  readonly closed: Promise<void>;
  readonly #stream: MemoryStream;
  #flight: ((appended: Appended) => void) | undefined;
  #down = false;
  #spent = false;
  #tellClosed: () => void = () => undefined;

  constructor(stream: MemoryStream) {
    this.partition = stream.partition;
    this.#stream = stream;
    this.closed = new Promise((resolve) => (this.#tellClosed = resolve));
  }

  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended> {
    if (this.#down) return Promise.reject(lost());
    if (this.#spent) return Promise.reject(new RepriseError('SERVER_UNREACHABLE', 'An append before this one ended without an answer. Settle it on a fresh connection.'));
    assert(this.#flight === undefined, 'One append may be in flight, not two.');
    return new Promise((resolve) => {
      // Only the flight's own end counts; a second or a late acknowledgement finds another flight or none.
      const end = (appended: Appended): void => {
        if (this.#flight !== end) return;
        this.#flight = undefined;
        if (appended.kind === 'ambiguous') this.#spent = true;
        resolve(appended);
      };
      this.#flight = end;
      void this.#send(bytes.slice(), expectedSeq, end);
    });
  }

  async *replay(fromSeq: number): AsyncGenerator<Stored> {
    const untilSeq = await this.lastSeq();
    for (let seq = Math.max(1, fromSeq); seq <= untilSeq; seq += 1) {
      const stored = await this.read(seq);
      if (stored) yield stored;
    }
  }

  async read(seq: number): Promise<Stored | undefined> {
    this.#assertUp();
    const bytes = this.#stream.messages.get(seq);
    return bytes && { seq, bytes };
  }

  async lastSeq(): Promise<number> {
    this.#assertUp();
    return this.#stream.lastSeq;
  }

  async end(): Promise<{ lastSeq: number; serverMs: number }> {
    this.#assertUp();
    return { lastSeq: this.#stream.lastSeq, serverMs: this.#stream.serverMs() };
  }

  async reopen(): Promise<Journal> {
    await this.close();
    return this.#stream.open();
  }

  async close(): Promise<void> {
    this.disconnected();
  }

  disconnected(): void {
    if (this.#down) return;
    this.#down = true;
    this.#stream.forget(this);
    this.#flight?.(ambiguous('The connection was lost.'));
    this.#tellClosed();
  }

  async #send(bytes: Uint8Array, expectedSeq: number, end: (appended: Appended) => void): Promise<void> {
    const stream = this.#stream;
    const fault = stream.nextFault();
    await stream.delay();
    if (fault === 'refused') return end(refused('other', 'refused by a fault'));
    if (fault === 'full') return end(refused('full', 'maximum bytes exceeded'));
    if (fault === 'cut before') return this.disconnected();
    if (fault === 'message lost' || fault === 'message late') {
      if (fault === 'message late') stream.hold(() => void stream.write(bytes, expectedSeq));
      return end(silent);
    }
    const appended = stream.write(bytes, expectedSeq);
    await stream.delay();
    this.#acknowledge(appended, fault, end);
  }

  #acknowledge(appended: Appended, fault: Fault | undefined, end: (appended: Appended) => void): void {
    if (fault === 'cut after') return this.disconnected();
    if (fault === 'ack late') this.#stream.hold(() => end(appended));
    if (fault === 'ack late' || fault === 'ack lost') return end(silent);
    end(appended);
    if (fault === 'ack duplicated') end(appended);
  }

  #assertUp(): void {
    if (this.#down) throw lost();
  }
}

const lost = (): RepriseError => new RepriseError('SERVER_UNREACHABLE', 'The connection of the journal is closed.');
