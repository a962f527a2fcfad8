import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Partition } from '../../protocols/ids.js';
import { connectNats } from '../../streams/connect.js';
import { decodeCommit } from '../../streams/contents.js';
import { openJournal } from '../../streams/jetstream.js';
import { startServer } from '../../streams/server/start.js';
import { ensureTopology } from '../../streams/topology.js';
import { eventually, NAMESPACE as ns } from '../../tests/broker.js';
import { endedJobs } from '../../tests/ended-jobs.js';
import { ARCHIVE_POLICY, type FromArchiver, type RetentionOrder } from './messages.js';
import { Partitions } from './partitions.js';

const P0 = 0 as Partition;
const POLICY = { ...ARCHIVE_POLICY, segmentBytes: 5_000, intervalMs: 0, pollMs: 5, firstRetryMs: 5, lastRetryMs: 5 };

t.test('an order of retention does not outlive the term that it was given in', async (t) => {
  const parent = t.testdir();
  const blocked = join(parent, 'blocked');
  await writeFile(blocked, 'a file, so no folder can be made there');
  const { brokerUrl: url, stop } = await startServer({ dataDir: join(parent, 'data') });
  const nc = await connectNats({ url, name: 'test', reconnect: true });
  await ensureTopology(nc, ns, 1);
  await nc.close();
  const journal = await openJournal({ url, ns, partition: P0 });
  const { commits } = endedJobs(20);
  for (const [nth, bytes] of commits.entries()) await journal.append(bytes, nth);
  await journal.close();

  const reports: FromArchiver[] = [];
  const location = join(blocked, 'archive');
  const partitions = new Partitions({ kind: 'begin', url, ns, location, policy: POLICY }, (of) => void reports.push(of));
  t.teardown(async () => {
    partitions.follow(P0);
    await stop();
  });
  const reported = (kind: FromArchiver['kind']) => eventually(() => reports.some((each) => each.kind === kind), 20_000);
  const order: RetentionOrder = {
    journalId: decodeCommit(commits[0]!).journalId, cutSeq: commits.length, nowMs: Number.MAX_SAFE_INTEGER,
    settings: [{ queue: '', contentMs: 1 }],
  };

  partitions.lead(P0);
  partitions.retain(P0, order);
  await reported('failed');
  partitions.follow(P0);
  await rm(blocked);
  partitions.lead(P0);
  await reported('well');
  t.notOk(reports.some(({ kind }) => kind === 'retained'), 'meanwhile others led, and may have set longer times');
  partitions.retain(P0, order);
  await reported('retained');
});
