/** How the jobs of a queue are put into lines and taken out of them: from its settings and those of its group. */

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

/** One rule and where it comes from: a queue, or a group, which ends in a slash. */
export interface ScopedLimit extends LimitRule {
  readonly scope: string;
}

/** A limit for each value of the label. */
export interface KeyLimit extends ScopedLimit {
  /** Counted for each type of job apart. */
  readonly byType: boolean;
}

export interface QueueRules {
  /** Jobs are in lines by the value of this label. Empty: they are not. */
  readonly label: string;
  /** Points of priority that a job gains in a millisecond of waiting. */
  readonly agingPerMs: number;
  /** Weights of the values of the label; undefined: the queue is not shared out. */
  readonly weights: Readonly<Record<string, number>> | undefined;
  readonly limits: readonly ScopedLimit[];
  readonly keyLimits: readonly KeyLimit[];
}

export const PLAIN: QueueRules = { label: '', agingPerMs: 0, weights: undefined, limits: [], keyLimits: [] };
