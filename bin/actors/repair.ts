/** `reprise actors repair` */
import { RepriseError } from '../../protocols/errors.js';
import { parseJobId, partitionOfJob } from '../../protocols/ids.js';
import { listSetAside, repairActor } from '../../sdk/actors.js';
import type { Client } from '../../sdk/client.js';
import { withClient } from '../jobs/client.js';
import { print } from '../terminal.js';
import type { RepairFlags } from './flags.js';

export async function runRepair(text: string, flags: RepairFlags): Promise<void> {
  const slash = text.indexOf('/');
  if (slash < 0) throw new RepriseError('USAGE', `${text} is not kind/id, as in job/<id> or worker/<id>.`);
  const [kind, id] = [text.slice(0, slash), text.slice(slash + 1)];
  await withClient(flags, async (client) => {
    const partition = await partitionOf(client, kind, id);
    const { as, reason } = flags;
    const { duplicate } = await repairActor(client, { partition, kind, id }, { as, ...(reason && { reason }) });
    print(flags.json ? JSON.stringify({ partition, kind, id, as, duplicate }) : `${kind}/${id} ${as}`);
  });
}

/** @throws RepriseError NOT_FOUND */
async function partitionOf(client: Client, kind: string, id: string): Promise<number> {
  const jobId = kind === 'job' ? parseJobId(id) : undefined;
  if (jobId !== undefined) return partitionOfJob(jobId);
  const found = (await listSetAside(client)).actors.find((each) => each.kind === kind && each.id === id);
  if (found) return found.partition;
  const hint = '`reprise actors ls` lists all that are.';
  throw new RepriseError('NOT_FOUND', `${kind}/${id} is not set aside.`, { hint });
}
