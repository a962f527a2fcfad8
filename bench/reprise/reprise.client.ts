/** The client process of Reprise: protobuf over the public subjects, as any NATS client could do it. */
import { connect } from '@nats-io/transport-node';
import { parseNamespace } from '../../protocols/ids.js';
import { error, job } from '../../protocols/messages.js';
import { subjects } from '../../protocols/subjects.js';
import { serveClient } from '../client/load.js';
import { payloadBytes } from '../client/payload.js';
import { givenArgument } from '../processes/serve.js';
import { NAMESPACE, TYPE, type RepriseAddress } from './reprise.calls.js';

const REQUEST_WITHIN_MS = 30_000;

const { url } = givenArgument<RepriseAddress>();
const connection = await connect({ servers: url, name: 'bench client' });
const namespace = parseNamespace(NAMESPACE);
if (namespace === undefined) throw new Error(`${JSON.stringify(NAMESPACE)} is not a namespace.`);
const submitSubject = subjects.command(namespace, { noun: 'job', verb: 'submit' });

async function submit(jobs: number, wait: boolean): Promise<job.SubmitReply> {
  const one = { type: TYPE, payload: payloadBytes };
  const request = job.SubmitJobs.encode({ jobs: Array.from({ length: jobs }, () => one), wait }).finish();
  const { headers, data } = await connection.request(submitSubject, request, { timeout: REQUEST_WITHIN_MS });
  if (headers?.has('Nats-Service-Error')) throw new Error(`Submit was refused: ${error.Error.decode(data).message}`);
  return job.SubmitReply.decode(data);
}

serveClient({
  async submit(jobs) {
    const { jobs: replies } = await submit(jobs, false);
    const refused = replies.find((reply) => reply.error);
    if (refused) throw new Error(`A job was refused: ${refused.error?.message}`);
    if (replies.length !== jobs) throw new Error(`${jobs} jobs were submitted, but ${replies.length} replied to.`);
  },
  async perform() {
    const { jobs: [reply] } = await submit(1, true);
    if (reply?.status === 'completed') return;
    const why = reply?.error?.message ?? reply?.failure?.message ?? 'no reason is given';
    throw new Error(`The job should be completed, but its status is ${reply?.status || 'unknown'}: ${why}`);
  },
  close: () => connection.drain(),
});
