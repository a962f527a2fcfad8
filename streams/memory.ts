/**
 * The journal in memory, for tests and simulation: the same fence, the same results of an append, and the faults of
 * the real one on demand. It has no timers: what would run into a time-out there ends at once here.
 */
import assert from 'node:assert/strict';
import type { Partition } from '../protocols/ids.js';
import { ambiguous, refused, silent } from './ack.js';
import { lost, unsettled, type Appended, type Journal, type Stored } from './journal.js';

/** What happens to the next append. What is late arrives with {@link MemoryStream.arrive}. */
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
  readonly messages = new Map<number, Uint8Array>();
  lastSeq = 0;
  /** What is before it was truncated. */
  firstSeq = 1;
  readonly maxBytes: number;
  /** Latency: awaited before an append reaches the stream, and again before its acknowledgement. */
  delay: () => Promise<void> = () => Promise.resolve();
  /** The server's wall clock. */
  serverMs: () => number = () => Date.now();
  private bytes = 0;
  private readonly faults: Fault[] = [];
  private held: (() => void)[] = [];
  private readonly handles = new Set<MemoryJournal>();

  constructor(
    readonly partition: Partition,
    options: { maxBytes?: number } = {},
  ) {
    this.maxBytes = options.maxBytes ?? Infinity;
  }

  open(): Promise<Journal> {
    const journal = new MemoryJournal(this);
    this.handles.add(journal);
    return Promise.resolve(journal);
  }

  /** Faults of the coming appends, one each, in this order. */
  fault(...faults: Fault[]): void {
    this.faults.push(...faults);
  }

  nextFault(): Fault | undefined {
    return this.faults.shift();
  }

  hold(what: () => void): void {
    this.held.push(what);
  }

  /** Delivers everything that was held back, in the order in which it was sent. */
  arrive(): void {
    const held = this.held;
    this.held = [];
    for (const what of held) what();
  }

  /** Cuts every connection. */
  disconnect(): void {
    for (const journal of this.handles) journal.disconnected();
  }

  forget(journal: MemoryJournal): void {
    this.handles.delete(journal);
  }

  truncate(firstSeq: number): void {
    for (; this.firstSeq < firstSeq && this.firstSeq <= this.lastSeq; this.firstSeq += 1) {
      this.bytes -= this.messages.get(this.firstSeq)?.length ?? 0;
      this.messages.delete(this.firstSeq);
    }
  }

  /** What the server does with a publish. Without an expected sequence there is no fence. */
  write(bytes: Uint8Array, expectedSeq?: number): Appended {
    if (expectedSeq !== undefined && expectedSeq !== this.lastSeq) {
      return refused('fenced', `wrong last sequence: ${this.lastSeq}`);
    }
    if (this.bytes + bytes.length > this.maxBytes) return refused('full', 'maximum bytes exceeded');
    this.lastSeq += 1;
    this.bytes += bytes.length;
    this.messages.set(this.lastSeq, bytes.slice());
    return { kind: 'committed', seq: this.lastSeq };
  }
}

class MemoryJournal implements Journal {
  readonly partition: Partition;
  readonly closed: Promise<void>;
  private flight: ((appended: Appended) => void) | undefined;
  private down = false;
  private spent = false;
  private resolveClosed: () => void = () => undefined;

  constructor(private readonly stream: MemoryStream) {
    this.partition = stream.partition;
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended> {
    if (this.down) return Promise.reject(lost());
    if (this.spent) return Promise.reject(unsettled());
    assert(this.flight === undefined, 'Only one append may be in flight.');
    return new Promise((resolve) => {
      // A second or late acknowledgement belongs to an append that has ended, and is ignored.
      const end = (appended: Appended): void => {
        if (this.flight !== end) return;
        this.flight = undefined;
        if (appended.kind === 'ambiguous') this.spent = true;
        resolve(appended);
      };
      this.flight = end;
      void this.send(bytes.slice(), expectedSeq, end);
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
    this.assertUp();
    const bytes = this.stream.messages.get(seq);
    return bytes && { seq, bytes };
  }

  async lastSeq(): Promise<number> {
    this.assertUp();
    return this.stream.lastSeq;
  }

  async end(): Promise<{ firstSeq: number; lastSeq: number; serverMs: number }> {
    this.assertUp();
    const { firstSeq, lastSeq } = this.stream;
    return { firstSeq, lastSeq, serverMs: this.stream.serverMs() };
  }

  async truncate(firstSeq: number): Promise<void> {
    this.assertUp();
    this.stream.truncate(firstSeq);
  }

  async reopen(): Promise<Journal> {
    await this.close();
    return this.stream.open();
  }

  async close(): Promise<void> {
    this.disconnected();
  }

  disconnected(): void {
    if (this.down) return;
    this.down = true;
    this.stream.forget(this);
    this.flight?.(ambiguous('The connection was lost.'));
    this.resolveClosed();
  }

  private async send(bytes: Uint8Array, expectedSeq: number, end: (appended: Appended) => void): Promise<void> {
    const stream = this.stream;
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
    this.acknowledge(appended, fault, end);
  }

  private acknowledge(appended: Appended, fault: Fault | undefined, end: (appended: Appended) => void): void {
    if (fault === 'cut after') return this.disconnected();
    if (fault === 'ack late') this.stream.hold(() => end(appended));
    if (fault === 'ack late' || fault === 'ack lost') return end(silent);
    end(appended);
    if (fault === 'ack duplicated') end(appended);
  }

  private assertUp(): void {
    if (this.down) throw lost();
  }
}

