/**
 * The lines whose first job became better, or that may be leased from again, in the order in which it happened.
 * Whoever searches the lines keeps them sorted, and asks only for what has improved since: a line whose first job was
 * taken only gets worse, which is noticed when it is looked at.
 */
import type { Line } from './line.js';

/** Whoever has not asked for so long begins anew. */
const MOST = 1 << 13;
const NONE: readonly Line[] = [];

export class Improved {
  /** Where whoever has read everything goes on. */
  end = 0;
  private begin = 0;
  private readEnd = 0;
  private lines: Line[] = [];

  add(line: Line): void {
    // The same again, before anybody has read it: a line that gets one better job after another.
    if (this.end > this.readEnd && this.lines.at(-1) === line) return;
    if (this.lines.length >= 2 * MOST) {
      this.lines = this.lines.slice(MOST);
      this.begin += MOST;
    }
    this.lines.push(line);
    this.end += 1;
  }

  /** Everybody begins anew. */
  reset(): void {
    this.lines = [];
    this.begin = this.end += 1;
  }

  /** @returns undefined if whoever asks must begin anew */
  since(cursor: number): readonly Line[] | undefined {
    this.readEnd = this.end;
    if (cursor < this.begin) return undefined;
    return cursor === this.end ? NONE : this.lines.slice(cursor - this.begin);
  }
}
