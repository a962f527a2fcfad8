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
if (namespace === undefined) throw new Error(`${NAMESPACE} is no namespace.`);
const submitSubject = subjects.command(namespace, { noun: 'job', verb: 'submit' });

async function submit(jobs: number, wait: boolean): Promise<job.SubmitReply> {
  const one = { type: TYPE, payload: payloadBytes };
  const request = job.SubmitJobs.encode({ jobs: Array.from({ length: jobs }, () => one), wait }).finish();
  const answer = await connection.request(submitSubject, request, { timeout: REQUEST_WITHIN_MS });
  if (answer.headers?.has('Nats-Service-Error')) throw new Error(`Refused: ${error.Error.decode(answer.data).message}`);
  return job.SubmitReply.decode(answer.data);
}

serveClient({
  async submit(jobs) {
    const { jobs: replies } = await submit(jobs, false);
    const refused = replies.find((reply) => reply.error);
    if (replies.length !== jobs || refused) throw new Error(`Of ${jobs} jobs ${replies.length} were answered. ${refused?.error?.message ?? ''}`);
  },
  async perform() {
    const { jobs: [reply] } = await submit(1, true);
    if (reply?.status !== 'completed') throw new Error(`The job ended as ${reply?.status ?? 'nothing'}: ${reply?.error?.message ?? reply?.failure?.message ?? ''}`);
  },
  close: () => connection.drain(),
});
