/** Jobs that ended are retried and discarded, from outside, also when their leader keeps them no longer. */
import t, { type Test } from 'tap';
import type { Partition } from '../protocols/ids.js';
import { connectClient } from '../sdk/client.js';
import { discardJob, retryJob } from '../sdk/jobs.js';
import { connectNats } from '../streams/connect.js';
import { openJournal } from '../streams/jetstream.js';
import { ensureTopology } from '../streams/topology.js';
import { Reprise } from './broker.js';
import { run } from './command/rig.js';
import { endedJobs } from './ended-jobs.js';
import { Stranger, type Body } from './stranger.js';

async function started(t: Test, partitions = 1) {
  const reprise = await Reprise.start(t, { partitions, brokers: 0 });
  const stranger = await Stranger.connect(reprise);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'anna' });
  t.teardown(() => Promise.all([stranger.close(), client.close()]));
  return { reprise, stranger, client };
}

t.test('a failed job is retried with another payload, in both encodings, and discarded', async (t) => {
  const { reprise, stranger, client } = await started(t);
  await reprise.startBroker();
  const me = await stranger.register('w', { types: ['x'], capacity: 10 });
  let pullSeq = 0;
  const pulled = async (outcome: string): Promise<Body> => {
    const ask = (more: object) =>
      stranger.json('worker.pull', { ...me, partition: 0, pullSeq: (pullSeq += 1), expiresMs: 2_000, free: 1, ...more });
    const [lease] = (await ask({})).body['leases'] as [Body];
    const report = { token: lease['token'], outcome, failure: { code: 'BROKEN', message: 'no' } };
    await stranger.json('worker.report', { ...me, partition: 0, reports: [report] });
    return lease;
  };
  const { body: { jobId } } = await stranger.json('job.submit', { type: 'x', payload: { n: 1 }, key: 'k' });
  t.equal((await stranger.json('job.retry', { jobId })).code, 'NOT_ENDED');
  t.match(await pulled('fail'), { payload: { n: 1 }, attempt: 1, maxAttempts: 3 });
  t.match((await stranger.json('job.list', { filter: 'code:BROKEN after:1h' })).body, { jobs: [{ jobId }] });
  const edited = { queue: 'default', key: 'k', payload: { n: 2 }, commandId: 'c1' };
  t.match(await stranger.json('job.retry', edited), { code: '', body: { jobId, status: 'ready', duplicate: false } });
  t.match((await stranger.json('job.retry', edited)).body, { jobId, duplicate: true }, 'once');
  t.match(await pulled('fail'), { jobId, payload: { n: 2 }, attempt: 2, maxAttempts: 4 });
  t.match((await stranger.proto('job.retry', { jobId })).body, { jobId, status: 'ready' });
  t.match(await pulled('fail'), { jobId, payload: { n: 2 }, attempt: 3 }, 'the payload of the retry stays');
  t.match(await client.get({ jobId: String(jobId) }), { status: 'failed', generation: 2, attempt: 3, maxAttempts: 5 });
  const bytes = { jobId, payload: Buffer.from([0, 255]), contentType: 'a/b' };
  t.match((await stranger.proto('job.retry', bytes)).body, { status: 'ready' });
  t.match(await pulled('fail'), { payloadBase64: 'AP8=', contentType: 'a/b' });
  t.equal((await stranger.json('job.retry', { jobId, payload: 1, payloadBase64: 'AP8=' })).code, 'INVALID_ARGUMENT');
  t.equal((await stranger.json('job.retry', { jobId: '0-0000000000000000' })).code, 'NOT_FOUND');

  const cwd = t.testdir();
  const where = ['--nats', reprise.url, '--namespace', reprise.ns];
  const jobs = (...words: string[]) => run(['jobs', ...words, ...where], { cwd });
  t.match(await jobs('retry', String(jobId), '--payload', '{"n":3}'), { code: 0, stdout: `${String(jobId)} ready\n` });
  t.match(await pulled('fail'), { payload: { n: 3 } });
  t.match(await discardJob(client, { jobId: String(jobId) }, { reason: 'enough' }), { status: 'discarded' });
  t.match(await jobs('show', String(jobId)), { stdout: /status +discarded[^]*retried +4 times[^]*BROKEN: enough/ });
  const waiting = (await stranger.json('job.submit', { type: 'y' })).body['jobId'];
  t.match((await stranger.json('job.reprioritize', { jobId: waiting, priority: 7 })).body, { status: 'ready' });
  t.match((await stranger.proto('job.reprioritize', { jobId: waiting, priority: -7 })).body, { status: 'ready' });
  t.match(await client.get({ jobId: String(waiting) }), { priority: -7 });
  t.equal((await stranger.json('job.reprioritize', { jobId: waiting, priority: 3e9 })).code, 'INVALID_ARGUMENT');
  t.equal((await stranger.json('job.reprioritize', { jobId, priority: 1 })).code, 'ALREADY_ENDED');
  t.match(await jobs('reprioritize', String(waiting), '--priority', '3'), { code: 0, stdout: `${String(waiting)} ready\n` });
  t.match(await jobs('retry', String(jobId), '--json'), { code: 1, stderr: /the job is discarded/ });
});

t.test('given jobs that have left the leader, when they are retried, then they run, in their order', async (t) => {
  const { reprise, client, stranger } = await started(t);
  const { ids, commits } = endedJobs(6_000);
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: false });
  await ensureTopology(nc, reprise.ns, 1);
  await nc.close();
  const journal = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: 0 as Partition });
  for (const [nth, bytes] of commits.entries()) await journal.append(bytes, nth);
  await journal.close();
  await reprise.startBroker();
  const [later] = await client.submit([{ type: 'square', payload: 'new' }]);
  // Of other commits each: those of one commit cannot be told apart by their positions.
  const left = [ids[5]!, ids[305]!, ids[705]!];
  for (const jobId of left) t.match(await retryJob(client, { jobId }), { jobId, status: 'ready', attempt: 0 });
  t.match(await client.get({ jobId: left[0]! }), { generation: 1, firstSeq: 1, status: 'ready' });
  const me = await stranger.register('w', { types: ['square'], capacity: 10 });
  const pull = { ...me, partition: 0, pullSeq: 1, free: 10, expiresMs: 2_000 };
  const leases = (await stranger.json('worker.pull', pull)).body['leases'] as { jobId: string; payload: unknown }[];
  t.strictSame(leases.map(({ jobId, payload }) => [jobId, payload]), [...left.map((id) => [id, 1]), [later!.jobId, 'new']]);
});
