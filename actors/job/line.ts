/**
 * The jobs that the same workers can do and the same limits hold: those of one queue and type, with equal requirements
 * and, where the queue has limits or shares by a label, one value of it. Those that are ready are in their order, the
 * others are counts.
 */
import type { Job } from './job.js';
import type { JobTable } from './job-row.js';
import type { Limit, ReadonlyLimit } from './limit.js';
import type { QueueOrder, ReadonlyQueueOrder } from './queue-order.js';
import { RowHeap } from './row-heap.js';

/** What steps may read. */
export interface ReadonlyLine {
  readonly queue: string;
  readonly type: string;
  /** Canonical JSON; empty: any worker. */
  readonly require: string;
  /** The value of the queue's label. */
  readonly key: string;
  /** How many are ready. */
  readonly ready: number;
  /** How many others of the same kind there are, by status. */
  readonly scheduled: number;
  readonly running: number;
  readonly retrying: number;
  readonly isEmpty: boolean;
  /** The ready job that goes first. */
  readonly first: Readonly<Job> | undefined;
  /** The ready job that was submitted first. */
  readonly oldest: Readonly<Job> | undefined;
  /** Of its group, its queue, and its key. */
  readonly limits: readonly ReadonlyLimit[];
  readonly of: ReadonlyQueueOrder;
  /** Of the first job, within its queue: the higher goes first. */
  readonly firstRank: number;
  readonly firstPlace: number;
  /** Of the first job, comparable with those of other queues. */
  firstPriority(nowMs: number): number;
  /** How many of its ready jobs go before one with this priority of now and this place, of this or another line. */
  ahead(priority: number, place: number, nowMs: number): number;
}

export class Line implements ReadonlyLine {
  scheduled = 0;
  running = 0;
  retrying = 0;
  readonly limits: Limit[] = [];
  /** Rows of the ready jobs. */
  private readonly jobs: RowHeap;
  /** The same by age. Absent while all have one priority: the first is the oldest. */
  private ages: RowHeap | undefined;

  constructor(
    readonly of: QueueOrder,
    readonly type: string,
    readonly require: string,
    readonly key: string,
    private readonly table: JobTable,
  ) {
    this.jobs = new RowHeap((a, b) => of.goesFirst(a, b), table.inLines);
  }

  get queue(): string {
    return this.of.queue;
  }

  get ready(): number {
    return this.jobs.size;
  }

  get isEmpty(): boolean {
    return this.jobs.size === 0 && this.running === 0 && this.scheduled === 0 && this.retrying === 0;
  }

  get firstRank(): number {
    return this.of.rank(this.jobs.peek()!);
  }

  get firstPlace(): number {
    return this.table.place(this.jobs.peek()!);
  }

  firstPriority(nowMs: number): number {
    return this.of.priorityAt(this.jobs.peek()!, nowMs);
  }

  get first(): Job | undefined {
    return this.jobAt(this.jobs.peek());
  }

  get oldest(): Job | undefined {
    return this.jobAt((this.ages ?? this.jobs).peek());
  }

  /** @returns whether it is the first now */
  push(row: number): boolean {
    const { jobs, table } = this;
    const first = jobs.peek();
    jobs.push(row);
    if (this.ages) this.ages.push(row);
    else if (first !== undefined && table.priority(first) !== table.priority(row)) this.ages = this.byAge();
    return jobs.peek() === row;
  }

  remove(row: number): void {
    this.jobs.remove(row);
    if (this.jobs.size === 0) this.ages = undefined;
    else this.ages?.remove(row);
  }

  ahead(priority: number, place: number, nowMs: number): number {
    const { table } = this;
    return this.jobs.countBefore((row) => {
      const other = this.of.priorityAt(row, nowMs);
      return other === priority ? table.place(row) < place : other > priority;
    });
  }

  private jobAt(row: number | undefined): Job | undefined {
    return row === undefined ? undefined : this.table.at(row);
  }

  private byAge(): RowHeap {
    const { table } = this;
    const ages = new RowHeap((a, b) => table.isOlder(a, b), table.inAges);
    for (const row of this.jobs) ages.push(row);
    return ages;
  }
}
