/**
 * The ready rows of a line in their order. Jobs of one priority are mostly put in by ascending place, so each priority
 * has a run: the first is taken without a search, and how many go before another is a search by halves. What belongs
 * before the last of its run, such as a job that comes back, is in a heap beside the runs.
 */
import { RowHeap, type Positions } from './row-heap.js';

/** More priorities than this share the heap. */
const MOST_RUNS = 64;
const NONE = -1;
/** Rows of a run that are not there any more are dropped when they are so many, and most of it. */
const MOST_GONE = 1 << 10;

type Before = (a: number, b: number) => boolean;

export class RowRuns {
  size = 0;
  private readonly runs = new Map<number, Run>();
  private readonly others: RowHeap;
  private first: number | undefined;

  /**
   * @param before whether the first row goes before the second
   * @param priorityOf rows of one priority that were put in one after the other are in their order
   */
  constructor(
    private readonly before: Before,
    private readonly priorityOf: (row: number) => number,
    private readonly positions: Positions,
  ) {
    this.others = new RowHeap(before, positions);
  }

  peek(): number | undefined {
    return this.first;
  }

  /** The first of each priority, and all that are in none of the runs: the oldest is one of them. */
  *candidates(): Generator<number> {
    for (const { first } of this.runs.values()) if (first !== undefined) yield first;
    yield* this.others;
  }

  push(row: number): void {
    const priority = this.priorityOf(row);
    let run = this.runs.get(priority);
    if (run === undefined && this.runs.size < MOST_RUNS) this.runs.set(priority, (run = new Run(this.positions)));
    const last = run?.last;
    if (run !== undefined && (last === undefined || this.before(last, row))) run.push(row);
    else this.others.push(row);
    this.size += 1;
    if (this.first === undefined || this.before(row, this.first)) this.first = row;
  }

  /** The row must be in it. */
  remove(row: number): void {
    const priority = this.priorityOf(row);
    const run = this.runs.get(priority);
    if (run?.remove(row) !== true) this.others.remove(row);
    else if (run.size === 0) this.runs.delete(priority);
    this.size -= 1;
    if (row === this.first) this.first = this.findFirst();
  }

  /** How many rows there are of which this is true, where it is false of all after one of which it is false. */
  countBefore(isBefore: (row: number) => boolean): number {
    let count = this.others.countBefore(isBefore);
    for (const run of this.runs.values()) count += run.countBefore(isBefore);
    return count;
  }

  private findFirst(): number | undefined {
    let best = this.others.peek();
    for (const { first } of this.runs.values()) {
      if (first !== undefined && (best === undefined || this.before(first, best))) best = first;
    }
    return best;
  }
}

/** Rows in their order. A row that is removed from the middle leaves a hole. */
class Run {
  size = 0;
  private rows: number[] = [];
  /** Of the first row that is not removed. */
  private head = 0;
  /** The position of the row at index 0, of 32 bits: it begins anew after the largest. */
  private base = 0;

  constructor(private readonly positions: Positions) {}

  get first(): number | undefined {
    return this.rows[this.head];
  }

  get last(): number | undefined {
    return this.rows.at(-1);
  }

  push(row: number): void {
    this.positions.set(row, this.base + this.rows.length);
    this.rows.push(row);
    this.size += 1;
  }

  remove(row: number): boolean {
    const { rows } = this;
    const at = (this.positions.get(row) - this.base) >>> 0;
    if (rows[at] !== row) return false;
    rows[at] = NONE;
    this.size -= 1;
    while (rows[this.head] === NONE) this.head += 1;
    // The last is never a hole: new rows are compared with it.
    while (rows.at(-1) === NONE) rows.pop();
    if (this.head > MOST_GONE && 2 * this.head > rows.length) this.dropHead();
    else if (rows.length - this.head > MOST_GONE + 4 * this.size) this.dropHoles();
    return true;
  }

  countBefore(isBefore: (row: number) => boolean): number {
    const { rows, head, size } = this;
    let [low, high] = [head, rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      let at = middle;
      while (at < high && rows[at] === NONE) at += 1;
      if (at < high && isBefore(rows[at]!)) low = at + 1;
      else high = middle;
    }
    if (size === rows.length - head) return low - head;
    let count = 0;
    for (let at = head; at < low; at += 1) if (rows[at] !== NONE) count += 1;
    return count;
  }

  private dropHead(): void {
    this.rows = this.rows.slice(this.head);
    this.base = (this.base + this.head) >>> 0;
    this.head = 0;
  }

  private dropHoles(): void {
    this.rows = this.rows.filter((row) => row !== NONE);
    [this.base, this.head] = [0, 0];
    for (const [at, row] of this.rows.entries()) this.positions.set(row, at);
  }
}
