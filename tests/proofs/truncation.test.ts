/**
 * Journals that are truncated, on a real server: what is needed of the part that goes is carried, what has ended is read
 * from the archive, and a broker that starts goes on from a snapshot.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { verifyServer } from '../../audit/server.js';
import { jobKind } from '../../actors/job/job.kind.js';
import type { Partition } from '../../protocols/ids.js';
import { connectClient, type Client } from '../../sdk/client.js';
import { performer } from '../../sdk/index.js';
import { openJournal } from '../../streams/jetstream.js';
import { startWorker } from '../../worker/start.js';
import { eventually, NAMESPACE, Reprise } from '../broker.js';
import { silent } from '../worker/support.js';

const P0 = 0 as Partition;
const SOON = {
  archivePolicy: { segmentBytes: 20_000, intervalMs: 0, pollMs: 20, firstRetryMs: 20, lastRetryMs: 50 },
  policies: {
    snapshotPolicy: { leastBytes: 5_000, times: 0, idleMs: 1, idleBytes: 1 },
    truncationPolicy: { margin: 2, least: 1, mostLag: 1_000_000, everyMs: 20 },
  },
};
const JOBS = 40;

interface Stage {
  readonly reprise: Reprise;
  readonly client: Client;
  readonly archive: string;
  firstSeq(): Promise<number>;
}

async function stage(t: Test): Promise<Stage> {
  const parent = await mkdtemp(join(tmpdir(), 'reprise-truncation-'));
  const archive = join(parent, 'archive');
  const reprise = await Reprise.start(t, { ...SOON, archive });
  const client = await connectClient({ url: reprise.url, namespace: NAMESPACE });
  const journal = await openJournal({ url: reprise.brokerUrl, ns: NAMESPACE, partition: P0 });
  t.teardown(async () => {
    await client.close();
    await journal.close();
    await rm(parent, { recursive: true, force: true });
  });
  return { reprise, client, archive, firstSeq: async () => (await journal.end()).firstSeq };
}

async function submitMany({ client }: Stage, type: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const [made] = await client.submit([{ type, payload: { n: nth, text: 'x'.repeat(200) } }]);
    ids.push(made!.jobId);
  }
  return ids;
}

/** Until the journal begins after everything that was there before. */
async function truncated(staged: Stage): Promise<void> {
  const { seq = 0 } = (await staged.client.submit([{ type: 'last' }]))[0]!.position!;
  await eventually(async () => {
    await staged.client.submit([{ type: 'more' }]);
    return (await staged.firstSeq()) > seq;
  }, 60_000);
}

async function restart({ reprise }: Stage): Promise<void> {
  await reprise.stopBroker(reprise.brokers[0]!);
  await reprise.startBroker();
}

async function perform(t: Test, { reprise }: Stage, type: string): Promise<Set<number>> {
  const seen = new Set<number>();
  const handler = performer(type, (payload) => {
    const { n } = payload as { readonly n: number };
    seen.add(n);
    return Promise.resolve({ done: n });
  });
  const worker = await startWorker({ url: reprise.url, namespace: NAMESPACE, performers: [handler], log: silent });
  t.teardown(() => worker.stop());
  await eventually(async () => seen.size === JOBS);
  return seen;
}

t.test('given jobs that wait, when the journal is truncated behind them, then they run, even without the archive', async (t) => {
  const staged = await stage(t);
  await submitMany(staged, 'square', JOBS);
  await truncated(staged);
  await restart(staged);
  t.ok(staged.reprise.brokers[0]!.hosts[0]!.leader!.read(jobKind).size >= JOBS, 'a new leader has the jobs');
  await rename(staged.archive, `${staged.archive}.away`);
  const seen = await perform(t, staged, 'square');
  t.strictSame([...seen].sort((a, b) => a - b), Array.from({ length: JOBS }, (_, nth) => nth), 'with their payloads');
  await rename(`${staged.archive}.away`, staged.archive);
});

t.test('given jobs that ended, when the journal is truncated, then they can be looked at, and the audit agrees', async (t) => {
  const staged = await stage(t);
  const ids = await submitMany(staged, 'square', JOBS);
  await perform(t, staged, 'square');
  await truncated(staged);
  await restart(staged);
  for (const [nth, jobId] of ids.entries()) {
    t.match(await staged.client.get({ jobId }), { status: 'completed', result: { done: nth } });
  }
  const [finding] = await verifyServer(staged.reprise.brokerUrl, NAMESPACE);
  t.match(finding, { ok: true, problem: undefined });
});

t.test('given an index in memory and a dead archive, when a broker starts, then jobs go on', async (t) => {
  const staged = await stage(t);
  const [ended] = await submitMany(staged, 'square', JOBS);
  await perform(t, staged, 'square');
  await truncated(staged);
  await staged.reprise.stopBroker(staged.reprise.brokers[0]!);
  await rename(staged.archive, `${staged.archive}.away`);
  await writeFile(staged.archive, 'no folder');
  await staged.reprise.startBroker();
  const [made] = await staged.client.submit([{ type: 'square', payload: { n: 1 } }], { wait: true });
  t.match(made, { status: 'completed' });
  await rm(staged.archive);
  await rename(`${staged.archive}.away`, staged.archive);
  await eventually(async () => {
    const seen = await staged.client.get({ jobId: ended! }).catch(() => undefined);
    return seen?.status === 'completed';
  });
  t.pass('what ended is found when the archive is back');
});
