/** `reprise queues ls` */
import { listQueues } from '../../sdk/queues.js';
import { withClient } from '../jobs/client.js';
import { note, print } from '../terminal.js';
import type { QueueFlags } from './flags.js';
import { tableOf } from './lines.js';

export async function runList(flags: QueueFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const queues = await listQueues(client);
    if (flags.json) return print(JSON.stringify({ queues }));
    if (queues.length === 0) return note('No queue has jobs that have not ended, and none is paused or has settings.');
    for (const line of tableOf(queues)) print(line);
  });
}
