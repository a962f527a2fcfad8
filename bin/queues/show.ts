/** `reprise queues show` */
import { queueStats } from '../../sdk/queues.js';
import { withClient } from '../jobs/client.js';
import { print } from '../terminal.js';
import type { QueueFlags } from './flags.js';
import { linesOf } from './lines.js';

export async function runShow(queue: string, flags: QueueFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const stats = await queueStats(client, queue);
    if (flags.json) return print(JSON.stringify(stats));
    for (const line of linesOf(stats)) print(line);
  });
}
