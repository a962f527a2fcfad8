/** The settings that durability depends on, and workers and clients that lose contact. */
import t from 'tap';
import { eventually, Reprise } from '../broker.js';
import { readHistories } from '../histories.js';
import { Child } from '../processes.js';
import { Stranger } from '../stranger.js';

t.test('the server is configured to sync before it acknowledges, which kill -9 alone cannot show', async (t) => {
  const reprise = await Reprise.start(t);
  const response = await fetch(`${reprise.server.monitoringUrl}/varz`);
  const varz = (await response.json()) as { jetstream: { config: { sync_always: boolean } } };
  t.equal(varz.jetstream.config.sync_always, true, 'sync_interval: always');
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const manager = await client.reader.jetstreamManager({ checkAPI: false });
  const { config } = await manager.streams.info(`REPRISE_${reprise.ns}_JOURNAL_0`);
  t.match(config, { storage: 'file', discard: 'new', max_age: 0, deny_delete: true });
  t.not((config as { persist_mode?: string }).persist_mode, 'async');
});

t.test('a worker that was suspended past its lease and resumes changes nothing', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await Stranger.connect(reprise);
  const suspended = await Child.worker(reprise.url, reprise.ns);
  const workers = [suspended];
  t.teardown(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await client.close();
  });
  const { body } = await client.json('job.submit', { type: 'slow', payload: 300, timeouts: { heartbeatMs: 600 } });
  const jobId = body['jobId'] as string;
  await suspended.says('slow 1');
  suspended.signal('SIGSTOP');
  const stoppedMs = performance.now();
  await eventually(async () => (await client.json('job.get', { jobId })).body['status'] !== 'running');
  t.ok(performance.now() - stoppedMs < 1_500, 'its lease ends in time');
  workers.push(await Child.worker(reprise.url, reprise.ns));
  const end = (await client.json('job.await', { jobId, waitMs: 15_000 }, 16_000)).body;
  t.match(end, { status: 'completed' });
  const before = (await readHistories(client, 1)).jobs.get(jobId)!.events;
  suspended.signal('SIGCONT');
  t.match((await client.json('job.submit', { type: 'double', payload: 4, wait: true })).body, { result: 8 });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { jobs, complaints } = await readHistories(client, 1);
  t.strictSame(jobs.get(jobId)!.events, before, 'no further event');
  t.strictSame(complaints, []);
  t.equal(before.filter((each) => each.type === 'JobCompleted').length, 1);
  t.match((await client.json('job.get', { jobId })).body, { status: 'completed', result: end['result'] });
});

t.test('a client that waits while the broker stops gets UNKNOWN or the current status', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const waiting = client.json('job.submit', { type: 'nobody', wait: true, waitMs: 20_000 }, 25_000);
  await eventually(async () => (await readHistories(client, 1)).jobs.size === 1);
  await reprise.stopBroker(reprise.brokers[0]!);
  const { code, body } = await waiting;
  t.not(code, 'NOT_LEADER', 'NOT_LEADER means that nothing was changed, but the job is in the journal');
  const isTrue = code === 'UNKNOWN' || (code === '' && body['status'] === 'ready');
  t.ok(isTrue, `expected UNKNOWN or the current status, got ${code || String(body['status'])}`);
});
