/** `reprise jobs cancel` */
import { print } from '../terminal.js';
import { targetOf, withClient, type JobFlags } from './client.js';
import { jsonOf, statusText } from './show-values.js';

export interface CancelFlags extends JobFlags {
  readonly reason?: string;
}

export async function runCancel(id: string | undefined, flags: CancelFlags): Promise<void> {
  const target = targetOf(id, flags);
  await withClient(flags, async (client) => {
    const reply = await client.cancel(target, { ...(flags.reason !== undefined && { reason: flags.reason }) });
    if (flags.json) return print(jsonOf(reply));
    const stopping = reply.cancelling && reply.status === 'running' ? ', its worker was asked to stop it' : '';
    print(`${reply.jobId} ${statusText(reply.status)}${stopping}`);
  });
}
