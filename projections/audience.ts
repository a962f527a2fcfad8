/**
 * Whether anybody listens to what a projection publishes. While nobody does, nothing is published, but kept until the
 * server has said once more that nobody listens: so whoever comes misses nothing that is committed after he came.
 */
import { committedOf, type Committed } from '../streams/committed.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';

/** How late the first facts reach somebody who has just come. */
const ASK_EVERY_MS = 250;
/** Asking is to stay a small part of what the server does, also where it has ten thousand connections to look through. */
const PAUSE_PER_ANSWER = 50;
const ASK_AT_LEAST_EVERY_MS = 1_000;
/** Of kept commits. Older commits are published without asking. */
const MOST_BYTES = 16 * 1024 * 1024;

export interface AudienceOptions {
  /** Resolves to false only if nobody can have listened when it was called. */
  readonly ask: () => Promise<boolean>;
  readonly publish: (commit: Committed) => void;
  /** Whether this broker may publish what was kept, at this moment. */
  readonly mayPublish: () => boolean;
  /** Up to this commit everything was published, or nobody was there to hear it. */
  readonly onSettled: (commit: Settled) => void;
}

/** A commit without its events: they are read from its bytes if somebody turns out to want them. */
type Kept = Omit<Committed, 'events'>;
export type Settled = Pick<Committed, 'partition' | 'journalId' | 'epoch' | 'seq' | 'hash'>;

export class Audience {
  private listens = true;
  private kept: Kept[] = [];
  private bytes = 0;
  private asking = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: AudienceOptions) {}

  /** For when it may be published. @returns whether the commit is to be published now; if not, it is kept here */
  attends(commit: Committed): boolean {
    if (!this.asking && this.timer === undefined) void this.ask();
    if (!this.listens) this.keep(commit);
    else {
      this.publish(this.take(this.kept.length));
      this.options.onSettled(commit);
    }
    return this.listens;
  }

  /** What is kept is for the next leader to publish. */
  forget(): void {
    [this.kept, this.bytes] = [[], 0];
  }

  private keep({ events: _, ...commit }: Committed): void {
    this.kept.push(commit);
    this.bytes += commit.bytes.length;
    let beyond = 0;
    for (let left = this.bytes; left > MOST_BYTES; beyond += 1) left -= this.kept[beyond]!.bytes.length;
    this.publish(this.take(beyond));
  }

  private async ask(): Promise<void> {
    this.asking = true;
    const askedMs = performance.now();
    const last = this.kept.at(-1);
    this.listens = await this.options.ask().catch(() => true);
    this.asking = false;
    if (!this.listens) this.take(last ? this.kept.indexOf(last) + 1 : 0);
    else if (this.options.mayPublish()) this.publish(this.take(this.kept.length));
    const pauseMs = PAUSE_PER_ANSWER * (performance.now() - askedMs);
    this.askAgain(Math.min(Math.max(ASK_EVERY_MS, pauseMs), ASK_AT_LEAST_EVERY_MS));
  }

  /** Without commits there is nothing to ask about: an idle broker is silent. */
  private askAgain(afterMs: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.kept.length > 0) void this.ask();
    }, afterMs).unref();
  }

  private take(most: number): Kept[] {
    const taken = this.kept.splice(0, most);
    for (const { bytes } of taken) this.bytes -= bytes.length;
    const last = taken.at(-1);
    if (last) this.options.onSettled(last);
    return taken;
  }

  private publish(commits: readonly Kept[]): void {
    for (const { bytes, partition, seq, hash } of commits) {
      this.options.publish(committedOf(decodeLeniently(journal.Commit, bytes), partition, seq, hash, bytes));
    }
  }
}
