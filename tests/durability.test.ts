/** What durability rests on, and what a worker can do that was asleep past its lease: nothing. */
import t from 'tap';
import { eventually, Reprise } from './broker.js';
import { readHistories } from './histories.js';
import { Child } from './processes.js';
import { Stranger } from './stranger.js';

t.test('the server in use syncs before it acknowledges (kill -9 alone cannot show that)', async (t) => {
  const reprise = await Reprise.start(t);
  const varz = (await (await fetch(`${reprise.server.monitoringUrl}/varz`)).json()) as { jetstream: { config: { sync_always: boolean } } };
  t.equal(varz.jetstream.config.sync_always, true, 'sync_interval: always');
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const { config } = await (await client.reader.jetstreamManager({ checkAPI: false })).streams.info(`REPRISE_${reprise.ns}_JOURNAL_0`);
  t.match(config, { storage: 'file', discard: 'new', max_age: 0, deny_delete: true });
  t.not((config as { persist_mode?: string }).persist_mode, 'async');
});

t.test('a worker that was stopped past its lease and goes on changes nothing', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await Stranger.connect(reprise);
  const sleeper = await Child.worker(reprise.url, reprise.ns);
  const workers = [sleeper];
  t.teardown(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await client.close();
  });
  const { body } = await client.json('job.submit', { type: 'slow', payload: 300, timeouts: { heartbeatMs: 600 } });
  const jobId = body['jobId'] as string;
  await sleeper.says('slow 1');
  sleeper.signal('SIGSTOP');
  const stoppedMs = performance.now();
  await eventually(async () => (await client.json('job.get', { jobId })).body['status'] !== 'running');
  t.ok(performance.now() - stoppedMs < 1_500, 'its lease ends in time');
  workers.push(await Child.worker(reprise.url, reprise.ns));
  const end = (await client.json('job.await', { jobId, waitMs: 15_000 }, 16_000)).body;
  t.match(end, { status: 'completed' });
  const before = (await readHistories(client, 1)).jobs.get(jobId)!.events;
  sleeper.signal('SIGCONT');
  t.match((await client.json('job.submit', { type: 'double', payload: 4, wait: true })).body, { result: 8 });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { jobs, complaints } = await readHistories(client, 1);
  t.strictSame(jobs.get(jobId)!.events, before, 'not one event more');
  t.strictSame(complaints, []);
  t.equal(before.filter((each) => each.type === 'JobCompleted').length, 1);
  t.match((await client.json('job.get', { jobId })).body, { status: 'completed', result: end['result'] });
});

t.test('a client that waits while the broker stops is told the truth', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const waiting = client.json('job.submit', { type: 'nobody', wait: true, waitMs: 20_000 }, 25_000);
  await eventually(async () => (await readHistories(client, 1)).jobs.size === 1);
  await reprise.stopBroker(reprise.brokers[0]!);
  const { code, body } = await waiting;
  t.not(code, 'NOT_LEADER', 'NOT_LEADER means that nothing was changed, but the job is in the journal');
  t.ok(code === 'UNKNOWN' || (code === '' && body['status'] === 'ready'), `it may be UNKNOWN, or the status so far; it is ${code || String(body['status'])}`);
});
