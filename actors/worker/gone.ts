/** The workers that left lately, for lists. Volatile: the journal has their events. */
import type { WorkerId } from '../../protocols/ids.js';
import type { Worker } from './worker.js';

const KEPT_MS = 600_000;
const MOST = 1_000;

export interface GoneWorker {
  readonly worker: Readonly<Worker>;
  readonly reason: string;
  readonly monoMs: number;
}

export class GoneWorkers {
  /** The first has left first. */
  private readonly byId = new Map<WorkerId, GoneWorker>();

  /** @param worker as it was before it left */
  note(worker: Readonly<Worker>, reason: string, monoMs: number): void {
    this.byId.delete(worker.id);
    this.byId.set(worker.id, { worker: { ...worker }, reason, monoMs });
  }

  forget(id: WorkerId): void {
    this.byId.delete(id);
  }

  get(id: WorkerId): GoneWorker | undefined {
    return this.byId.get(id);
  }

  all(monoMs: number): Iterable<GoneWorker> {
    for (const [id, { monoMs: leftMonoMs }] of this.byId) {
      if (this.byId.size <= MOST && leftMonoMs + KEPT_MS > monoMs) break;
      this.byId.delete(id);
    }
    return this.byId.values();
  }
}
