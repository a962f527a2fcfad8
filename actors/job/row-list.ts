/** Rows in an order from which any may leave: each has the numbers of its neighbours, plus one, in two of its words. */
import { wordAt, type Rows } from '../rows/rows.js';

export interface RowListHead {
  /** Rows plus one; 0 is none. */
  readonly first: number;
  readonly last: number;
  readonly size: number;
}

export class RowList<O> implements Iterable<number> {
  private first = 0;
  private last = 0;
  size = 0;
  private readonly rowWords: number;

  /** @param before number of the word with the row before, @param after of that with the row after */
  constructor(private readonly rows: Rows<O>, private readonly before: number, private readonly after: number) {
    this.rowWords = rows.rowBytes / 4;
  }

  get head(): RowListHead {
    return { first: this.first, last: this.last, size: this.size };
  }

  set head({ first, last, size }: RowListHead) {
    Object.assign(this, { first, last, size });
  }

  /** @returns -1 if the list is empty */
  get oldest(): number {
    return this.first - 1;
  }

  push(row: number): void {
    this.link(row, this.before, this.last);
    if (this.last === 0) this.first = row + 1;
    else this.link(this.last - 1, this.after, row + 1);
    this.last = row + 1;
    this.size += 1;
  }

  remove(row: number): void {
    const [before, after] = [this.linked(row, this.before), this.linked(row, this.after)];
    if (before === 0) this.first = after;
    else this.link(before - 1, this.after, after);
    if (after === 0) this.last = before;
    else this.link(after - 1, this.before, before);
    this.link(row, this.before, 0);
    this.link(row, this.after, 0);
    this.size -= 1;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let at = this.first; at !== 0; at = this.linked(at - 1, this.after)) yield at - 1;
  }

  private linked(row: number, nth: number): number {
    return this.rows.read(row).u32[wordAt(row, this.rowWords) + nth]!;
  }

  private link(row: number, nth: number, to: number): void {
    this.rows.write(row).u32[wordAt(row, this.rowWords) + nth] = to;
  }
}
