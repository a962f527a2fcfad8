/** Workers as a kind of actor: how they are folded. */
import type { WorkerId } from '../../protocols/ids.js';
import type { Kind, Role } from '../kind.js';
import { decideWorkerAgain } from './decide-again.js';
import type { Sessions } from './sessions.js';
import { applyWorker, hasLeft, WORKER_EVENTS, workerChart, type Worker, type WorkerEvent } from './worker.js';
import { Workers, type WorkersReading } from './workers.js';

export interface WorkerRole extends Role {
  readonly actor: Worker;
  readonly event: WorkerEvent;
  readonly store: Workers;
  readonly reading: WorkersReading;
  readonly live: Sessions;
}

export const workerKind: Kind<WorkerRole> = {
  name: 'worker',
  chart: workerChart,
  events: WORKER_EVENTS,
  open: () => new Workers(),
  apply: (worker, event, id, { nowMs, content }) =>
    applyWorker(worker, { ...event, id: id as WorkerId, nowMs, content }),
  decideAgain: decideWorkerAgain,
  hasLeft,
};
