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
    if (beforeMs > 0) this.outdated += 1;
    if (dueMs > 0) this.heap.push({ dueMs, hosted, id });
    else if (beforeMs > 0) this.compact();
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

  /** Outdated timers stay in the heap until they are due. When they are most of the heap, it is rebuilt. */
  private compact(): void {
    if (this.outdated < FEW || this.outdated * 2 < this.heap.size) return;
    const kept = new Heap<Timer>(isEarlier);
    let last: Timer | undefined;
    for (let timer = this.heap.pop(); timer; timer = this.heap.pop()) {
      const isSame = last !== undefined && last.dueMs === timer.dueMs && last.id === timer.id;
      if (!isSame && this.isCurrent(timer)) kept.push(timer);
      last = timer;
    }
    this.heap = kept;
    this.outdated = 0;
  }
}
