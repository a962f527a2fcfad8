/** Decides again what an event of a worker records. Events and causes say everything: nothing is taken from outside. */
import type { WorkerId } from '../../protocols/ids.js';
import { decidedAgain, type Again, type Recorded } from '../recorded.js';
import {
  decideCordon, decideDrain, decideGone, decideRegister, decideRetire, decideUncordon, type Worker, type WorkerEvent,
} from './worker.js';

export function decideWorkerAgain(
  worker: Readonly<Worker> | undefined, { id, event, cause }: Recorded<WorkerEvent>,
): Again<WorkerEvent> {
  switch (event.type) {
    case 'WorkerRegistered':
      return decidedAgain(decideRegister(worker, { workerId: id as WorkerId, ...event.body }));
    case 'WorkerDraining':
      return decidedAgain(decideDrain(worker, event.body.session, false));
    case 'WorkerGone':
      if (cause.type !== 'Timer') return decidedAgain(decideDrain(worker, event.body.session, true));
      return decidedAgain(worker && decideGone(worker, event.body.reason));
    case 'WorkerRetired':
      return decidedAgain(decideRetire(worker, event.body));
    case 'WorkerCordoned':
      return decidedAgain(decideCordon(worker, event.body));
    case 'WorkerUncordoned':
      return decidedAgain(decideUncordon(worker, event.body));
    default:
      return event satisfies never;
  }
}
