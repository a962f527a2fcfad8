/** Submits jobs, and measures how long small requests wait: protobuf over the public subjects. */
import { connect } from '@nats-io/transport-node';
import { error, job } from '../../protocols/messages.js';
import { subjects } from '../../protocols/subjects.js';
import { percentile } from '../output/statistics.js';
import { givenArgument, serve } from '../processes/serve.js';
import { namespace } from '../reprise/tally.js';
import { WAITING, type Fed, type Feed, type FeederCalls } from './calls.js';

const REQUEST_WITHIN_MS = 60_000;
const ENDED = 'completed';
const connection = await connect({ servers: givenArgument<{ readonly url: string }>().url, name: 'bench feeder' });
const subject = subjects.command(namespace, { noun: 'job', verb: 'submit' });

let nth = 0;
const payloadOf = (bytes: number): Uint8Array => {
  nth += 1;
  const small = `{"n":${nth}}`;
  if (bytes <= small.length) return Buffer.from(small);
  return Buffer.from(JSON.stringify({ n: nth, text: 'x'.repeat(Math.max(0, bytes - small.length - 10)) }));
};

async function submit(jobs: number, { type, payloadBytes, waits }: Feed): Promise<string> {
  const all = Array.from({ length: jobs }, () => ({ type, payload: payloadOf(payloadBytes) }));
  const request = job.SubmitJobs.encode({ jobs: all, wait: waits }).finish();
  const { headers, data } = await connection.request(subject, request, { timeout: REQUEST_WITHIN_MS });
  if (headers?.has('Nats-Service-Error')) throw new Error(`Submit was refused: ${error.Error.decode(data).message}`);
  const { jobs: replies } = job.SubmitReply.decode(data);
  const wrong = replies.find((reply) => reply.error || (waits && reply.status !== ENDED));
  if (wrong || replies.length !== jobs) throw new Error(`Not done: ${wrong?.error?.message ?? wrong?.status}`);
  return replies.at(-1)!.jobId ?? '';
}

async function feed(what: Feed): Promise<Fed> {
  const { bulk, outstanding, jobs = Infinity, forMs = Infinity } = what;
  const startedMs = performance.now();
  let [left, done, lastJobId] = [jobs, 0, ''];
  const submitter = async (): Promise<void> => {
    while (left > 0 && performance.now() - startedMs < forMs) {
      const size = Math.min(bulk, left);
      left -= size;
      lastJobId = await submit(size, what);
      done += size;
    }
  };
  await Promise.all(Array.from({ length: outstanding }, submitter));
  return { jobs: done, tookMs: performance.now() - startedMs, lastJobId };
}

const small: Feed = { bulk: 1, outstanding: 1, payloadBytes: 20, type: WAITING, waits: false };
let timer: NodeJS.Timeout | undefined;
let open = new Set<Promise<void>>();
let waits: number[] = [];
let failure: unknown;

function probeOnce(): void {
  const sentMs = performance.now();
  const request: Promise<void> = submit(1, small)
    .then(() => void waits.push(performance.now() - sentMs), (why: unknown) => void (failure = why))
    .finally(() => open.delete(request));
  open.add(request);
}

serve<FeederCalls>({
  feed,
  async probe(everyMs) {
    [waits, open, failure] = [[], new Set(), undefined];
    timer = setInterval(probeOnce, everyMs);
  },
  async waited() {
    clearInterval(timer);
    await Promise.all(open);
    if (failure) throw failure;
    const at = (share: number): number => percentile(waits, share);
    return { requests: waits.length, p50Ms: at(0.5), p99Ms: at(0.99), longestMs: at(1) };
  },
}, () => connection.close());
