/** The registered workers, folded from the journal. Only the home partition records them. */
import type { Store } from '../kind.js';
import type { Worker } from './worker.js';

/** What steps may read. */
export interface WorkersReading {
  get(id: string): Readonly<Worker> | undefined;
  all(): Iterable<Readonly<Worker>>;
}

export class Workers implements Store<Worker>, WorkersReading {
  private byId = new Map<string, Worker>();

  get(id: string): Worker | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<Readonly<Worker>> {
    return this.byId.values();
  }

  leave(): void {}

  owns(worker: Readonly<Worker>): boolean {
    return this.byId.get(worker.id) === worker;
  }

  enter(worker: Worker): Worker {
    if (worker.status === 'gone') this.byId.delete(worker.id);
    else this.byId.set(worker.id, worker);
    return worker;
  }

  remove({ id }: Worker): undefined {
    this.byId.delete(id);
  }

  begin(): void {}

  view(): object {
    return { workers: [...this.byId.values()].map((worker) => ({ ...worker })) };
  }

  restore({ workers }: { workers: Worker[] }): void {
    this.byId = new Map(structuredClone(workers).map((worker) => [worker.id, worker]));
  }
}
