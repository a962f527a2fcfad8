/** The client process of Reprise: the client of the package, as BullMQ's is BullMQ's. */
import { connectClient, type JobReply, type Waiting } from '../../sdk/client.js';
import { serveClient } from '../client/load.js';
import { payload } from '../client/payload.js';
import { givenArgument } from '../processes/serve.js';
import { NAMESPACE, TYPE, type RepriseAddress } from './reprise.calls.js';

const { url } = givenArgument<RepriseAddress>();
const client = await connectClient({ url, namespace: NAMESPACE, name: 'bench client' });

async function submit(jobs: number, waiting: Waiting): Promise<JobReply[]> {
  const replies = await client.submit(Array.from({ length: jobs }, () => ({ type: TYPE, payload })), waiting);
  const refused = replies.find((reply) => reply.error);
  if (refused) throw new Error(`A job was refused: ${refused.error?.message}`);
  return replies;
}

serveClient({
  async submit(jobs) {
    const replies = await submit(jobs, {});
    if (replies.length !== jobs) throw new Error(`${jobs} jobs were submitted, but ${replies.length} replied to.`);
  },
  async perform() {
    const [reply] = await submit(1, { wait: true });
    if (reply?.status === 'completed') return;
    const why = reply?.failure?.message ?? 'no reason is given';
    throw new Error(`The job should be completed, but its status is ${reply?.status || 'unknown'}: ${why}`);
  },
  close: () => client.close(),
});
