/** The bulks of a partition. One that has ended is shown for an hour. */
import { canonicalOf, refOf, type CanonicalContent } from '../canonical.js';
import type { Store } from '../kind.js';
import type { Bulk } from './bulk.js';

const ENDED_MS = 3_600_000;
const MOST_ENDED = 100;

type BulkState = Omit<Bulk, 'reason' | 'reasonContent'> & { readonly reason: CanonicalContent | undefined };
type Reasons = Readonly<Record<string, string>>;

export interface BulksReading {
  get(id: string): Readonly<Bulk> | undefined;
  /** How many have not ended. */
  readonly open: number;
}

export class Bulks implements Store<Bulk>, BulksReading {
  private readonly byId = new Map<string, Bulk>();
  /** In the order of their ends. */
  private readonly ended = new Set<string>();

  get open(): number {
    return this.byId.size - this.ended.size;
  }

  get(id: string): Bulk | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<Readonly<Bulk>> {
    return this.byId.values();
  }

  owns(bulk: Readonly<Bulk>): boolean {
    return this.byId.get(bulk.id) === bulk;
  }

  leave(): void {}

  enter(bulk: Bulk): Bulk {
    this.byId.set(bulk.id, bulk);
    if (bulk.endedMs > 0) this.ended.add(bulk.id);
    return bulk;
  }

  remove({ id }: Bulk): undefined {
    this.byId.delete(id);
    this.ended.delete(id);
  }

  begin(nowMs: number): void {
    for (const id of this.ended) {
      if (this.ended.size <= MOST_ENDED && this.byId.get(id)!.endedMs + ENDED_MS >= nowMs) return;
      this.byId.delete(id);
      this.ended.delete(id);
    }
  }

  view(): object {
    const bulks = [...this.byId.values()].map(({ reasonContent, reason: _, ...bulk }): BulkState =>
      structuredClone({ ...bulk, reason: canonicalOf(reasonContent) }));
    return { bulks, ended: [...this.ended] };
  }

  places(): object {
    return Object.fromEntries([...this.byId.values()].map(({ id, reason }) => [id, reason]));
  }

  restore({ bulks, ended }: { bulks: readonly BulkState[]; ended: readonly string[] }, reasons: Reasons): void {
    for (const { reason, ...bulk } of structuredClone(bulks)) {
      this.byId.set(bulk.id, { ...bulk, reason: reasons[bulk.id] ?? '', reasonContent: refOf(reason) });
    }
    for (const id of ended) this.ended.add(id);
  }
}
