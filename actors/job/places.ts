/**
 * The rows of jobs by their place, which only grows: a job that is new comes last. Entries of jobs that have left are
 * dropped when they are most of all, so a job costs 12 bytes and no work when it leaves.
 */
import type { JobTable } from './job-row.js';

const FIRST_CAPACITY = 1 << 10;
/** A place in relation to the lowest one, and a row, are one number while both are small enough. */
const ROWS = 2 ** 22;
const MOST_APART = 2 ** 31;

export class Places {
  private places = new Float64Array(FIRST_CAPACITY);
  private rows = new Uint32Array(FIRST_CAPACITY);
  private length = 0;

  constructor(private readonly table: JobTable) {}

  /** The highest that there ever was, or -1. */
  get last(): number {
    return this.length === 0 ? -1 : this.places[this.length - 1]!;
  }

  /** @param size how many jobs there are, with this one */
  add(place: number, row: number, size: number): void {
    if (this.length === this.places.length) this.makeRoom(size);
    const at = this.length === 0 || place > this.places[this.length - 1]! ? this.length : this.open(place);
    this.places[at] = place;
    this.rows[at] = row;
    this.length += 1;
  }

  /** Instead of all: the rows that are used. */
  rebuild(): void {
    const { table } = this;
    const used: number[] = [];
    for (let row = 0; row < table.rows.end; row += 1) if (table.isUsed(row)) used.push(row);
    this.reserve(used.length);
    this.length = used.length;
    // Rows are in the order of submission until some are used again.
    const isInOrder = used.every((row, nth) => nth === 0 || table.isOlder(used[nth - 1]!, row));
    for (const [at, row] of (isInOrder ? used : this.inOrder(used)).entries()) {
      this.rows[at] = row;
      this.places[at] = table.place(row);
    }
  }

  /** The row at a place; -1 if its job has left. */
  find(place: number): number {
    const at = this.firstAfter(place - 1);
    return at < this.length && this.places[at] === place && this.isThere(at) ? this.rows[at]! : -1;
  }

  /** The rows behind a place, in order. Jobs may not be added or removed meanwhile. */
  *after(place: number): Generator<number> {
    for (let at = this.firstAfter(place); at < this.length; at += 1) if (this.isThere(at)) yield this.rows[at]!;
  }

  /**
   * A place for a job that had left, as near as can be to the one that it had: behind those that were submitted before
   * it, in front of those that came later, where there is room.
   */
  free(firstSeq: number): number {
    this.drop();
    let [from, to] = [0, this.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.table.firstSeqOf(this.rows[middle]!) <= firstSeq) from = middle + 1;
      else to = middle;
    }
    // Where it was, or one of those before it, has been free since.
    let place = from === 0 ? 0 : this.places[from - 1]! + 1;
    while (place >= 0 && this.find(place) >= 0) place -= 1;
    return Math.max(0, place);
  }

  private isThere(at: number): boolean {
    const row = this.rows[at]!;
    return this.table.isUsed(row) && this.table.place(row) === this.places[at];
  }

  private firstAfter(place: number): number {
    let [from, to] = [0, this.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.places[middle]! <= place) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** For a job that is taken back: those behind it move. It may have an entry from before. */
  private open(place: number): number {
    const at = this.firstAfter(place - 1);
    if (this.places[at] === place) {
      this.length -= 1;
      this.places.copyWithin(at, at + 1, this.length + 1);
      this.rows.copyWithin(at, at + 1, this.length + 1);
    }
    this.places.copyWithin(at + 1, at, this.length);
    this.rows.copyWithin(at + 1, at, this.length);
    return at;
  }

  private makeRoom(size: number): void {
    this.drop();
    if (this.length * 2 > this.places.length || size * 2 > this.places.length) this.reserve(this.places.length * 2);
  }

  /** Drops the entries of jobs that have left. */
  private drop(): void {
    let kept = 0;
    for (let at = 0; at < this.length; at += 1) {
      if (!this.isThere(at)) continue;
      this.places[kept] = this.places[at]!;
      this.rows[kept] = this.rows[at]!;
      kept += 1;
    }
    this.length = kept;
  }

  private reserve(size: number): void {
    let { length } = this.places;
    while (length < size) length *= 2;
    if (length === this.places.length) return;
    const [places, rows] = [new Float64Array(length), new Uint32Array(length)];
    places.set(this.places);
    rows.set(this.rows);
    [this.places, this.rows] = [places, rows];
  }

  /** Numbers are sorted ten times as fast as objects. */
  private inOrder(used: readonly number[]): Iterable<number> & { entries(): IterableIterator<[number, number]> } {
    const { table } = this;
    const of = (row: number): number => table.place(row);
    const lowest = used.reduce((least, row) => Math.min(least, of(row)), Infinity);
    const isFar = used.some((row) => row >= ROWS || of(row) - lowest >= MOST_APART);
    if (isFar) return used.toSorted((a, b) => of(a) - of(b));
    const packed = Float64Array.from(used, (row) => (of(row) - lowest) * ROWS + row).sort();
    return Uint32Array.from(packed, (each) => each % ROWS);
  }
}
