/** The queues of a partition that were ever paused. */
import type { Store } from '../kind.js';
import type { Queue } from './queue.js';

/** What steps may read. */
export interface QueuesReading {
  get(name: string): Readonly<Queue> | undefined;
  all(): Iterable<Readonly<Queue>>;
}

export class Queues implements Store<Queue>, QueuesReading {
  private byName = new Map<string, Queue>();

  get(name: string): Queue | undefined {
    return this.byName.get(name);
  }

  all(): Iterable<Readonly<Queue>> {
    return this.byName.values();
  }

  leave(): void {}

  enter(queue: Queue): void {
    this.byName.set(queue.id, queue);
  }

  begin(): void {}

  view(): object {
    return { queues: [...this.byName.values()].map((queue) => ({ ...queue })) };
  }

  restore({ queues }: { queues: Queue[] }): void {
    this.byName = new Map(structuredClone(queues).map((queue) => [queue.id, queue]));
  }
}
