/** `reprise workers cordon`, `uncordon` and `drain` */
import { cordonWorker, drainWorker, uncordonWorker, type WorkerView } from '../../sdk/workers.js';
import { withClient } from '../jobs/client.js';
import { note, print, visible } from '../terminal.js';
import type { OrderFlags } from './flags.js';

export const runCordon = (id: string, flags: OrderFlags): Promise<void> => run(cordonWorker, id, flags);
export const runUncordon = (id: string, flags: OrderFlags): Promise<void> => run(uncordonWorker, id, flags);
export const runDrain = (id: string, flags: OrderFlags): Promise<void> => run(drainWorker, id, flags);

async function run(order: typeof cordonWorker, id: string, flags: OrderFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const view = await order(client, id, flags.reason === undefined ? {} : { reason: flags.reason });
    print(flags.json ? JSON.stringify(view) : lineOf(view));
    if (view.cordoned && view.registeredMs === 0) note(`No worker ${id} is registered; it is cordoned when it comes.`);
  });
}

/** With the reason that counts: that of the first order, if it was given already. */
function lineOf({ workerId, status, running, cordoned, drained }: WorkerView): string {
  const reason = (cordoned ?? drained)?.reason ?? '';
  return `${workerId} ${status}${reason === '' ? '' : ` (${visible(reason)})`}: ${running} attempts running`;
}
