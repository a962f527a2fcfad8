/** A client for the time of one command. */
import { connectClient, type Client, type Target } from '../../sdk/client.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Where } from '../arguments.js';
import type { JobFlags } from '../commands/jobs.js';
import { locate, type Located } from '../locate.js';
import { principal } from '../principal.js';

/** A broker that was killed is back within that time; longer than that nobody wants to look at a silent terminal. */
const GIVE_UP_MS = 5_000;

export async function withClient<T>(where: Where, use: (client: Client, located: Located) => Promise<T>): Promise<T> {
  const located = locate(where);
  const { url, namespace } = located;
  const options = { name: 'reprise command', giveUpMs: GIVE_UP_MS, principal: principal() };
  const client = await connectClient({ url, namespace, ...options });
  try {
    return await use(client, located);
  } finally {
    await client.close();
  }
}

export function targetOf(id: string | undefined, { queue, key }: JobFlags): Target {
  if (id !== undefined && (queue !== undefined || key !== undefined)) {
    throw misuse('Give an id, or --queue and --key, not both.');
  }
  if (id !== undefined) return { jobId: id };
  if (key === undefined) throw misuse('Give the id of a job, or --queue and --key.');
  return { ...(queue !== undefined && { queue }), key };
}

const misuse = (message: string): RepriseError => new RepriseError('USAGE', message);
