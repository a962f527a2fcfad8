/**
 * The lines of queues without an order of their own, by their first jobs, exact at any time. It is one for all workers,
 * so a lease changes one place in it, however many different workers there are.
 */
import { Heap } from '../heap.js';
import type { Line } from './line.js';

/** Whether a line is the one that is looked for, is not, or is to be left out until it is placed again. */
export type Tried = 'take' | 'skip' | 'drop';

export class LineOrder {
  /** A binary heap. Each line knows where it is. */
  private readonly lines: Line[] = [];

  /** A line has another first job, or may be leased from again. */
  place(line: Line): void {
    if (line.ready === 0) return this.drop(line);
    if (line.at < 0) {
      line.at = this.lines.length;
      this.lines.push(line);
    }
    this.settle(line);
  }

  drop(line: Line): void {
    const { at } = line;
    if (at < 0) return;
    line.at = -1;
    const last = this.lines.pop()!;
    if (last === line) return;
    this.put(last, at);
    this.settle(last);
  }

  /**
   * The first line that is taken.
   * @param most as many are skipped at most
   * @returns undefined if there is none, `more` if it would have to skip more
   */
  find(tried: (line: Line) => Tried, most: number): Line | 'more' | undefined {
    const { lines } = this;
    if (lines.length === 0) return undefined;
    const open = new Heap<number>((a, b) => goesFirst(lines[a]!, lines[b]!));
    const dropped: Line[] = [];
    let [found, skipped]: [Line | 'more' | undefined, number] = [undefined, 0];
    for (let at: number | undefined = 0; at !== undefined; at = open.pop()) {
      const line = lines[at]!;
      const result = tried(line);
      if (result === 'take') found = line;
      else if (result === 'drop') dropped.push(line);
      else if ((skipped += 1) > most) found = 'more';
      if (found !== undefined) break;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < lines.length; child += 1) open.push(child);
    }
    for (const line of dropped) this.drop(line);
    return found;
  }

  private put(line: Line, at: number): void {
    this.lines[at] = line;
    line.at = at;
  }

  private settle(line: Line): void {
    const { lines } = this;
    let hole = line.at;
    for (let parent = (hole - 1) >> 1; hole > 0 && goesFirst(line, lines[parent]!); parent = (hole - 1) >> 1) {
      this.put(lines[parent]!, hole);
      hole = parent;
    }
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= lines.length) break;
      if (child + 1 < lines.length && goesFirst(lines[child + 1]!, lines[child]!)) child += 1;
      if (!goesFirst(lines[child]!, line)) break;
      this.put(lines[child]!, hole);
      hole = child;
    }
    this.put(line, hole);
  }
}

const goesFirst = (a: Line, b: Line): boolean =>
  (a.firstRank === b.firstRank ? a.firstPlace < b.firstPlace : a.firstRank > b.firstRank);
