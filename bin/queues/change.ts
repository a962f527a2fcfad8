/** `reprise queues pause` and `reprise queues resume` */
import { pauseQueue, resumeQueue, type QueueStats } from '../../sdk/queues.js';
import { withClient } from '../jobs/client.js';
import { print, visible } from '../terminal.js';
import type { ChangeFlags } from './flags.js';

export const runPause = (queue: string, flags: ChangeFlags): Promise<void> => run(pauseQueue, queue, flags);
export const runResume = (queue: string, flags: ChangeFlags): Promise<void> => run(resumeQueue, queue, flags);

async function run(change: typeof pauseQueue, queue: string, flags: ChangeFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const stats = await change(client, queue, flags.reason === undefined ? {} : { reason: flags.reason });
    print(flags.json ? JSON.stringify(stats) : lineOf(stats));
  });
}

/** With the reason that counts: that of the first pause, if it was paused already. */
function lineOf({ queue, status, ready, running, paused }: QueueStats): string {
  const why = paused === undefined || paused.reason === '' ? '' : ` (${visible(paused.reason)})`;
  return `${queue} ${status}${why}: ${ready} jobs ready, ${running} running`;
}
