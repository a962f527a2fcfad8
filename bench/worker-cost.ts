/**
 * CPU of a worker process per no-op job, with a leader that has no journal and hands out a lease for every free slot:
 * `node dist/bench/worker-cost.js [jobs] [concurrency] [--url nats://…]`. The leader is this process, the worker is a
 * child whose CPU time is read.
 */
import { connect, type Msg } from '@nats-io/transport-node';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { performer } from '../worker/performer/performer.js';
import { startWorker } from '../worker/start.js';
import { jobId, type Partition } from '../protocols/ids.js';
import { worker } from '../protocols/messages.js';

const [jobs = 200_000, concurrency = 50] = process.argv.slice(2).filter((word) => /^\d+$/.test(word)).map(Number);
const urlFlag = process.argv.indexOf('--url');
const url = urlFlag === -1 ? 'nats://127.0.0.1:4222' : process.argv[urlFlag + 1]!;

const leaseOf = (id: string, payload: Uint8Array): worker.Lease.$Properties => ({
  token: `${id}/1/1/1.signature`,
  jobId: id,
  type: 'noop',
  queue: 'default',
  attempt: 1,
  maxAttempts: 3,
  payload,
  leaseMs: 15_000,
  attemptMs: 1_800_000,
});

async function child(): Promise<void> {
  const noop = performer('noop', async () => null);
  await startWorker({ url, namespace: 'bench', performers: [noop], concurrency, log: pino({ level: 'silent' }) });
  process.on('message', () => process.send!({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }));
}

async function parent(): Promise<void> {
  const connection = await connect({ servers: new URL(url).host });
  const payload = Buffer.from(JSON.stringify({ text: 'x'.repeat(188) }));
  const random = crypto.getRandomValues(new Uint8Array(10));
  let leased = 0;
  let done = 0;
  let pulls = 0;
  const lease = (): worker.Lease.$Properties => {
    leased += 1;
    for (let i = 0; i < 4; i += 1) random[i] = leased >>> (8 * i);
    const id = jobId(0 as Partition, random);
    return leaseOf(id, payload);
  };
  const pulled = (message: Msg): void => {
    const { reports, free } = worker.Pull.decode(message.data);
    pulls += 1;
    done += reports?.length ?? 0;
    const leases = Array.from({ length: Math.min(free ?? 0, total - leased) }, lease);
    waiting = leases.length === 0 ? message : undefined;
    if (leases.length > 0) message.respond(worker.PullReply.encode({ epoch: 1, leases }).finish());
  };
  let waiting: Msg | undefined;
  let total = 20_000;
  const registered = worker.RegisterReply.encode({
    partitions: 1, epoch: 1, session: 'bench', proof: '1.bench',
  }).finish();
  connection.subscribe('reprise.bench.worker.register', {
    callback: (_error, message) => void message.respond(registered),
  });
  connection.subscribe('reprise.bench.worker.pull', { callback: (_error, message) => pulled(message) });
  await connection.flush();
  const worked = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--child']);
  const usage = (): Promise<{ cpu: NodeJS.CpuUsage; rss: number }> =>
    new Promise((resolve) => {
      worked.once('message', (message) => resolve(message as { cpu: NodeJS.CpuUsage; rss: number }));
      worked.send('usage');
    });
  const finished = async (): Promise<void> => {
    for (;;) {
      if (done >= total) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await finished();
  const before = await usage();
  const pullsBefore = pulls;
  const beganMs = performance.now();
  total += jobs;
  if (waiting) pulled(waiting);
  await finished();
  const tookMs = performance.now() - beganMs;
  const after = await usage();
  const cpuUs = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
  console.log(JSON.stringify({
    jobs,
    concurrency,
    jobsPerPull: Math.round(jobs / (pulls - pullsBefore)),
    cpuUsPerJob: Number((cpuUs / jobs).toFixed(2)),
    jobsPerSecond: Math.round((jobs / tookMs) * 1_000),
    residentMb: Math.round(after.rss / 1e6),
  }));
  worked.kill();
  await connection.close();
}

await (process.argv.includes('--child') ? child() : parent());
