/** The workers, folded from the journal. The home partition knows who is registered, all know who is cordoned. */
import type { Store } from '../kind.js';
import { canonicalOf, refOf, type CanonicalContent } from '../canonical.js';
import { hasLeft, type Ordered, type Worker } from './worker.js';

/** What steps may read. */
export interface WorkersReading {
  get(id: string): Readonly<Worker> | undefined;
  /** Also those that are gone, and known because they are cordoned. */
  all(): Iterable<Readonly<Worker>>;
  readonly size: number;
}

export class Workers implements Store<Worker>, WorkersReading {
  private readonly byId = new Map<string, Worker>();

  get(id: string): Worker | undefined {
    return this.byId.get(id);
  }

  get size(): number {
    return this.byId.size;
  }

  all(): Iterable<Readonly<Worker>> {
    return this.byId.values();
  }

  leave(): void {}

  owns(worker: Readonly<Worker>): boolean {
    return this.byId.get(worker.id) === worker;
  }

  enter(worker: Worker): Worker {
    if (hasLeft(worker)) this.byId.delete(worker.id);
    else this.byId.set(worker.id, worker);
    return worker;
  }

  remove({ id }: Worker): undefined {
    this.byId.delete(id);
  }

  begin(): void {}

  view(): object {
    const workers = [...this.byId.values()].map(({ cordoned, retired, ...worker }): WorkerState => ({
      ...worker, ...(cordoned && { cordoned: stateOf(cordoned) }), ...(retired && { retired: stateOf(retired) }),
    }));
    return { workers };
  }

  /** The reasons. */
  places(): object {
    const ordered = [...this.byId.values()].filter(({ cordoned, retired }) => cordoned ?? retired);
    return Object.fromEntries(ordered.map(({ id, cordoned, retired }): [string, Reasons] =>
      [id, { ...(cordoned && { cordoned: cordoned.reason }), ...(retired && { retired: retired.reason }) }]));
  }

  restore({ workers }: { readonly workers: readonly WorkerState[] }, places: Readonly<Record<string, Reasons>>): void {
    for (const { cordoned, retired, ...worker } of structuredClone(workers)) {
      const { [worker.id]: reasons = {} } = places;
      this.byId.set(worker.id, {
        ...worker,
        ...(cordoned && { cordoned: orderedOf(cordoned, reasons.cordoned) }),
        ...(retired && { retired: orderedOf(retired, reasons.retired) }),
      });
    }
  }
}

type OrderedState = Omit<Ordered, 'reason' | 'content'> & { readonly reason?: CanonicalContent };
type WorkerState = Omit<Worker, 'cordoned' | 'retired'> & {
  readonly cordoned?: OrderedState; readonly retired?: OrderedState;
};

interface Reasons {
  readonly cordoned?: string;
  readonly retired?: string;
}

function stateOf({ by, sinceMs, content }: Ordered): OrderedState {
  const reason = canonicalOf(content);
  return { by, sinceMs, ...(reason && { reason }) };
}

const orderedOf = ({ by, sinceMs, reason }: OrderedState, text = ''): Ordered =>
  ({ by, sinceMs, reason: text, content: refOf(reason) });
