/** What holds for all lines of a queue: their order, limits and shares. */
import type { JobTable } from './job-row.js';
import { PLAIN, type QueueRules } from './queue-rules.js';

/** What steps may read. */
export interface ReadonlyQueueOrder {
  readonly queue: string;
  readonly rules: QueueRules;
  readonly ready: number;
  readonly isPlain: boolean;
}

export class QueueOrder implements ReadonlyQueueOrder {
  rules: QueueRules = PLAIN;
  ready = 0;

  constructor(
    readonly queue: string,
    private readonly table: JobTable,
  ) {}

  /** Whether its lines are searched together with those of other queues. */
  get isPlain(): boolean {
    const { limits, agingPerMs, weights } = this.rules;
    return limits.length === 0 && agingPerMs === 0 && weights === undefined;
  }

  /** The order of its lines: by priority, which may rise with the time of waiting, then by place. */
  goesFirst(a: number, b: number): boolean {
    const { table } = this;
    if (this.rules.agingPerMs === 0) return table.goesFirst(a, b);
    const [first, second] = [this.rank(a), this.rank(b)];
    return first === second ? table.isOlder(a, b) : first > second;
  }

  /** The higher goes first. Constant, because all jobs of a queue gain the same in the same time. */
  rank(row: number): number {
    const { table, rules: { agingPerMs } } = this;
    return agingPerMs === 0 ? table.priority(row) : table.priority(row) - agingPerMs * table.submittedMs(row);
  }

  /** Comparable with jobs of other queues. */
  priorityAt(row: number, nowMs: number): number {
    const { agingPerMs } = this.rules;
    return agingPerMs === 0 ? this.table.priority(row) : this.rank(row) + agingPerMs * nowMs;
  }
}
