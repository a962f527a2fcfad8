/** `reprise actors ls` */
import { listSetAside } from '../../sdk/actors.js';
import { withClient } from '../jobs/client.js';
import { note, paint, print, visible } from '../terminal.js';
import type { ActorFlags } from './flags.js';

export async function runList(flags: ActorFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const list = await listSetAside(client);
    if (flags.json) return print(JSON.stringify(list));
    if (list.total === 0) return note('No job, worker or queue is set aside.');
    for (const { kind, id, why, sinceMs, skipped } of list.actors) {
      const later = skipped === 0 ? '' : `, and ${skipped} later events are not folded`;
      const since = new Date(sinceMs).toISOString();
      print(`${paint('yellow', `${kind}/${visible(id)}`)} since ${since}: ${visible(why)}${later}`);
    }
    if (list.total > list.actors.length) note(`and ${list.total - list.actors.length} more`);
  });
}
