/**
 * A crash at every operation of a backup and between any two writes of a restore. What is left is never taken for
 * whole, and the same command again makes it whole. The result is read with another client and own hashes.
 */
import { createHash, hash } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import protobuf from 'protobufjs';
import t, { type Test } from 'tap';
import { streamFindings } from '../../bin/doctor/streams.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { journal, outbox } from '../../protocols/messages.js';
import { openArchive } from '../../streams/archive/archive.js';
import { CrashingStore, MemoryStore } from '../../streams/archive/conformance/stores.js';
import { recordedLocation } from '../../streams/archive/recorded.js';
import { backUp, type BackupOptions } from '../../streams/backup/backup.js';
import { backupsOf } from '../../streams/backup/manifest.js';
import { encodeCommit, encodeEvents, headerAfter } from '../../streams/commit.js';
import { headOf, type Head } from '../../streams/chain.js';
import { connectNats } from '../../streams/connect.js';
import { openJournal } from '../../streams/jetstream.js';
import { startServer } from '../../streams/server/start.js';
import type { StatePart } from '../../streams/snapshots/blocks.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { ensureTopology } from '../../streams/topology.js';
import { restore, type RestoreOptions } from '../../streams/restore/restore.js';

const PARTITIONS = 2;
const IDS = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'];
const SOURCE = 'source' as Namespace;

const server = await startServer({ dataDir: t.testdir() });
const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: true });
const { username: user, password: pass, host } = new URL(server.brokerUrl);
const stranger = await connect({ servers: host, user, pass });
t.teardown(async () => {
  await stranger.close();
  await nc.close();
  await server.stop();
});

const eventOf = (n: number, type: string, body: Uint8Array): Uint8Array =>
  journal.Event.encode({ kind: 'partition', id: String(n), type, version: 1, body }).finish();

/** One partition's journal, of commits with one event each; `gap`: a message that is not ours is before the commit. */
async function append(n: number, events: readonly { type: string; body: Uint8Array; gap?: true }[], from?: Head) {
  const opened = await openJournal({ url: server.brokerUrl, ns: SOURCE, partition: n as Partition });
  let head = from;
  let last = (await opened.end()).lastSeq;
  for (const { type, body, gap } of events) {
    if (gap) await opened.append(Buffer.from('foreign'), last++);
    const before: Head = head ?? {
      journalId: IDS[n]!, partition: n as Partition, seq: 0, hash: new Uint8Array(0), epoch: 1, nowMs: 1, minReader: 0,
    };
    const header = headerAfter(before, { leaderId: 'leader', epoch: 1 }, before.nowMs + 1);
    const bytes = encodeCommit(header, encodeEvents([eventOf(n, type, body)]));
    await opened.append(bytes, last++);
    head = headOf(header, n as Partition, last, bytes);
  }
  await opened.close();
  return head!;
}

const started = (nth: number) =>
  ({ type: 'LeaderStarted', body: journal.LeaderStarted.encode({ status: 'led', epoch: nth }).finish() });
const sent = (seq: number) =>
  ({ type: 'CommandSent', body: outbox.CommandSent.encode({ to: 1, seq, command: 'x' }).finish() });
const received = (seq: number) =>
  ({ type: 'CommandReceived', body: outbox.CommandReceived.encode({ origin: IDS[0]!, from: 0, seq }).finish() });

/** Of a state that is just a text. */
async function takeSnapshot({ hash: of, ...head }: Head): Promise<void> {
  const bytes = Buffer.from('a state');
  const part: StatePart = { name: 'all', bytes: () => bytes, hash: () => hash('sha256', bytes, 'buffer') };
  await new SnapshotStore(new Objects(nc, SOURCE)).write({
    ...head, version: 1, hash: Buffer.from(of).toString('hex'), stateHash: stateHash([part]).toString('hex'), parts: 1,
    events: {}, release: 'test', takenMs: 1,
  }, [part]);
}

const stateHash = (parts: readonly StatePart[]): Buffer =>
  hash('sha256', Buffer.concat(parts.flatMap((part) => [Buffer.from(`${part.name}\n`), part.hash()])), 'buffer');

async function makeSource(): Promise<readonly Head[]> {
  await ensureTopology(nc, SOURCE, PARTITIONS);
  const zero = await append(0, [started(1), sent(1), { ...started(2), gap: true }, sent(2)]);
  const one = await append(1, [started(1), received(1), started(2), received(2), started(3)]);
  await takeSnapshot(zero);
  snapshotSeq = zero.seq;
  return [await append(0, [started(3)], zero), one];
}

interface Seen {
  readonly seq: number;
  readonly hash: string;
  readonly prevHash: string;
}

/** Of all positions of a journal; foreign messages are left out. */
async function seen(client: NatsConnection, ns: string, n: number): Promise<Seen[]> {
  const jsm = await client.jetstreamManager();
  const stream = `REPRISE_${ns}_JOURNAL_${n}`;
  const { state } = await jsm.streams.info(stream);
  const all: Seen[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const data = Buffer.from((await jsm.streams.getMessage(stream, { seq })).data);
    const prevHash = fieldOf(data, 7);
    if (prevHash === undefined && all.length > 0) continue;
    all.push({ seq, hash: createHash('sha256').update(data).digest('hex'), prevHash: prevHash?.toString('hex') ?? '' });
  }
  return all;
}

/** A field of bytes. These commits have no contents, so all of their bytes are hashed. */
function fieldOf(bytes: Buffer, wanted: number): Buffer | undefined {
  const reader = protobuf.Reader.create(bytes);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === wanted) return Buffer.from(reader.bytes());
      reader.skipType(tag & 7);
    }
  } catch {
    // It is no message of protobuf.
  }
  return undefined;
}

async function check(t: Test, ns: string, originals: readonly Seen[][]): Promise<void> {
  for (const [n, original] of originals.entries()) {
    const copy = await seen(stranger, ns, n);
    const pairs = (all: readonly Seen[]): string => JSON.stringify(all.map(({ seq, hash }) => [seq, hash]));
    const wanted = original.filter(({ seq }) => seq >= copy[0]!.seq);
    if (pairs(copy.slice(0, -1)) !== pairs(wanted)) t.fail(`partition ${n} of ${ns} has other commits`);
    const broken = copy.findIndex(({ prevHash }, nth) => nth > 0 && prevHash !== copy[nth - 1]!.hash);
    if (broken >= 0) t.fail(`the chain of ${ns} is broken at ${copy[broken]!.seq}`);
  }
}

const backupOptions = (store: BackupOptions['store']): BackupOptions =>
  ({ url: server.brokerUrl, namespace: SOURCE, store, release: 'test', nowMs: () => 1_000, withKeys: true });

let snapshotSeq = 0;
let heads = await makeSource();
const originals = (): Promise<Seen[][]> => Promise.all([0, 1].map((n) => seen(stranger, SOURCE, n)));

/** The most operations that a crash is tried at; a run has fewer. */
const MOST = 200;

t.test('backup: given a crash at any operation, then there is no backup, or the one before, and it can be repeated', async (t) => {
  const whole = new MemoryStore();
  await backUp(backupOptions(whole));
  let crashes = 0;
  for (let at = 1; at < MOST; at += 1) {
    const store = new MemoryStore();
    const isWhole = await backUp(backupOptions(new CrashingStore(store, at, true))).then(() => true, () => false);
    if (isWhole) break;
    crashes += 1;
    const written = await backupsOf(store, SOURCE);
    const again = await backUp(backupOptions(store));
    t.equal(again.number, written.length + 1, `crash ${at}`);
    t.strictSame(again.partitions.map(({ head }) => head?.seq), heads.map(({ seq }) => seq));
    const segments = (of: MemoryStore) => [...of.objects.keys()].filter((name) => name.startsWith(`${SOURCE}/`));
    t.strictSame(segments(store).sort(), segments(whole).sort(), 'and nothing else is left');
  }
  t.ok(crashes > 20 && crashes < MOST - 1, `${crashes} crashes`);
});

t.test('backup: goes on where it was, also after a crash of the second one', async (t) => {
  const store = new MemoryStore();
  await backUp(backupOptions(store));
  const before = new Map(store.objects);
  heads = [await append(0, [started(3), sent(3)], heads[0]), await append(1, [received(3)], heads[1])];
  for (let at = 1; at < MOST; at += 1) {
    store.objects.clear();
    for (const [name, bytes] of before) store.objects.set(name, bytes);
    const isWhole = await backUp(backupOptions(new CrashingStore(store, at, true))).then(() => true, () => false);
    if (isWhole) break;
    const again = await backUp(backupOptions(store));
    t.strictSame(again.partitions.map(({ head }) => head?.seq), heads.map(({ seq }) => seq), `crash ${at}`);
  }
  const { partitions } = await backUp(backupOptions(store));
  t.match(partitions, [{ outbox: { sent: { 1: 3 } } }, { outbox: { received: { 0: 3 } } }]);
});

t.test('restore: given an older backup whose manifest was damaged, then the newest one is restored', async (t) => {
  const store = new MemoryStore();
  await backUp(backupOptions(store));
  await backUp(backupOptions(store));
  const [older] = await backupsOf(store, SOURCE);
  store.objects.set(older!, Buffer.from('{}'));
  const warnings: string[] = [];
  const restored = await restore({
    url: server.brokerUrl, namespace: 'newest' as Namespace, from: SOURCE, store, to: { kind: 'backup' }, isFull: false,
    reason: 'test', release: 'test', nowMs: () => Date.now(), warn: (message) => void warnings.push(message),
  });
  t.match(restored, { backup: 2, partitions: [{ snapshotSeq }, {}] });
  t.match(warnings, [older!]);
  await check(t, 'newest', await originals());
  const clocks = async (ns: string) => (await streamFindings(nc, ns as Namespace)).findings.filter(({ what, level }) =>
    what === 'clock' && level === 'warn');
  t.ok((await clocks(SOURCE)).length > 0, 'the time of these journals is long ago');
  t.strictSame(await clocks('newest'), [], 'after a restore this is no sign of a wrong clock');
});

t.test('restore: given a time before all commits, then it is refused, and nothing is made', async (t) => {
  const store = new MemoryStore();
  await backUp(backupOptions(store));
  const ns = 'early' as Namespace;
  await t.rejects(restore({
    url: server.brokerUrl, namespace: ns, from: SOURCE, store, to: { kind: 'time', nowMs: 1 }, isFull: true,
    reason: 'test', release: 'test', nowMs: () => Date.now(),
  }), { code: 'INVALID_ARGUMENT', message: /no commit up to 1970-01-01T00:00:00.001Z/ });
  await t.rejects(ensureTopology(nc, ns, PARTITIONS, { look: true }), { code: 'STREAM_MISMATCH' });
});

t.test('restore: given a crash before any write, then no broker may lead, and it goes on or begins again', async (t) => {
  const store = new MemoryStore();
  await backUp(backupOptions(store));
  const wanted = await originals();
  let copies = 0;
  const options = (ns: string, isFull: boolean, crashAt: number): RestoreOptions => {
    let writes = 0;
    return {
      url: server.brokerUrl, namespace: ns as Namespace, from: SOURCE, store, to: { kind: 'backup' }, isFull,
      reason: 'test', release: 'test', nowMs: () => Date.now(),
      writing: (what) => {
        if ((writes += 1) >= crashAt) throw new Error(`crash before ${what}`);
      },
    };
  };
  for (const isFull of [true, false]) {
    const startOver = !isFull;
    let crashes = 0;
    for (let at = 1; at < MOST; at += 1) {
      const ns = `copy-${(copies += 1)}`;
      const isWhole = await restore(options(ns, isFull, at)).then(() => true, () => false);
      if (isWhole) {
        await check(t, ns, wanted);
        break;
      }
      crashes += 1;
      if (at > 1) {
        await t.rejects(ensureTopology(nc, ns as Namespace, PARTITIONS), { code: 'RESTORE_UNFINISHED' }, `crash ${at}`);
      }
      if (startOver) await restore({ ...options(ns, isFull, at + 1), startOver }).catch(() => undefined);
      const isMade = await ensureTopology(nc, ns as Namespace, PARTITIONS, { look: true }).then(() => true, () => false);
      if (!isMade) await restore({ ...options(ns, isFull, Infinity), startOver });
      await ensureTopology(nc, ns as Namespace, PARTITIONS);
      await check(t, ns, wanted);
      if (!isFull) {
        t.equal((await seen(stranger, ns, 0))[0]!.seq, snapshotSeq, 'the stream begins at the snapshot');
        t.equal((await openArchive(store, ns, 0 as Partition)).head?.seq, heads[0]!.seq, 'the archive has the rest');
        const [snapshot] = await new SnapshotStore(new Objects(nc, ns as Namespace)).list(0 as Partition);
        t.match(snapshot, { seq: snapshotSeq, isVerified: true });
        t.equal(await recordedLocation(nc, ns as Namespace), store.location, 'commands find the archive');
      }
      const stream = `REPRISE_${ns}_JOURNAL_`;
      for (const n of [0, 1]) await (await stranger.jetstreamManager()).streams.delete(`${stream}${n}`);
    }
    t.ok(crashes > 15 && crashes < MOST - 1, `${crashes} crashes${isFull ? '' : ', from the snapshot on'}`);
  }
});
