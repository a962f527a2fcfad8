/** Which queues neither accept nor lease jobs, because one of the kinds holds them. */
import type { Held } from '../../actors/kind.js';
import type { Hosted } from './hosted.js';

export class Holding {
  private readonly holding: readonly Hosted[];

  constructor(members: readonly Hosted[]) {
    this.holding = members.filter(({ kind }) => kind.holds !== undefined);
  }

  get queues(): Held {
    const held = this.holding.map(({ kind, store }) => kind.holds!(store)).filter(({ size }) => size > 0);
    if (held.length === 1) return held[0]!;
    const names = new Set(held.flatMap((each) => [...each]));
    const isCounted = held.every(({ size }) => size < Number.POSITIVE_INFINITY);
    return {
      has: (queue) => held.some((each) => each.has(queue)),
      size: isCounted ? names.size : Number.POSITIVE_INFINITY,
      [Symbol.iterator]: () => names.values(),
    };
  }

  isHeld(queue: string): boolean {
    for (const { kind, store } of this.holding) if (kind.holds!(store).has(queue)) return true;
    return false;
  }

  /** For people; undefined if it is not held. */
  whyHeld(queue: string): string | undefined {
    const holder = this.holding.find(({ kind, store }) => kind.holds!(store).has(queue));
    return holder?.kind.whyHeld!(holder.store, queue);
  }
}
