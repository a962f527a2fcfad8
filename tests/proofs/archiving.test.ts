/** Brokers archive what they lead, and everything that reads a journal reads on in the archive. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import t, { type Test } from 'tap';
import { verifyPartition, type KnownFrom } from '../../audit/partition.js';
import { verifyServer } from '../../audit/server.js';
import type { JobId, Partition } from '../../protocols/ids.js';
import { history } from '../../replay/history.js';
import { connectClient } from '../../sdk/client.js';
import { openArchive } from '../../streams/archive/archive.js';
import { ArchivePlace } from '../../streams/archive/behind.js';
import { openStore } from '../../streams/archive/location.js';
import { recordedLocation } from '../../streams/archive/recorded.js';
import { verifyArchive } from '../../streams/archive/verify.js';
import { connectNats } from '../../streams/connect.js';
import { openCheckpoints, openWitness, readKnown } from '../../streams/heads.js';
import { openJournal } from '../../streams/jetstream.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { ensureTopology } from '../../streams/topology.js';
import { openWholeJournal } from '../../streams/whole-journal.js';
import { endedJobs } from '../ended-jobs.js';
import { eventually, random, Reprise, type Options } from '../broker.js';

const ZERO = 0 as Partition;
/** A segment is written as soon as there is something to write. */
const SOON = { segmentBytes: 20_000, intervalMs: 0, pollMs: 20, firstRetryMs: 20, lastRetryMs: 50 };

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly code?: string;
  readonly waiting?: { readonly positions: number; readonly bytes: number };
}

async function stage(t: Test, options: Options = {}) {
  const parent = await mkdtemp(join(tmpdir(), 'reprise-archiving-'));
  const folder = join(parent, 'archive');
  const lines: Line[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as Line) });
  const reprise = await Reprise.start(t, { log, archive: folder, archivePolicy: SOON, ...options });
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: true });
  const journal = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: ZERO });
  t.teardown(async () => {
    await client.close();
    await nc.close();
    await journal.close();
    await rm(parent, { recursive: true, force: true });
  });
  /** Of jobs that were submitted and cancelled, some commits each. */
  const end = async (jobs: number): Promise<JobId[]> => {
    const ids: JobId[] = [];
    for (let n = 0; n < jobs; n += 1) {
      const [submitted] = await client.submit([{ type: 'x', payload: { n, text: 'x'.repeat(500) } }]);
      ids.push(submitted!.jobId as JobId);
      await client.cancel({ jobId: ids.at(-1)! }, { reason: `no ${n}` });
    }
    return ids;
  };
  const archivedSeq = (): number =>
    Math.max(0, ...reprise.brokers.map(({ archive }) => archive.archived(ZERO)?.()?.seq ?? 0));
  const isArchived = () => eventually(async () => archivedSeq() === (await journal.lastSeq()), 20_000);
  return { reprise, client, nc, journal, folder, lines, end, archivedSeq, isArchived, ns: reprise.ns };
}

type Staged = Awaited<ReturnType<typeof stage>>;

async function readKnownFrom(nc: Staged['nc'], ns: Staged['ns']): Promise<KnownFrom> {
  return { ...(await readKnown(openWitness(nc, ns), openCheckpoints(nc, ns), ZERO)), problems: [] };
}

async function findings(folder: string, ns: string): Promise<unknown[]> {
  const store = await openStore(folder);
  const archive = await openArchive(store, ns, ZERO);
  const found = [];
  for await (const each of verifyArchive(store, archive.journal)) if (each.kind === 'finding') found.push(each);
  return found;
}

async function typesOf({ reprise, ns }: Staged, id: JobId): Promise<string[]> {
  const types: string[] = [];
  for await (const { event } of history({ url: reprise.brokerUrl, ns }, id)) types.push(event.type);
  return types;
}

/** Every commit from the first one on. @returns how many */
async function readWhole({ reprise, ns }: Staged): Promise<number> {
  const whole = await openWholeJournal({ url: reprise.brokerUrl, ns, partition: ZERO });
  let count = 0;
  for await (const { seq } of whole.replay(1)) if (seq === count + 1) count += 1;
  await whole.close();
  return count;
}

t.test('given a truncated journal, then jobs, replay, audit and a take-over read through the archive', async (t) => {
  const staged = await stage(t);
  const { reprise, client, nc, journal, folder, ns, end, isArchived } = staged;
  const ids = await end(40);
  await isArchived();
  t.equal(await recordedLocation(nc, ns), folder, 'commands find it');
  const cut = await journal.lastSeq() - 3;
  await journal.truncate(cut);
  t.equal((await journal.end()).firstSeq, cut);
  t.strictSame(await typesOf(staged, ids[0]!), ['JobSubmitted', 'JobCancelled']);

  const [vouched] = await verifyServer(reprise.brokerUrl, ns);
  t.match(vouched, { ok: true, beginning: { seq: cut, vouchedBy: [/^the archive, to \d+$/], unchecked: [] } });
  t.equal(await readWhole(staged), await journal.lastSeq());

  // Without a snapshot and an index: the state is folded from the archive.
  const [broker] = reprise.brokers;
  await reprise.stopBroker(broker!);
  const snapshots = new SnapshotStore(new Objects(nc, ns));
  for (const { name } of await snapshots.list(ZERO)) await snapshots.remove(name);
  await reprise.startBroker();
  const view = await client.get({ jobId: ids[0]! });
  t.match(view, { status: 'cancelled', failure: { message: 'no 0' } });
  await end(1);
  await isArchived();
  t.strictSame(await findings(folder, ns), []);

  await rename(folder, `${folder}-away`);
  const [unvouched] = await verifyServer(reprise.brokerUrl, ns);
  const problem = /neither archive nor snapshot vouches.*there is no archive of it/;
  t.match(unvouched, { ok: false, position: 1, problem });
  await t.rejects(typesOf(staged, ids[0]!), { code: 'ARCHIVE_UNREACHABLE' });
  const [named] = await verifyServer(reprise.brokerUrl, ns, { archive: `${folder}-away` });
  t.match(named, { ok: true }, 'unless it is named');
  await rename(`${folder}-away`, folder);

  const name = readdirSync(folder, { recursive: true }).map(String).find((each) => each.includes('.facts.'))!;
  const path = join(folder, name);
  await writeFile(path, readFileSync(path).map((byte, at) => (at === 30 ? byte ^ 1 : byte)));
  const [damaged] = await verifyServer(reprise.brokerUrl, ns);
  t.match(damaged, { ok: false, problem: /the archive has a fault in/ });
});

t.test('given a journal that is truncated while it is verified, then it is whole all the same', async (t) => {
  const { reprise, nc, journal, folder, ns, end, isArchived } = await stage(t);
  await end(20);
  await isArchived();
  await journal.truncate(5);
  const lastSeq = await journal.lastSeq();
  class Truncating extends SnapshotStore {
    override async list(): ReturnType<SnapshotStore['list']> {
      await journal.truncate(lastSeq - 3);
      return [];
    }
  }
  const finding = await verifyPartition({
    url: reprise.brokerUrl, ns, partition: ZERO, known: await readKnownFrom(nc, ns),
    place: new ArchivePlace(ns, async () => folder), snapshots: new Truncating(new Objects(nc, ns)),
  });
  t.match(finding, { ok: true, problem: undefined, beginning: { seq: 5 } });
  t.equal(finding.commits, finding.head!.seq - 4);
});

t.test('given jobs that ended long ago and no index, then it is made again from the archive', async (t) => {
  const { ids, commits } = endedJobs(5_200);
  const staged = await stage(t, { brokers: 0 });
  const { reprise, client, nc, journal, ns, isArchived } = staged;
  await ensureTopology(nc, ns, 1);
  const written = await openJournal({ url: reprise.brokerUrl, ns, partition: ZERO });
  for (const [nth, bytes] of commits.entries()) await written.append(bytes, nth);
  await written.close();
  await reprise.startBroker();
  await isArchived();
  await reprise.stopBroker(reprise.brokers[0]!);
  await journal.truncate(await journal.lastSeq());
  await reprise.startBroker();
  for (const jobId of ids.slice(0, 3)) t.match(await client.get({ jobId }), { jobId, status: 'cancelled' });
});

t.test('given the archiver is killed again and again, then nothing is lost', async (t) => {
  const staged = await stage(t);
  const { reprise, journal, folder, ns, end, isArchived, archivedSeq } = staged;
  const draw = random(7);
  const kills: number[] = [];
  const killing = (async () => {
    for (let before = 0; kills.length < 5; kills.push(before)) {
      // It is at work; the moment is random.
      await eventually(() => archivedSeq() > before, 30_000);
      await new Promise((resolve) => setTimeout(resolve, 100 * draw()));
      before = archivedSeq();
      process.kill(reprise.brokers[0]!.archive.pid!, 'SIGKILL');
    }
  })();
  while (kills.length < 5) {
    await end(5);
    const seq = archivedSeq();
    if (seq > 0) await journal.truncate(seq);
  }
  await killing;
  await isArchived();
  t.strictSame(await findings(folder, ns), []);
  t.equal(await readWhole(staged), await journal.lastSeq());
  t.match((await verifyServer(reprise.brokerUrl, ns))[0], { ok: true });
});

t.test('given a dead store, then jobs go on, there is an alarm, and all is archived when it is back', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'reprise-dead-'));
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  const blocked = join(parent, 'blocked');
  await writeFile(blocked, 'a file');
  const staged = await stage(t, { archive: join(blocked, 'archive'), archivePolicy: { ...SOON, alarmMs: 500 } });
  const { lines, end, journal, isArchived, archivedSeq, ns, reprise } = staged;
  const ids = await end(20);
  t.equal(ids.length, 20);
  // The process may need longer than that to start, and nothing was heard of it before.
  const alarm = await eventually(() => lines.find(({ level, code }) => level === 50 && code === 'ARCHIVE_UNREACHABLE'));
  t.match(alarm, { msg: 'the journal is not archived' });
  t.ok(alarm.waiting!.positions >= 20);
  t.ok(alarm.waiting!.bytes > 20 * 500);
  t.equal(archivedSeq(), 0);
  await rm(blocked);
  await isArchived();
  await eventually(() => lines.some(({ msg }) => msg === 'the journal is archived again'));
  t.strictSame(await findings(join(blocked, 'archive'), ns), []);
  t.equal(archivedSeq(), await journal.lastSeq());
  t.match((await verifyServer(reprise.brokerUrl, ns))[0], { ok: true });
});

t.test('given two brokers, then the one that leads archives, and its successor goes on', async (t) => {
  const staged = await stage(t, { brokers: 2 });
  const { reprise, end, isArchived, folder, ns, journal } = staged;
  const leading = () => reprise.brokers.find(({ hosts }) => hosts[0]!.leader !== undefined);
  await end(10);
  await isArchived();
  const first = leading()!;
  const other = reprise.brokers.find((each) => each !== first)!;
  t.equal(other.archive.archived(ZERO)?.(), undefined);
  const pid = first.archive.pid!;
  await reprise.stopBroker(first);
  t.throws(() => process.kill(pid, 0), 'its archiver ended with it');
  await eventually(() => leading() === other);
  await end(10);
  await isArchived();
  t.strictSame(await findings(folder, ns), []);
  t.equal(await readWhole(staged), await journal.lastSeq());
});

const noProc = existsSync('/proc/self/task') ? false : 'there is no /proc';

t.test('the archiver has the lowest priority and ends when its broker is killed', { skip: noProc }, async (t) => {
  const { reprise, folder, ns } = await stage(t, { brokers: 0 });
  process.env['BROKER_ARCHIVE'] = folder;
  const broker = await reprise.startChild();
  delete process.env['BROKER_ARCHIVE'];
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: true });
  t.teardown(() => nc.close());
  t.equal(await recordedLocation(nc, ns), folder);
  const pid = Number(readFileSync(`/proc/${broker.pid}/task/${broker.pid}/children`, 'utf8').trim());
  t.ok(pid > 0);
  const niceOf = (thread: string): string | undefined =>
    readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16];
  await eventually(() => readdirSync(`/proc/${pid}/task`).every((thread) => niceOf(thread) === '19'));
  await broker.kill();
  await eventually(() => !existsSync(`/proc/${pid}`));
});
