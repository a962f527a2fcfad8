/** `reprise queues set` */
import { setQueue, type SettingName } from '../../sdk/queues.js';
import { withClient } from '../jobs/client.js';
import { print } from '../terminal.js';
import type { SetFlags } from './flags.js';
import { linesOf } from './lines.js';
import { settingsOfFlags } from './setting-flags.js';

export async function runSet(queue: string, flags: SetFlags): Promise<void> {
  const { reason, unset = [] } = flags;
  const change = {
    settings: settingsOfFlags(flags, flags.settings), unset: unset as SettingName[],
    ...(reason !== undefined && { reason }),
  };
  await withClient(flags, async (client) => {
    const stats = await setQueue(client, queue, change);
    if (flags.json) return print(JSON.stringify(stats));
    for (const line of linesOf(stats)) print(line);
  });
}
