/** What has no room until a time: then the lines that it holds are offered again. */
import { Heap } from '../heap.js';
import type { ReadonlyLimit } from '../job/limit.js';
import type { ReadonlyLine } from '../job/line.js';
import type { LinesReading } from '../job/lines.js';

/** A limit, with all of its lines, or one line. */
type Holding = ReadonlyLimit | ReadonlyLine;

interface Waiting {
  readonly of: Holding;
  readonly untilMs: number;
}

export class Parked {
  private readonly byTime = new Heap<Waiting>((a, b) => a.untilMs < b.untilMs);
  private readonly holding = new Set<Holding>();

  add(of: Holding, untilMs: number): void {
    if (this.holding.has(of)) return;
    this.holding.add(of);
    this.byTime.push({ of, untilMs });
  }

  /** Offers again what has waited long enough. */
  release(lines: LinesReading, nowMs: number): void {
    for (let first = this.byTime.peek(); first && first.untilMs <= nowMs; first = this.byTime.peek()) {
      this.byTime.pop();
      this.holding.delete(first.of);
      lines.offerAgain(first.of);
    }
  }
}
