/**
 * A limit on how many jobs run at once, or begin in a time: of a group, a queue, or one value of a label. What is
 * running is counted by the lines of jobs. A rate is one time (GCRA): when its bucket is full again; each lease moves it
 * on, and is refused while it is too far ahead.
 */
import type { Line } from './line.js';

export interface Rate {
  readonly count: number;
  readonly perMs: number;
  /** How many may begin at once. */
  readonly burst: number;
}

export interface LimitRule {
  /** 0: no limit. */
  readonly concurrency: number;
  readonly rate: Rate | undefined;
}

export class Limit {
  running = 0;
  rule: LimitRule = { concurrency: 0, rate: undefined };
  readonly lines = new Set<Line>();
  /** Whether a line was left out of a search because of it. */
  isWaited = false;

  constructor(
    /** As in the journal and in answers: `images/`, `images/high`, `images/ tenant=acme`, `images/ render tenant=acme`. */
    readonly name: string,
    /** Of a group or a queue, and so of many lines: it is looked at before their lines are. */
    readonly isWide: boolean,
  ) {}

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
