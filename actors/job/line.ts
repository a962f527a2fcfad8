/** The jobs of one queue and type: those that are ready in their order, the others as counts. */
import type { Job } from './job.js';
import type { JobTable } from './job-row.js';
import { RowHeap } from './row-heap.js';

/** What steps may read. */
export interface ReadonlyLine {
  readonly queue: string;
  readonly type: string;
  /** How many are ready. */
  readonly ready: number;
  /** How many others of the same queue and type there are, by status. */
  readonly scheduled: number;
  readonly running: number;
  readonly retrying: number;
  readonly isEmpty: boolean;
  /** The ready job that goes first. */
  readonly first: Readonly<Job> | undefined;
  /** The ready job that was submitted first. */
  readonly oldest: Readonly<Job> | undefined;
}

export class Line implements ReadonlyLine {
  scheduled = 0;
  running = 0;
  retrying = 0;
  /** Rows of the ready jobs. */
  private readonly jobs: RowHeap;
  /** The same by age. Absent while all have one priority: the first is the oldest. */
  private ages: RowHeap | undefined;

  constructor(
    readonly queue: string,
    readonly type: string,
    private readonly table: JobTable,
  ) {
    this.jobs = new RowHeap((a, b) => table.goesFirst(a, b), table.inLines);
  }

  get ready(): number {
    return this.jobs.size;
  }

  get isEmpty(): boolean {
    return this.jobs.size === 0 && this.running === 0 && this.scheduled === 0 && this.retrying === 0;
  }

  get firstRow(): number | undefined {
    return this.jobs.peek();
  }

  get first(): Job | undefined {
    return this.jobAt(this.jobs.peek());
  }

  get oldest(): Job | undefined {
    return this.jobAt((this.ages ?? this.jobs).peek());
  }

  push(row: number): void {
    const { jobs, table } = this;
    const first = jobs.peek();
    jobs.push(row);
    if (this.ages) this.ages.push(row);
    else if (first !== undefined && table.at(first).priority !== table.at(row).priority) this.ages = this.byAge();
  }

  remove(row: number): void {
    this.jobs.remove(row);
    if (this.jobs.size === 0) this.ages = undefined;
    else this.ages?.remove(row);
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
