/**
 * The ready jobs of a partition, in lines. Jobs that the same workers can do share a line: those of one queue and type.
 * A line is ordered by priority, descending, then by place, ascending. A job that becomes ready again keeps its place.
 */
import type { Job } from './job.js';
import { Heap, type ReadonlyHeap } from '../heap.js';

export interface ReadonlyLine {
  readonly queue: string;
  readonly type: string;
  /** Those that are ready. */
  readonly jobs: ReadonlyHeap<Readonly<Job>>;
  /** How many others of the same queue and type there are, by status. */
  readonly scheduled: number;
  readonly running: number;
  readonly retrying: number;
}

interface Line extends ReadonlyLine {
  readonly jobs: Heap<Job>;
  scheduled: number;
  running: number;
  retrying: number;
}

const goesFirst = (a: Readonly<Job>, b: Readonly<Job>): boolean =>
  a.priority === b.priority ? a.place < b.place : a.priority > b.priority;

/** What steps may read. */
export interface LinesReading {
  readonly version: number;
  readonly ready: number;
  readonly all: Iterable<ReadonlyLine>;
  matching(types: ReadonlySet<string>, queues: ReadonlySet<string> | undefined): readonly ReadonlyLine[];
  first(lines: readonly ReadonlyLine[], isHeld: (queue: string) => boolean): Readonly<Job> | undefined;
  find(job: Pick<Readonly<Job>, 'queue' | 'type'>): ReadonlyLine | undefined;
}

export class Lines implements LinesReading {
  /** Rises when a line is added, which invalidates the lines that sessions have cached. */
  version = 0;
  ready = 0;
  private readonly lines = new Map<string, Line>();
  /** A cache: most jobs are in the same line as the one before. */
  private latest: Line | undefined;

  push(job: Job): void {
    this.lineOf(job).jobs.push(job);
    this.ready += 1;
  }

  remove(job: Job): void {
    if (this.lineOf(job).jobs.remove(job)) this.ready -= 1;
  }

  get all(): Iterable<Line> {
    return this.lines.values();
  }

  /** The lines a worker can serve. @param queues undefined: all */
  matching(types: ReadonlySet<string>, queues: ReadonlySet<string> | undefined): Line[] {
    return [...this.lines.values()].filter(({ type, queue }) =>
      types.has(type) && (queues === undefined || queues.has(queue)));
  }

  /**
   * The first job of these lines. It leaves its line when it leaves the status `ready`.
   * @param isHeld whether the jobs of a queue are not leased
   */
  first(lines: readonly ReadonlyLine[], isHeld: (queue: string) => boolean): Readonly<Job> | undefined {
    let best: Readonly<Job> | undefined;
    for (const line of lines) {
      const job = line.jobs.peek();
      if (job !== undefined && (best === undefined || goesFirst(job, best)) && !isHeld(line.queue)) best = job;
    }
    return best;
  }

  /** The line of such jobs, if there ever were any. */
  find({ queue, type }: Pick<Readonly<Job>, 'queue' | 'type'>): ReadonlyLine | undefined {
    if (this.latest?.queue === queue && this.latest.type === type) return this.latest;
    return this.lines.get(`${queue} ${type}`);
  }

  /** The line of a job, made if it is the first of its queue and type. */
  lineOf({ queue, type }: Pick<Job, 'queue' | 'type'>): Line {
    if (this.latest?.queue === queue && this.latest.type === type) return this.latest;
    const name = `${queue} ${type}`;
    let line = this.lines.get(name);
    if (line === undefined) {
      line = { queue, type, jobs: new Heap(goesFirst), scheduled: 0, running: 0, retrying: 0 };
      this.lines.set(name, line);
      this.version += 1;
    }
    this.latest = line;
    return line;
  }
}
