/**
 * Finds out whether what a projection publishes has subscribers. Without any, commits are not published but buffered
 * until the server has confirmed again that there is none. So a new subscriber misses nothing that is committed after
 * its subscription.
 */
import { committedOf, type Committed } from '../streams/committed.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';

/** How late the first facts reach a new subscriber. */
const ASK_EVERY_MS = 250;
/** Bounds the share of the server's time that a query takes, also with 10,000 connections to search. */
const PAUSE_PER_ANSWER = 50;
const ASK_AT_LEAST_EVERY_MS = 1_000;
/** Of buffered commits. Beyond it the oldest are published without asking. */
const MOST_BYTES = 16 * 1024 * 1024;

export interface AudienceOptions {
  /** Resolves to false only if there was certainly no subscriber when it was called. */
  readonly ask: () => Promise<boolean>;
  readonly publish: (commit: Committed) => void;
  /** Whether this broker may publish buffered commits at this moment. */
  readonly mayPublish: () => boolean;
  /** Every commit up to this one was published, or had no subscriber. */
  readonly onSettled: (commit: CommitHead) => void;
}

/** A commit without its decoded events, which are decoded again from its bytes when it is published. */
type Buffered = Omit<Committed, 'events'>;
export type CommitHead = Pick<Committed, 'partition' | 'journalId' | 'epoch' | 'seq' | 'hash'>;

export class Audience {
  private hasListener = true;
  private buffered: Buffered[] = [];
  private bytes = 0;
  private asking = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: AudienceOptions) {}

  /** Called when the commit may be published. @returns whether to publish it now; if not, it is buffered here */
  publishesNow(commit: Committed): boolean {
    if (!this.asking && this.timer === undefined) void this.ask();
    if (!this.hasListener) this.buffer(commit);
    else {
      this.publish(this.take(this.buffered.length));
      this.options.onSettled(commit);
    }
    return this.hasListener;
  }

  /** Drops what is buffered: the next leader publishes it. */
  forget(): void {
    [this.buffered, this.bytes] = [[], 0];
  }

  private buffer({ events: _, ...commit }: Committed): void {
    this.buffered.push(commit);
    this.bytes += commit.bytes.length;
    let beyond = 0;
    for (let left = this.bytes; left > MOST_BYTES; beyond += 1) left -= this.buffered[beyond]!.bytes.length;
    this.publish(this.take(beyond));
  }

  private async ask(): Promise<void> {
    this.asking = true;
    const askedMs = performance.now();
    const last = this.buffered.at(-1);
    this.hasListener = await this.options.ask().catch(() => true);
    this.asking = false;
    if (!this.hasListener) this.take(last ? this.buffered.indexOf(last) + 1 : 0);
    else if (this.options.mayPublish()) this.publish(this.take(this.buffered.length));
    const pauseMs = PAUSE_PER_ANSWER * (performance.now() - askedMs);
    this.askAgain(Math.min(Math.max(ASK_EVERY_MS, pauseMs), ASK_AT_LEAST_EVERY_MS));
  }

  /** Only while commits are buffered, so that an idle broker sends nothing. */
  private askAgain(afterMs: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.buffered.length > 0) void this.ask();
    }, afterMs).unref();
  }

  private take(most: number): Buffered[] {
    const taken = this.buffered.splice(0, most);
    for (const { bytes } of taken) this.bytes -= bytes.length;
    const last = taken.at(-1);
    if (last) this.options.onSettled(last);
    return taken;
  }

  private publish(commits: readonly Buffered[]): void {
    for (const { bytes, partition, seq, hash } of commits) {
      this.options.publish(committedOf(decodeLeniently(journal.Commit, bytes), partition, seq, hash, bytes));
    }
  }
}
