/**
 * The ready jobs of a partition, in lines. Jobs that the same workers can do share a line: those of one queue and type.
 * A line is ordered by priority, descending, then by place, ascending. A job that becomes ready again keeps its place.
 */
import type { Job } from './job.js';
import type { JobTable } from './job-row.js';
import { Line, type ReadonlyLine } from './line.js';

/** How often lines without jobs are forgotten, by the time of the commits. */
const FORGET_MS = 60_000;

/** What steps may read. */
export interface LinesReading {
  readonly version: number;
  readonly ready: number;
  readonly queues: Iterable<string>;
  readonly queueCount: number;
  ofQueue(queue: string): Iterable<ReadonlyLine>;
  readyIn(queue: string): number;
  matching(types: ReadonlySet<string>, queues: ReadonlySet<string> | undefined): readonly ReadonlyLine[];
  first(lines: readonly ReadonlyLine[], isHeld: (queue: string) => boolean): Readonly<Job> | undefined;
  find(job: Pick<Readonly<Job>, 'queue' | 'type'>): ReadonlyLine | undefined;
}

export class Lines implements LinesReading {
  /** Rises when lines are added or forgotten, which invalidates the lines that sessions have cached. */
  version = 0;
  ready = 0;
  private readonly lines = new Map<string, Line>();
  private readonly byQueue = new Map<string, Set<Line>>();
  private forgottenMs = 0;
  /** A cache: most jobs are in the same line as the one before. */
  private latest: Line | undefined;

  constructor(private readonly table: JobTable) {}

  push(row: number): void {
    this.lineOf(this.table.at(row)).push(row);
    this.ready += 1;
  }

  remove(row: number): void {
    this.lineOf(this.table.at(row)).remove(row);
    this.ready -= 1;
  }

  /** The queues that have a line, perhaps without jobs. */
  get queues(): Iterable<string> {
    return this.byQueue.keys();
  }

  get queueCount(): number {
    return this.byQueue.size;
  }

  ofQueue(queue: string): Iterable<Line> {
    return this.byQueue.get(queue) ?? [];
  }

  readyIn(queue: string): number {
    let ready = 0;
    for (const line of this.ofQueue(queue)) ready += line.ready;
    return ready;
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
    let best = -1;
    for (const { firstRow: row, queue } of lines as readonly Line[]) {
      if (row === undefined || (best >= 0 && !this.table.goesFirst(row, best))) continue;
      if (!isHeld(queue)) best = row;
    }
    return best < 0 ? undefined : this.table.at(best);
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
      line = new Line(queue, type, this.table);
      this.add(name, line);
    }
    this.latest = line;
    return line;
  }

  /**
   * Forgets the lines without jobs, once a minute: their names would fill the memory. Only between events, when no job
   * is on its way from one status to another.
   */
  forget(nowMs: number): void {
    if (nowMs < this.forgottenMs + FORGET_MS) return;
    this.forgottenMs = nowMs;
    for (const [name, line] of this.lines) if (line.isEmpty) this.delete(name, line);
  }

  private add(name: string, line: Line): void {
    this.lines.set(name, line);
    const others = this.byQueue.get(line.queue);
    if (others) others.add(line);
    else this.byQueue.set(line.queue, new Set([line]));
    this.version += 1;
  }

  private delete(name: string, line: Line): void {
    this.lines.delete(name);
    const others = this.byQueue.get(line.queue)!;
    others.delete(line);
    if (others.size === 0) this.byQueue.delete(line.queue);
    if (this.latest === line) this.latest = undefined;
    this.version += 1;
  }
}
