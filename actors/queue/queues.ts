/** The paused queues of a partition, and those that the latest commit resumed. */
import { canonicalOf, refOf, type CanonicalContent } from '../canonical.js';
import type { Store } from '../kind.js';
import type { Queue } from './queue.js';

type QueueState = Omit<Queue, 'reason' | 'reasonContent'> & { readonly reason: CanonicalContent | undefined };
type Reasons = Readonly<Record<string, string>>;

/** What steps may read. */
export interface QueuesReading {
  get(name: string): Readonly<Queue> | undefined;
  all(): Iterable<Readonly<Queue>>;
  /** Their names. */
  readonly paused: ReadonlySet<string>;
}

export class Queues implements Store<Queue>, QueuesReading {
  readonly paused = new Set<string>();
  private readonly byName = new Map<string, Queue>();
  private readonly open = new Set<string>();

  get(name: string): Queue | undefined {
    return this.byName.get(name);
  }

  all(): Iterable<Readonly<Queue>> {
    return this.byName.values();
  }

  leave({ id, status }: Queue): void {
    this[status].delete(id);
  }

  owns(queue: Readonly<Queue>): boolean {
    return this.byName.get(queue.id) === queue;
  }

  enter(queue: Queue): Queue {
    this.byName.set(queue.id, queue);
    this[queue.status].add(queue.id);
    return queue;
  }

  remove({ id }: Queue): undefined {
    this.byName.delete(id);
  }

  /** An open queue is like one that was never paused, so it need not be remembered. */
  begin(): void {
    if (this.open.size === 0) return;
    for (const name of this.open) this.byName.delete(name);
    this.open.clear();
  }

  view(): object {
    const queues = [...this.byName.values()].map(({ reasonContent, ...queue }): QueueState =>
      ({ ...queue, reason: canonicalOf(reasonContent) }));
    return { queues };
  }

  places(): object {
    return Object.fromEntries([...this.byName.values()].map(({ id, reason }) => [id, reason]));
  }

  restore({ queues }: { readonly queues: readonly QueueState[] }, reasons: Reasons): void {
    for (const { reason, ...queue } of queues) {
      this.enter({ ...queue, reason: reasons[queue.id] ?? '', reasonContent: refOf(reason) });
    }
  }
}
