/** `reprise jobs cancel` */
import type { CancelFlags } from '../commands/jobs.js';
import { print } from '../terminal.js';
import { targetOf, withClient } from './client.js';
import { jsonOf, statusText } from './show-values.js';

export async function runCancel(id: string | undefined, flags: CancelFlags): Promise<void> {
  const target = targetOf(id, flags);
  await withClient(flags, async (client) => {
    const answer = await client.cancel(target, { ...(flags.reason !== undefined && { reason: flags.reason }) });
    if (flags.json) return print(jsonOf(answer));
    const stopping = answer.cancelling && answer.status === 'running' ? ', its worker is told to stop' : '';
    print(`${answer.jobId} ${statusText(answer.status)}${stopping}`);
  });
}
