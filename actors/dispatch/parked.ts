/** Limits whose rate has no room until a time: then their lines are offered again. */
import { Heap } from '../heap.js';
import type { ReadonlyLimit } from '../job/limit.js';
import type { LinesReading } from '../job/lines.js';

interface Waiting {
  readonly limit: ReadonlyLimit;
  readonly untilMs: number;
}

export class Parked {
  private readonly byTime = new Heap<Waiting>((a, b) => a.untilMs < b.untilMs);
  private readonly limits = new Set<ReadonlyLimit>();

  add(limit: ReadonlyLimit, untilMs: number): void {
    if (this.limits.has(limit)) return;
    this.limits.add(limit);
    this.byTime.push({ limit, untilMs });
  }

  /** Offers again what has waited long enough. */
  release(lines: LinesReading, nowMs: number): void {
    for (let first = this.byTime.peek(); first && first.untilMs <= nowMs; first = this.byTime.peek()) {
      this.byTime.pop();
      this.limits.delete(first.limit);
      lines.offerAgain(first.limit);
    }
  }
}
