/**
 * The jobs of a partition that have not ended, in lines. A line is ordered by priority, descending, then by place,
 * ascending. A job that becomes ready again keeps its place.
 */
import { groupOf } from '../../protocols/ids.js';
import { Improved } from './improved.js';
import { isLive, type Job, type LiveStatus } from './job.js';
import { rowOf, type JobTable } from './job-row.js';
import type { ReadonlyLimit } from './limit.js';
import { Limits } from './limits.js';
import { Line, type ReadonlyLine } from './line.js';
import { QueueOrder } from './queue-order.js';
import { PLAIN, type QueueRules } from './queue-rules.js';
import { Positions } from './row-heap.js';

/** How often lines without jobs are forgotten, by the time of the commits. */
const FORGET_MS = 60_000;

/** What steps may read. */
export interface LinesReading {
  readonly ready: number;
  readonly queues: Iterable<string>;
  readonly queueCount: number;
  readonly improved: Improved;
  readonly all: Iterable<ReadonlyLine>;
  ofQueue(queue: string): Iterable<ReadonlyLine>;
  readyIn(queue: string): number;
  lineOf(job: Readonly<Job>): ReadonlyLine | undefined;
  limit(name: string): ReadonlyLimit | undefined;
  /** Different requirements of jobs that have not ended. */
  readonly classes: ReadonlyMap<string, number>;
  /** For a leader: the rules of queues. They decide where jobs are looked for, and are no part of the state. */
  follow(rulesOf: (queue: string) => QueueRules): void;
  /** The rules of a queue, or of a group, have changed. */
  rulesChanged(name: string): void;
  /** A limit may have room again, or a line is slowed no longer. */
  offerAgain(of: ReadonlyLimit | ReadonlyLine): void;
}

export class Lines implements LinesReading {
  ready = 0;
  readonly improved = new Improved();
  private readonly byQueue = new Map<string, QueueOrder>();
  private readonly linesOf = new Map<QueueOrder, Map<string, Line>>();
  /** With the number of their lines. */
  readonly classes = new Map<string, number>();
  private readonly limits = new Limits();
  /** The numbers of the lines of rows. */
  private readonly ofRow = new Positions();
  private readonly numbered: (Line | undefined)[] = [];
  private readonly numbers = new Map<Line, number>();
  private readonly freeNumbers: number[] = [];
  private rulesOf: (queue: string) => QueueRules = () => PLAIN;
  private forgottenMs = 0;
  /** A cache: most jobs are in the same line as the one before. */
  private latest: Line | undefined;

  constructor(private readonly table: JobTable) {}

  enter(row: number, status: LiveStatus): void {
    const line = this.lineFor(this.table.at(row));
    this.ofRow.set(row, this.numbers.get(line)!);
    if (status !== 'ready') return this.count(line, status, 1);
    if (line.push(row)) this.improved.add(line);
    line.of.ready += 1;
    this.ready += 1;
  }

  leave(row: number, status: LiveStatus): void {
    const line = this.numbered[this.ofRow.get(row)]!;
    if (status !== 'ready') return this.count(line, status, -1);
    line.remove(row);
    line.of.ready -= 1;
    this.ready -= 1;
  }

  /** The queues that have a line, perhaps without jobs. */
  get queues(): Iterable<string> {
    return this.byQueue.keys();
  }

  get queueCount(): number {
    return this.byQueue.size;
  }

  get all(): Iterable<Line> {
    return this.numbers.keys();
  }

  ofQueue(queue: string): Iterable<Line> {
    const of = this.byQueue.get(queue);
    return of === undefined ? [] : this.linesOf.get(of)!.values();
  }

  readyIn(queue: string): number {
    return this.byQueue.get(queue)?.ready ?? 0;
  }

  /** Of a job that has not ended. */
  lineOf(job: Readonly<Job>): Line | undefined {
    return isLive(job.status) ? this.numbered[this.ofRow.get(rowOf(job))] : undefined;
  }

  follow(rulesOf: (queue: string) => QueueRules): void {
    this.rulesOf = rulesOf;
    for (const of of this.byQueue.values()) this.applyRules(of);
  }

  rulesChanged(name: string): void {
    for (const of of this.under(name)) this.applyRules(of);
  }

  limit(name: string): ReadonlyLimit | undefined {
    return this.limits.get(name);
  }

  offerAgain(of: ReadonlyLimit | ReadonlyLine): void {
    this.offerAll(of instanceof Line ? [of] : this.limits.linesOf(of as ReadonlyLimit));
  }

  /**
   * Forgets the lines without jobs, once a minute: their names would fill the memory. Only between events, when no job
   * is on its way from one status to another.
   */
  forget(nowMs: number): void {
    if (nowMs < this.forgottenMs + FORGET_MS) return;
    this.forgottenMs = nowMs;
    for (const line of [...this.numbers.keys()]) if (line.isEmpty) this.delete(line);
  }

  private count(line: Line, status: Exclude<LiveStatus, 'ready'>, by: 1 | -1): void {
    line[status] += by;
    if (status !== 'running') return;
    for (const limit of line.limits) {
      limit.running += by;
      if (by > 0 || !limit.isWaited) continue;
      limit.isWaited = false;
      this.offerAgain(limit);
    }
  }

  private offerAll(lines: Iterable<Line>): void {
    for (const line of lines) if (line.ready > 0) this.improved.add(line);
  }

  /** Queues with lines: one, or those of a group. */
  private under(name: string): QueueOrder[] {
    if (name.endsWith('/')) return [...this.byQueue.values()].filter(({ queue }) => `${groupOf(queue)}/` === name);
    const of = this.byQueue.get(name);
    return of ? [of] : [];
  }

  private applyRules(of: QueueOrder): void {
    const rules = this.rulesOf(of.queue);
    const isSameOrder = rules.label === of.rules.label && rules.agingPerMs === of.rules.agingPerMs;
    // With another order or label every job is put into its line again. The rules are not to change meanwhile.
    const jobs = isSameOrder ? [] : this.liveJobsOf(of.queue);
    for (const [row, status] of jobs) this.leave(row, status);
    const lines = this.linesOf.get(of)!;
    for (const line of lines.values()) this.limits.release(line);
    of.rules = rules;
    for (const line of lines.values()) this.limits.hold(line);
    for (const [row, status] of jobs) this.enter(row, status);
    this.improved.reset();
  }

  private liveJobsOf(queue: string): [row: number, status: LiveStatus][] {
    const jobs: [number, LiveStatus][] = [];
    for (let row = 0; row < this.table.rows.end; row += 1) {
      const job = this.table.isUsed(row) ? this.table.at(row) : undefined;
      if (job?.queue === queue && isLive(job.status)) jobs.push([row, job.status]);
    }
    return jobs;
  }

  /** The line of a job, made if it is the first of its kind. */
  private lineFor(job: Job): Line {
    const { latest } = this;
    const { type, queue, require = '' } = job;
    const of = latest?.queue === queue ? latest.of : (this.byQueue.get(queue) ?? this.addQueue(queue));
    const { label } = of.rules;
    const key = label === '' ? '' : (job.labels?.[label] ?? '');
    if (latest?.of === of && latest.type === type && latest.require === require && latest.key === key) return latest;
    const name = nameOf({ type, require, key });
    const known = this.linesOf.get(of)!.get(name);
    return (this.latest = known ?? this.add(name, new Line(of, type, require, key, this.table)));
  }

  private addQueue(queue: string): QueueOrder {
    const of = new QueueOrder(queue, this.table);
    this.byQueue.set(queue, of);
    this.linesOf.set(of, new Map());
    of.rules = this.rulesOf(queue);
    return of;
  }

  private add(name: string, line: Line): Line {
    this.linesOf.get(line.of)!.set(name, line);
    const number = this.freeNumbers.pop() ?? this.numbered.length;
    this.numbered[number] = line;
    this.numbers.set(line, number);
    if (line.require !== '') this.classes.set(line.require, (this.classes.get(line.require) ?? 0) + 1);
    this.limits.hold(line);
    return line;
  }

  private delete(line: Line): void {
    const { of } = line;
    const number = this.numbers.get(line)!;
    this.numbers.delete(line);
    this.numbered[number] = undefined;
    this.freeNumbers.push(number);
    this.forgetClass(line.require);
    this.limits.release(line);
    const others = this.linesOf.get(of)!;
    others.delete(nameOf(line));
    if (others.size === 0) {
      this.byQueue.delete(of.queue);
      this.linesOf.delete(of);
    }
    if (this.latest === line) this.latest = undefined;
  }

  private forgetClass(require: string): void {
    const lines = this.classes.get(require);
    if (lines === undefined) return;
    if (lines === 1) this.classes.delete(require);
    else this.classes.set(require, lines - 1);
  }
}

/** A type has no blanks. */
const nameOf = ({ type, key, require }: Pick<Line, 'type' | 'key' | 'require'>): string =>
  `${type} ${key.length} ${key}${require}`;
