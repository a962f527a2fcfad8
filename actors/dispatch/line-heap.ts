/**
 * Lines by their first jobs. An entry says what the first job was when it was put in; a line only gets worse unless its
 * improvement is put in again, so only the entry on top has to be compared with its line.
 */
import type { ReadonlyLine } from '../job/line.js';
import { Heap } from '../heap.js';

/** Where a line stands: by its share of the queue, the rank of its first job, and its place. The lowest goes first. */
export interface Standing {
  readonly share: number;
  readonly rank: number;
  readonly place: number;
}

interface Entry extends Standing {
  /** undefined: there is a newer entry of the line. */
  line: ReadonlyLine | undefined;
}

export const goesFirst = (a: Standing, b: Standing): boolean => {
  if (a.share !== b.share) return a.share < b.share;
  return a.rank === b.rank ? a.place < b.place : a.rank > b.rank;
};

export class LineHeap {
  private readonly entries = new Heap<Entry>(goesFirst);
  private readonly ofLine = new Map<ReadonlyLine, Entry>();

  /** How many entries were looked at so far. */
  looked = 0;

  get isEmpty(): boolean {
    return this.ofLine.size === 0;
  }

  put(line: ReadonlyLine, standing: Standing): void {
    const before = this.ofLine.get(line);
    if (before !== undefined) {
      if (!goesFirst(standing, before)) return;
      before.line = undefined;
    }
    const entry: Entry = { ...standing, line };
    this.ofLine.set(line, entry);
    this.entries.push(entry);
  }

  /**
   * The line that goes first.
   * @param standingOf undefined: the line is not to be looked at until it is put in again
   */
  first(standingOf: (line: ReadonlyLine) => Standing | undefined): ReadonlyLine | undefined {
    for (;;) {
      const top = this.entries.peek();
      if (top === undefined) return undefined;
      this.looked += 1;
      const { line } = top;
      const standing = line && standingOf(line);
      if (line && standing && !goesFirst(top, standing)) return line;
      this.entries.pop();
      if (line === undefined) continue;
      this.ofLine.delete(line);
      if (standing) this.put(line, standing);
    }
  }
}
