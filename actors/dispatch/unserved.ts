/** Since when the lines of jobs have had no worker: volatile knowledge of a leader. */
import type { ReadonlyLine } from '../job/line.js';

const LOOK_EVERY_MS = 500;

export class Unserved {
  /** Since when a line has no worker, on the monotonic clock. */
  private readonly since = new Map<ReadonlyLine, number>();
  private lookedMonoMs = -Infinity;

  isTimeToLook(monoMs: number): boolean {
    if (monoMs < this.lookedMonoMs + LOOK_EVERY_MS) return false;
    this.lookedMonoMs = monoMs;
    return true;
  }

  /** How long the line has had no worker. */
  forMs(line: ReadonlyLine, monoMs: number): number {
    const since = this.since.get(line);
    if (since === undefined) this.since.set(line, monoMs);
    return monoMs - (since ?? monoMs);
  }

  served(line: ReadonlyLine): void {
    this.since.delete(line);
  }

  /** Lines are forgotten. */
  keep(lines: ReadonlySet<ReadonlyLine>): void {
    for (const line of this.since.keys()) if (!lines.has(line)) this.since.delete(line);
  }
}
