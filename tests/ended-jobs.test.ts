/** Jobs that have left the leader's state are found by an index on disk, and without it as well. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import t from 'tap';
import type { Partition } from '../protocols/ids.js';
import { connectClient, type Client } from '../sdk/client.js';
import { connectNats } from '../streams/connect.js';
import { openJournal } from '../streams/jetstream.js';
import { ensureTopology } from '../streams/topology.js';
import { eventually, Reprise } from './broker.js';
import { endedJobs } from './ended-jobs.js';

/** A leader keeps the last 5,000. */
const { ids, commits } = endedJobs(6_000);
const OLD = ids.slice(0, 20);

async function written(reprise: Reprise): Promise<void> {
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: false });
  await ensureTopology(nc, reprise.ns, 1);
  await nc.close();
  const journal = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: 0 as Partition });
  for (const [nth, bytes] of commits.entries()) await journal.append(bytes, nth);
  await journal.close();
}

async function foundBy(client: Client): Promise<number> {
  const views = await Promise.all(OLD.map((jobId) => client.get({ jobId })));
  return views.filter(({ status }) => status === 'cancelled').length;
}

t.test('given an index on disk, deleted, damaged or not writable, then ended jobs are found at every start', async (t) => {
  const indexDir = await mkdtemp(join(tmpdir(), 'reprise-index-test-'));
  const warnings: string[] = [];
  const write = (line: string): void => void warnings.push((JSON.parse(line) as { msg: string }).msg);
  const log = pino({ level: 'warn' }, { write });
  const reprise = await Reprise.start(t, { brokers: 0, log, indexDir });
  await written(reprise);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(async () => {
    await client.close();
    await rm(indexDir, { recursive: true, force: true });
  });
  const folder = join(indexDir, 'test.0.0');
  const restarted = async (between: () => void): Promise<void> => {
    await reprise.stopBroker(reprise.brokers[0]!);
    between();
    await reprise.startBroker();
  };
  await reprise.startBroker();
  t.equal(await foundBy(client), OLD.length);
  await restarted(() => t.match(readdirSync(folder).sort(), ['manifest.json', 'run-1'], 'it is saved at the stop'));
  t.equal(await foundBy(client), OLD.length);

  await restarted(() => rmSync(indexDir, { recursive: true }));
  t.equal(await foundBy(client), OLD.length);

  warnings.length = 0;
  await restarted(() => {
    for (const name of readdirSync(folder).filter((each) => each.startsWith('run-'))) {
      const bytes = readFileSync(join(folder, name)).map((byte, at) => (at > 4_096 && at < 120_000 ? byte ^ 1 : byte));
      writeFileSync(join(folder, name), bytes);
    }
  });
  const found = await eventually(() => foundBy(client).catch(() => undefined));
  t.equal(found, OLD.length);
  t.ok(warnings.some((each) => each.includes('index of jobs is broken')));
  await t.rejects(client.get({ jobId: '0-0000000000000000' as (typeof ids)[0] }), { code: 'NOT_FOUND' });

  await restarted(() => {
    rmSync(indexDir, { recursive: true });
    writeFileSync(indexDir, 'a file');
  });
  t.equal(await foundBy(client), OLD.length);
  t.ok(warnings.some((each) => each.includes('stays in memory')));
});
