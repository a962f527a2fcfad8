/** Requirements from outside: given in each way, and met by workers of ours and of others. */
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import t, { type Test } from 'tap';
import { performer } from '../sdk/index.js';
import { connectClient } from '../sdk/client.js';
import { whyWaiting } from '../sdk/why.js';
import { startWorker, type StartedWorker } from '../worker/start.js';
import { eventually, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { ForeignWorker } from './foreign-worker.js';
import { Stranger } from './stranger.js';

const REQUIRE = { hardware: { gpuMemoryGb: 16 }, models: ['sdxl'], not: { region: 'eu' } };
const ABLE = { hardware: { gpuMemoryGb: 24 }, models: ['sdxl', 'flux'], region: 'us' };
const UNABLE = [
  { ...ABLE, hardware: { gpuMemoryGb: 8 } }, { ...ABLE, models: ['flux'] }, { ...ABLE, region: 'eu' }, {},
];

async function work(t: Test, { url, ns }: Reprise, workerId: string, capabilities: object): Promise<StartedWorker> {
  const worker = await startWorker({
    url, namespace: ns, workerId, capabilities, log: pino({ level: 'silent' }),
    performers: [performer('render', async () => workerId)],
  });
  t.teardown(() => worker.stop());
  await eventually(() => worker.session !== '');
  return worker;
}

t.test('in JSON, in protobuf, by the client and by the command: the same worker gets the job', async (t) => {
  const reprise = await Reprise.start(t);
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => client.close());
  for (const [nth, capabilities] of UNABLE.entries()) await work(t, reprise, `unable${nth}`, capabilities);
  const type = 'render';
  const json = await stranger.json('job.submit', { type, require: REQUIRE });
  const proto = await stranger.proto('job.submit', { jobs: [{ type, requireJson: JSON.stringify(REQUIRE) }] });
  const [ofClient] = await client.submit([{ type, require: REQUIRE }]);
  const where = ['--nats', reprise.url, '--namespace', reprise.ns, '--json'];
  const command = await run(['submit', type, '1', '--require', JSON.stringify(REQUIRE), ...where], { cwd: t.testdir() });
  const ids = [
    json.body['jobId'], (proto.body['jobs'] as { jobId: string }[])[0]!.jobId, ofClient!.jobId,
    (JSON.parse(command.stdout) as { jobId: string }).jobId,
  ] as string[];
  for (const jobId of ids) {
    const { status, require } = await client.get({ jobId });
    t.match({ status, require: JSON.parse(require) as object }, { status: 'ready', require: REQUIRE }, 'none of those may have it');
  }
  const why = await eventually(async () => {
    const answer = await whyWaiting(client, { jobId: ids[0]! });
    return answer.reasons[0]?.code === 'NO_WORKER' && answer;
  }, 15_000);
  t.match(why.reasons, [{ code: 'NO_WORKER', workers: 4, nearest: /unable/ }]);
  await work(t, reprise, 'able', ABLE);
  for (const jobId of ids) t.match(await client.await({ jobId }), { status: 'completed', result: 'able' });
  const table = [
    [{ modles: ['sdxl'] }, 'REQUIREMENT_INVALID', /nearest known one is "models"/],
    [{ region: 'eu', not: { region: 'eu' } }, 'REQUIREMENT_CONTRADICTORY', /region/],
    [{ hardware: { ram: '>4' }, labels: { a: { above: 3 } } }, 'REQUIREMENT_INVALID', /labels/],
  ] as const;
  for (const [require, code, message] of table) {
    t.match(await stranger.json('job.submit', { type, require }), { code, body: { message } });
    await t.rejects(client.submit([{ type, require }]).then(([reply]) => { throw reply!.error; }), { code });
  }
});

t.test('a worker that gets a model gets the jobs for it, and one that drops it gets no more', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2 });
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => client.close());
  const worker = await work(t, reprise, 'w', { models: [] });
  const submit = async () => (await client.submit([{ type: 'render', require: { models: ['sdxl'] } }]))[0]!;
  const first = await submit();
  t.match(await client.await(first, { waitMs: 300 }), { status: 'ready' });
  await worker.setCapabilities({ models: ['sdxl'] });
  t.match(await client.await(first), { status: 'completed' });
  await worker.setCapabilities({ models: [] });
  t.match(await client.await(await submit(), { waitMs: 300 }), { status: 'ready' });
  await t.rejects(worker.setCapabilities({ models: 'sdxl' }), { code: 'CAPABILITIES_INVALID' });
});

t.test('a worker written from the documents registers its capabilities, and is matched', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => client.close());
  const [able, unable] = await client.submit([
    { type: 'render', require: REQUIRE }, { type: 'render', require: { models: ['other'] } },
  ]);
  const worker = await ForeignWorker.start({
    url: reprise.url, namespace: reprise.ns, protocols: fileURLToPath(new URL('../protocols', import.meta.url)),
    workerId: 'foreign', types: ['render'], capacity: 2, capabilities: ABLE, handle: async () => 'done',
  });
  t.teardown(() => worker.vanish());
  t.match(await client.await(able!), { status: 'completed', result: 'done' });
  t.match(await client.get(unable!), { status: 'ready' });
});
