/**
 * Whether anybody listens to what a projection publishes. While nobody does, nothing is published, but kept until the
 * server has said once more that nobody listens: so whoever comes misses nothing that is committed after he came.
 */
import { committedOf, type Committed } from '../actors/partition/committed.js';
import { journal } from '../protocols/messages.js';
import type { Checkpoint } from './projection.js';

/** How late the first facts reach somebody who has just come. */
const ASK_EVERY_MS = 250;
/** Asking is to stay a small part of what the server does, also where it has ten thousand connections to look through. */
const PAUSE_PER_ANSWER = 50;
const ASK_AT_LEAST_EVERY_MS = 1_000;
/** Of kept commits. What is beyond is published, to whomever. */
const MOST_BYTES = 16 * 1024 * 1024;

export interface AudienceOptions {
  /** Resolves to false only if nobody can have listened when it was called. */
  readonly ask: () => Promise<boolean>;
  readonly publish: (commit: Committed) => void;
}

/** A commit without its events: they are read from its bytes if somebody turns out to want them. */
type Kept = Omit<Committed, 'events'>;

export class Audience {
  /** Up to here everything was published, or nobody was there to hear it. */
  settled: Checkpoint | undefined;
  private listens = true;
  private kept: Kept[] = [];
  private bytes = 0;
  private asking = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: AudienceOptions) {}

  /** @returns whether the commit is to be published now; if not, it is kept here */
  attends(commit: Committed): boolean {
    if (!this.asking && this.timer === undefined) void this.ask();
    if (this.listens) this.settled = commit;
    else this.keep(commit);
    return this.listens;
  }

  private keep({ partition, seq, hash, nowMs, bytes }: Committed): void {
    // A replay brings again what is kept already.
    if ((this.kept.at(-1)?.seq ?? 0) >= seq) [this.kept, this.bytes] = [[], 0];
    this.kept.push({ partition, seq, hash, nowMs, bytes });
    this.bytes += bytes.length;
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
    if (this.listens) this.publish(this.take(this.kept.length));
    else this.take(last ? this.kept.indexOf(last) + 1 : 0);
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
    this.settled = taken.at(-1) ?? this.settled;
    return taken;
  }

  private publish(commits: readonly Kept[]): void {
    for (const { bytes, partition, seq, hash } of commits) {
      this.options.publish(committedOf(journal.Commit.decode(bytes), partition, seq, hash, bytes));
    }
  }
}
