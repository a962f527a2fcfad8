/** Retention on a real server: contents of ended jobs go from the archive, and everything that reads them agrees. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { verifyServer } from '../../audit/server.js';
import type { JobId, Partition } from '../../protocols/ids.js';
import { JournalArchive } from '../../projections/journal-archive.js';
import { history } from '../../replay/history.js';
import { connectClient } from '../../sdk/client.js';
import { setRetention } from '../../sdk/retention.js';
import { openArchive } from '../../streams/archive/archive.js';
import { openStore } from '../../streams/archive/location.js';
import { verifyArchive, type Verified } from '../../streams/archive/verify.js';
import { readCommit } from '../../streams/contents.js';
import { openJournal } from '../../streams/jetstream.js';
import { openWholeJournal } from '../../streams/whole-journal.js';
import { eventually, NAMESPACE as ns, Reprise } from '../broker.js';
import { run } from '../command/rig.js';

const P0 = 0 as Partition;
const SOON = {
  archivePolicy: { segmentBytes: 5_000, intervalMs: 0, pollMs: 20, firstRetryMs: 20, lastRetryMs: 50, retainMs: 30 },
  policies: {
    snapshotPolicy: { leastBytes: 5_000, times: 0, idleMs: 1, idleBytes: 1 },
    truncationPolicy: { margin: 2, least: 1, mostLag: 1_000_000, everyMs: 20 },
  },
};
const JOBS = 20;
const payloadOf = (n: number): object => ({ n, text: 'x'.repeat(200) });

async function verified(folder: string): Promise<{ removed: number; found: Verified[] }> {
  const store = await openStore(folder);
  const { journal } = await openArchive(store, ns, P0);
  let removed = 0;
  const found: Verified[] = [];
  for await (const each of verifyArchive(store, journal)) {
    if (each.kind === 'segment') removed += each.removed;
    else if (each.kind === 'finding') found.push(each);
  }
  return { removed, found };
}

t.test('given a retention that is over, then payloads and results go, and job, replay and audits agree', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'reprise-retention-'));
  const archive = join(parent, 'archive');
  const reprise = await Reprise.start(t, { ...SOON, archive });
  const client = await connectClient({ url: reprise.brokerUrl, namespace: ns, principal: 'anna' });
  const journal = await openJournal({ url: reprise.brokerUrl, ns, partition: P0 });
  t.teardown(async () => {
    await client.close();
    await journal.close();
    await rm(parent, { recursive: true, force: true });
  });
  const submit = async (queue: string, n: number): Promise<JobId> =>
    (await client.submit([{ type: 'x', queue, payload: payloadOf(n) }]))[0]!.jobId as JobId;
  const cancelled = async (queue: string, n: number): Promise<JobId> => {
    const jobId = await submit(queue, n);
    await client.cancel({ jobId }, { reason: `no ${n}` });
    return jobId;
  };
  /** Until everything that was there before is truncated. */
  const truncated = async (): Promise<void> => {
    const before = await journal.lastSeq();
    await eventually(async () => {
      await submit('more', 0);
      return (await journal.end()).firstSeq > before;
    }, 20_000);
  };

  const waiting = await submit('orders', 7);
  const ids: JobId[] = [];
  for (let n = 0; n < JOBS; n += 1) ids.push(await cancelled('orders', n));
  const others = [await cancelled('default', 1), await cancelled('invoices', 2)];
  await truncated();
  t.equal((await verified(archive)).removed, 0, 'nothing is removed without a setting');

  await setRetention(client, { queue: 'orders', contentMs: 1 });
  const gone = 2 * JOBS;
  await eventually(async () => (await verified(archive)).removed === gone, 20_000);
  await setRetention(client, { contentMs: 366 * 24 * 3_600_000 });
  await truncated();
  const { removed, found } = await verified(archive);
  t.strictSame([removed, found], [gone, []], 'payload and reason of each, and no finding');

  for (const jobId of others) t.match(await client.get({ jobId }), { failure: { message: /^no / } });
  t.match(await client.get({ jobId: waiting }), { status: 'ready' });
  const types: string[] = [];
  for await (const { event } of history({ url: reprise.brokerUrl, ns }, ids[3]!)) types.push(event.type);
  t.strictSame(types, ['JobSubmitted', 'JobCancelled']);
  const replay = ['replay', ids[3]!, '--nats', reprise.brokerUrl, '--namespace', ns];
  t.match(await run(replay, { cwd: parent }), { code: 0, stdout: /JobCancelled/ });
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  t.match(finding, { ok: true, problem: undefined });
  t.match(await run(['archive', 'verify', '--archive', archive, '--namespace', ns], { cwd: parent }), { code: 0 });

  // A broker that starts goes on from snapshot and archive, with the job that waits.
  await reprise.stopBroker(reprise.brokers[0]!);
  await reprise.startBroker();
  t.match(await client.cancel({ jobId: waiting }, { reason: 'late' }), { status: 'cancelled' });

  // As job.get reads a job that has left the leader's state, some minutes after its end.
  const { firstSeq, lastSeq } = await client.get({ jobId: ids[3]! });
  const whole = await openWholeJournal({ url: reprise.brokerUrl, ns, partition: P0 });
  const read = async (seq: number) => readCommit((await whole.read(seq))!.bytes);
  const entry = { status: 'cancelled', firstSeq, lastSeq } as const;
  const left = await new JournalArchive({ find: async () => entry }, read).find(ids[3]!);
  await whole.close();
  t.match(left, { id: ids[3]!, status: 'cancelled', queue: 'orders', failure: { code: 'CANCELLED', message: '' } });
});
