/** The jobs of one queue and type: those that are ready in their order, the others as counts. */
import type { Job } from './job.js';
import { Heap, type ReadonlyHeap } from '../heap.js';

export const goesFirst = (a: Readonly<Job>, b: Readonly<Job>): boolean =>
  a.priority === b.priority ? a.place < b.place : a.priority > b.priority;

const isOlder = (a: Job, b: Job): boolean => a.place < b.place;

/** Jobs that left the line stay in the order of age until there are so many more of them than of ready jobs. */
const MOST_LEFT = 64;

/** What steps may read. */
export interface ReadonlyLine {
  readonly queue: string;
  readonly type: string;
  /** Those that are ready. */
  readonly jobs: ReadonlyHeap<Readonly<Job>>;
  /** How many others of the same queue and type there are, by status. */
  readonly scheduled: number;
  readonly running: number;
  readonly retrying: number;
  readonly isEmpty: boolean;
  /** The ready job that was submitted first. */
  readonly oldest: Readonly<Job> | undefined;
}

export class Line implements ReadonlyLine {
  readonly jobs = new Heap<Job>(goesFirst);
  scheduled = 0;
  running = 0;
  retrying = 0;
  /** The ready jobs by age, and some that have left. Absent while all have one priority: the first is the oldest. */
  private ages: Heap<Job> | undefined;

  constructor(
    readonly queue: string,
    readonly type: string,
  ) {}

  get isEmpty(): boolean {
    return this.jobs.size === 0 && this.running === 0 && this.scheduled === 0 && this.retrying === 0;
  }

  get oldest(): Job | undefined {
    if (this.ages === undefined) return this.jobs.peek();
    while (this.ages.peek()?.status !== 'ready') this.ages.pop();
    return this.ages.peek();
  }

  push(job: Job): void {
    const { jobs } = this;
    const first = jobs.peek();
    jobs.push(job);
    if (this.ages) this.ages.push(job);
    else if (first !== undefined && first.priority !== job.priority) this.ages = byAge(jobs);
  }

  /** @returns whether it was there */
  remove(job: Job): boolean {
    const isRemoved = this.jobs.remove(job);
    if (this.ages) this.trim(this.ages.size);
    return isRemoved;
  }

  /** The cost is shared by all the jobs that left since the last time. */
  private trim(size: number): void {
    const ready = this.jobs.size;
    if (ready === 0) this.ages = undefined;
    else if (size > 2 * ready + MOST_LEFT) this.ages = byAge(this.jobs);
  }
}

function byAge(jobs: Iterable<Job>): Heap<Job> {
  const ages = new Heap<Job>(isOlder);
  for (const job of jobs) ages.push(job);
  return ages;
}
