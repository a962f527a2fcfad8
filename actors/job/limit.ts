/**
 * A limit on how many jobs run at once, or begin in a time: of a group, a queue, or one value of a label. What is
 * running is counted by the lines of jobs. A rate is one time (GCRA): when its bucket is full again; each lease moves
 * it on, and is refused while it is too far ahead.
 */
import type { LimitRule } from './queue-rules.js';

/** What steps may read. */
export interface ReadonlyLimit {
  readonly name: string;
  readonly isWide: boolean;
  readonly rule: LimitRule;
  readonly running: number;
  readonly isFull: boolean;
  freeMs(untilMs: number): number;
  after(untilMs: number, nowMs: number): number;
  /** Its lines are left out of a search, until one of its jobs ends. */
  wait(): void;
}

export class Limit implements ReadonlyLimit {
  running = 0;
  rule: LimitRule = { concurrency: 0, rate: undefined };
  /** Whether a line was left out of a search because of it. */
  isWaited = false;

  constructor(
    /** As in the journal and in answers: `images/`, `images/high`, `images/ tenant=acme`, `images/ cut tenant=acme`. */
    readonly name: string,
    /** Of a group or a queue, and so of many lines: it is looked at before their lines are. */
    readonly isWide: boolean,
  ) {}

  wait(): void {
    this.isWaited = true;
  }

  get isFull(): boolean {
    const { concurrency } = this.rule;
    return concurrency > 0 && this.running >= concurrency;
  }

  /** When the next job may begin by the rate. @param untilMs when the bucket is full again; 0: it is */
  freeMs(untilMs: number): number {
    const { rate } = this.rule;
    return rate === undefined ? 0 : untilMs - ((rate.burst - 1) * rate.perMs) / rate.count;
  }

  /** When the bucket is full again after one more. */
  after(untilMs: number, nowMs: number): number {
    const { rate } = this.rule;
    return rate === undefined ? 0 : Math.max(untilMs, nowMs) + rate.perMs / rate.count;
  }
}
