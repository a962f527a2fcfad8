/** A client for the duration of one command, and the flags that name a job. */
import { connectClient, type Client, type Target } from '../../sdk/client.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Where } from '../arguments.js';
import { locate, locateForBroker, type Located } from '../locate.js';
import { principal } from '../principal.js';

/** A broker that was killed is back within this time; a longer silence on the terminal looks like a hang. */
const GIVE_UP_MS = 5_000;

export interface JobFlags extends Where {
  readonly queue?: string;
  readonly key?: string;
  readonly json?: true;
}

export async function withClient<T>(where: Where, use: (client: Client) => Promise<T>): Promise<T> {
  return await withClientAt(locate(where), use);
}

/** As the user of brokers, who alone may send some commands. */
export async function withBrokersClient<T>(where: Where, use: (client: Client) => Promise<T>): Promise<T> {
  return await withClientAt(locateForBroker(where), use);
}

async function withClientAt<T>({ url, namespace }: Located, use: (client: Client) => Promise<T>): Promise<T> {
  const options = { name: 'reprise command', giveUpMs: GIVE_UP_MS, principal: principal() };
  const client = await connectClient({ url, namespace, ...options });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

export function targetOf(id: string | undefined, { queue, key }: JobFlags): Target {
  if (id !== undefined && (queue !== undefined || key !== undefined)) {
    throw misuse(`Give the id ${id} or --queue and --key, not both.`);
  }
  if (id !== undefined) return { jobId: id };
  if (key === undefined) throw misuse('No job is named: give the id of a job, or --queue and --key.');
  return { ...(queue !== undefined && { queue }), key };
}

const misuse = (message: string): RepriseError => new RepriseError('USAGE', message);
