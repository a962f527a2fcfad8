/** `reprise retention set` */
import { setRetention } from '../../sdk/retention.js';
import { withBrokersClient } from '../jobs/client.js';
import { print } from '../terminal.js';
import type { SetFlags } from './flags.js';
import { keptText } from './lines.js';

export async function runSet(contentMs: number | 'default', { queue, ...flags }: SetFlags): Promise<void> {
  await withBrokersClient(flags, async (client) => {
    await setRetention(client, { contentMs, ...(queue !== undefined && { queue }) });
    if (flags.json) return print(JSON.stringify({ ...(queue !== undefined && { queue }), contentMs }));
    const whose = queue === undefined ? 'all queues without a setting of their own' : `queue ${queue}`;
    print(`${whose}: contents are kept ${contentMs === 'default' ? keptByDefault(queue) : keptText(contentMs)}`);
  });
}

const keptByDefault = (queue: string | undefined): string => (queue === undefined ? keptText(0) : 'as by default');
