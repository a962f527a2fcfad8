/** A binary heap of rows that knows where each row is, so that any of them is removed in logarithmic time. */

/** Where each row is in its heap. Shared by heaps that have no row in common. */
export class Positions {
  private at = new Uint32Array(1 << 10);

  get(row: number): number {
    return this.at[row]!;
  }

  set(row: number, position: number): void {
    if (row >= this.at.length) this.grow(row);
    this.at[row] = position;
  }

  private grow(row: number): void {
    let { length } = this.at;
    while (length <= row) length *= 2;
    const at = new Uint32Array(length);
    at.set(this.at);
    this.at = at;
  }
}

export class RowHeap {
  private readonly rows: number[] = [];

  /** @param before whether the first row goes before the second */
  constructor(
    private readonly before: (a: number, b: number) => boolean,
    private readonly positions: Positions,
  ) {}

  get size(): number {
    return this.rows.length;
  }

  peek(): number | undefined {
    return this.rows[0];
  }

  /** In no particular order. */
  [Symbol.iterator](): Iterator<number> {
    return this.rows.values();
  }

  /** A row that belongs last, the usual case, takes one comparison. */
  push(row: number): void {
    this.rows.push(row);
    this.rise(row, this.rows.length - 1);
  }

  /** The row must be in the heap. */
  remove(row: number): void {
    const at = this.positions.get(row);
    if (this.rows[at] !== row) throw new TypeError(`row ${row} is not in the heap`);
    const last = this.rows.pop()!;
    if (last === row) return;
    if (at > 0 && this.before(last, this.rows[(at - 1) >> 1]!)) this.rise(last, at);
    else this.sink(last, at);
  }

  /** How many rows there are of which this is true, where it is false of all below one of which it is false. */
  countBefore(isBefore: (row: number) => boolean): number {
    const { rows } = this;
    const open = rows.length > 0 ? [0] : [];
    let count = 0;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (!isBefore(rows[at]!)) continue;
      count += 1;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < rows.length; child += 1) open.push(child);
    }
    return count;
  }

  private put(row: number, at: number): void {
    this.rows[at] = row;
    this.positions.set(row, at);
  }

  private rise(row: number, from: number): void {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = this.rows[parent]!;
      if (!this.before(row, above)) break;
      this.put(above, hole);
      hole = parent;
    }
    this.put(row, hole);
  }

  private sink(row: number, from: number): void {
    const { rows } = this;
    const { length } = rows;
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= length) break;
      if (child + 1 < length && this.before(rows[child + 1]!, rows[child]!)) child += 1;
      if (!this.before(rows[child]!, row)) break;
      this.put(rows[child]!, hole);
      hole = child;
    }
    this.put(row, hole);
  }
}
