/** One heap of timers for actors of all kinds. When each is due is folded from its events. */
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

  /** An actor wants another time than before its latest event. */
  change(hosted: Hosted, id: string, beforeMs: number, dueMs: number): void {
    if (beforeMs > 0) this.outdated += 1;
    if (dueMs > 0) this.heap.push({ dueMs, hosted, id });
    else this.compact();
  }

  /** The next timer that is due by `nowMs`, removed. Its actor may have moved on: {@link isCurrent} tells. */
  takeDue(nowMs: number): Timer | undefined {
    const first = this.heap.peek();
    return first !== undefined && first.dueMs <= nowMs ? this.heap.pop() : undefined;
  }

  isCurrent({ hosted, id, dueMs }: Timer): boolean {
    const actor = hosted.store.get(id);
    return actor !== undefined && hosted.kind.dueMs?.(actor) === dueMs;
  }

  /** Timers of actors that moved on are left to come due; when they are most of the heap, it is made anew. */
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
