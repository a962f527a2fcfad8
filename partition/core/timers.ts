/** One heap of timers for actors of all kinds. Their times are folded from events. */
import { Heap } from '../../actors/heap.js';
import type { Hosted } from './hosted.js';

export interface Timer {
  readonly dueMs: number;
  readonly hosted: Hosted;
  readonly id: string;
}

const isEarlier = (a: Timer, b: Timer): boolean => a.dueMs < b.dueMs;
/** Below this number the heap is not worth cleaning. */
const FEW = 1_000;

export class Timers {
  private heap = new Heap<Timer>(isEarlier);
  private outdated = 0;

  /** The time of an actor's timer has changed. 0: none. */
  change(hosted: Hosted, id: string, beforeMs: number, dueMs: number): void {
    if (dueMs > 0) this.heap.push({ dueMs, hosted, id });
    if (beforeMs === 0) return;
    this.outdated += 1;
    this.compact();
  }

  /** In the heap, outdated ones included. */
  get size(): number {
    return this.heap.size;
  }

  /** Removes the next timer that is due by `nowMs`. Its actor may have changed since: see {@link isCurrent}. */
  takeDue(nowMs: number): Timer | undefined {
    const first = this.heap.peek();
    return first !== undefined && first.dueMs <= nowMs ? this.heap.pop() : undefined;
  }

  isCurrent({ hosted, id, dueMs }: Timer): boolean {
    const actor = hosted.store.get(id);
    return actor !== undefined && hosted.kind.dueMs?.(actor) === dueMs;
  }

  /**
   * Outdated timers stay in the heap until they are due. When they are most of the heap, it is rebuilt: as many changes
   * as half its size come before that, so a change costs O(log n) on average.
   */
  private compact(): void {
    if (this.outdated < FEW || this.outdated * 2 < this.heap.size) return;
    const kept = new Heap<Timer>(isEarlier);
    // Of one time: there the heap has no order, so equal timers need not follow each other.
    const names = new Set<string>();
    let lastMs = 0;
    for (let timer = this.heap.pop(); timer; timer = this.heap.pop()) {
      if (timer.dueMs !== lastMs) names.clear();
      lastMs = timer.dueMs;
      const name = `${timer.hosted.kind.name} ${timer.id}`;
      if (!this.isCurrent(timer) || names.has(name)) continue;
      names.add(name);
      kept.push(timer);
    }
    this.heap = kept;
    this.outdated = 0;
  }
}
