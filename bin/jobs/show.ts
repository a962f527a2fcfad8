/** `reprise jobs show` */
import { print } from '../terminal.js';
import { targetOf, withClient, type JobFlags } from './client.js';
import { jsonOf, linesOf } from './show-values.js';

export async function runShow(id: string | undefined, flags: JobFlags): Promise<void> {
  const target = targetOf(id, flags);
  await withClient(flags, async (client) => {
    const view = await client.get(target);
    if (flags.json) return print(jsonOf(view));
    for (const line of linesOf(view)) print(line);
  });
}
