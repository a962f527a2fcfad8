/** `reprise retention ls` */
import { listRetention } from '../../sdk/retention.js';
import { withClient } from '../jobs/client.js';
import { note, print } from '../terminal.js';
import type { RetentionFlags } from './flags.js';
import { tableOf } from './lines.js';

export async function runList(flags: RetentionFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const list = await listRetention(client);
    if (flags.json) return print(JSON.stringify(list));
    if (list.total === 0) return note('The archive keeps all contents for ever.');
    for (const line of tableOf(list.settings)) print(line);
    if (list.total > list.settings.length) note(`and ${list.total - list.settings.length} more`);
  });
}
