/** Which queues neither accept nor lease jobs, because one of the kinds holds them. */
import type { Hosted } from './hosted.js';

export class Holding {
  private readonly holding: readonly Hosted[];

  constructor(members: readonly Hosted[]) {
    this.holding = members.filter(({ kind }) => kind.holds !== undefined);
  }

  get queues(): ReadonlySet<string> {
    const held = this.holding.map(({ kind, store }) => kind.holds!(store)).filter(({ size }) => size > 0);
    return held.length === 1 ? held[0]! : new Set(held.flatMap((each) => [...each]));
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
