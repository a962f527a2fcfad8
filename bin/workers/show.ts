/** `reprise workers ls` and `reprise workers show` */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../sdk/client.js';
import { getWorker, listWorkers } from '../../sdk/workers.js';
import { withClient } from '../jobs/client.js';
import { print } from '../terminal.js';
import type { WorkersFlags } from './flags.js';
import { linesOf, tableOf } from './lines.js';

const EVERY_MS = 1_000;
/** Clears the terminal, so that the next table takes the place of the last. */
const CLEAR = '\u001b[2J\u001b[H';

export const runList = (flags: WorkersFlags): Promise<void> =>
  showing(flags, async (client) => {
    const workers = await listWorkers(client);
    if (flags.json) return [JSON.stringify({ workers })];
    return workers.length === 0 ? ['No worker is registered or cordoned.'] : tableOf(workers);
  });

export const runShow = (id: string, flags: WorkersFlags): Promise<void> =>
  showing(flags, async (client) => {
    const view = await getWorker(client, id);
    return flags.json ? [JSON.stringify(view)] : linesOf(view);
  });

/** Once, or with --watch again and again until it is interrupted. In JSON each time is a line. */
async function showing(flags: WorkersFlags, read: (client: Client) => Promise<Iterable<string>>): Promise<void> {
  await withClient(flags, async (client) => {
    do {
      const lines = [...(await read(client))];
      if (flags.watch && !flags.json && process.stdout.isTTY) process.stdout.write(CLEAR);
      for (const line of lines) print(line);
      if (flags.watch) await sleep(EVERY_MS);
    } while (flags.watch);
  });
}
