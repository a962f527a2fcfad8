/**
 * Passes commits on in order, and only while this broker certainly leads. Until then it holds them: those that a
 * take-over replays, and those of a leader whose leadership is in doubt. When leadership is lost, what is held is
 * dropped, because the next leader publishes from the checkpoint on.
 */
import { committedOf, type Committed } from '../streams/committed.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';

/** Of held commits. More follow a checkpoint only if none could be written for a long time. */
const MOST_BYTES = 64 * 1024 * 1024;
/** How often to check whether leadership is certain again, when there are no commits that trigger the check. */
const LOOK_EVERY_MS = 100;

export interface GateOptions {
  readonly mayPublish: () => boolean;
  readonly publish: (commit: Committed) => void;
  /** The given number of commits, the oldest, did not fit and are not published. */
  readonly onDropped?: (commits: number) => void;
}

export class Gate {
  private leads = false;
  /** Entries before `first` were taken; they are removed when they are half of the list. */
  private held: Omit<Committed, 'events'>[] = [];
  private first = 0;
  private bytes = 0;
  private dropped = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: GateOptions) {}

  /** This broker leads: held commits are published as soon as that is certain. */
  open(): void {
    this.leads = true;
    if (this.dropped > 0) this.options.onDropped?.(this.dropped);
    this.dropped = 0;
    this.release();
  }

  /** This broker does not lead: held commits are dropped. */
  close(): void {
    this.leads = false;
    [this.held, this.first, this.bytes, this.dropped] = [[], 0, 0, 0];
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** @returns whether to publish the commit now; if not, it is held here */
  passes(commit: Committed): boolean {
    if (!this.isEmpty) this.release();
    if (this.leads && this.isEmpty && this.options.mayPublish()) return true;
    this.hold(commit);
    return false;
  }

  private get isEmpty(): boolean {
    return this.first === this.held.length;
  }

  /** Without the decoded events, which are decoded again from the bytes. */
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
