/**
 * Lets commits through only while this broker leads for certain, and in order. What it may not publish yet is held: the
 * commits that a take-over replays, and those of a leader whose lease is in doubt. What is held when leadership is lost
 * is dropped, for the next leader begins at the checkpoint.
 */
import { committedOf, type Committed } from '../streams/committed.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';

/** Of held commits. A take-over has so much behind a checkpoint only if none could be written for long. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Without commits nothing else tells that the lease is valid again. */
const LOOK_EVERY_MS = 100;

export interface GateOptions {
  readonly mayPublish: () => boolean;
  readonly publish: (commit: Committed) => void;
  /** So many commits, the oldest, were more than can be held. They are not published. */
  readonly onDropped?: (commits: number) => void;
}

export class Gate {
  private leads = false;
  /** Those before `first` are gone; they are cut off when they are half of the list. */
  private held: Omit<Committed, 'events'>[] = [];
  private first = 0;
  private bytes = 0;
  private dropped = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: GateOptions) {}

  /** From now on what is held may go, as soon as it is certain that this broker leads. */
  open(): void {
    this.leads = true;
    if (this.dropped > 0) this.options.onDropped?.(this.dropped);
    this.dropped = 0;
    this.release();
  }

  /** What is held is dropped. */
  close(): void {
    this.leads = false;
    [this.held, this.first, this.bytes, this.dropped] = [[], 0, 0, 0];
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** @returns whether the commit is to be published now; if not, it is held here */
  passes(commit: Committed): boolean {
    if (!this.isEmpty) this.release();
    if (this.leads && this.isEmpty && this.options.mayPublish()) return true;
    this.hold(commit);
    return false;
  }

  private get isEmpty(): boolean {
    return this.first === this.held.length;
  }

  /** Without the events: they are read from the bytes again. */
  private hold({ events: _, ...commit }: Committed): void {
    this.held.push(commit);
    this.bytes += commit.bytes.length;
    for (; this.bytes > MOST_BYTES; this.dropped += 1) this.take();
    if (this.leads) this.lookLater();
  }

  private take(): Omit<Committed, 'events'> {
    const taken = this.held[this.first]!;
    this.first += 1;
    this.bytes -= taken.bytes.length;
    if (2 * this.first >= this.held.length) {
      this.held.splice(0, this.first);
      this.first = 0;
    }
    return taken;
  }

  private release(): void {
    while (!this.isEmpty && this.leads && this.options.mayPublish()) {
      const { bytes, partition, seq, hash } = this.take();
      this.options.publish(committedOf(decodeLeniently(journal.Commit, bytes), partition, seq, hash, bytes));
    }
    if (this.leads && !this.isEmpty) this.lookLater();
  }

  private lookLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.release();
    }, LOOK_EVERY_MS).unref();
  }
}
