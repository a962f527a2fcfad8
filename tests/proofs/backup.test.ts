import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nats';
import protobuf from 'protobufjs';
import t, { type Test } from 'tap';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { dataIn, run, startDev, until, type Ran } from '../command/rig.js';
import { loadProtocols } from '../stranger.js';

const PARTITIONS = 2;
/** One on each of the two partitions. */
const QUEUES = ['default', 'mail', 'other', 'batch', 'x', 'y'];

/** The output of `backup --json`. */
interface BackedUp {
  readonly number: number;
  readonly partitions: readonly { readonly partition: number; readonly seq: number; readonly hash: string }[];
}

/** What is in a journal, as one who has the .proto files and the classic client reads it. */
interface Read {
  readonly seqs: readonly number[];
  readonly hashes: readonly string[];
  readonly types: readonly string[];
  readonly nowMs: readonly number[];
}

/** Where the first field 11 begins: the contents come last, and everything before them is hashed. */
function contentsAt(bytes: Uint8Array): number {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const tag = reader.uint32();
    if (tag >>> 3 === 11) return at;
    reader.skipType(tag & 7);
  }
  return bytes.length;
}

/** Checks the chain by its own SHA-256 over the bytes of fields 1 to 10. */
async function readJournal(t: Test, server: { readonly brokerUrl: string }, ns: string, n: number): Promise<Read> {
  const { username: user, password: pass, host } = new URL(server.brokerUrl);
  const [nc, root] = [await connect({ servers: host, user, pass }), await loadProtocols()];
  const Commit = root.lookupType('reprise.journal.v1.Commit');
  const jsm = await nc.jetstreamManager();
  const stream = `REPRISE_${ns}_JOURNAL_${n}`;
  const { state } = await jsm.streams.info(stream);
  const read = { seqs: [] as number[], hashes: [] as string[], types: [] as string[], nowMs: [] as number[] };
  const seqs = Array.from({ length: state.messages }, (_, nth) => state.first_seq + nth);
  const messages = await Promise.all(seqs.map((seq) => jsm.streams.getMessage(stream, { seq })));
  for (const { seq, data: stored } of messages) {
    const data = Buffer.from(stored);
    const commit = Commit.toObject(Commit.decode(data), { longs: Number, defaults: true, bytes: Buffer }) as {
      version: number; prevSeq: number; prevHash: Buffer; nowMs: number;
      events: { type: string }[];
    };
    const hashed = commit.version === 1 ? data : data.subarray(0, contentsAt(data));
    const isNext = commit.prevHash.toString('hex') === read.hashes.at(-1) && commit.prevSeq === read.seqs.at(-1);
    if (read.hashes.length > 0 && !isNext) t.fail(`the chain is broken at ${seq}`);
    read.seqs.push(seq);
    read.hashes.push(createHash('sha256').update(hashed).digest('hex'));
    read.types.push(...commit.events.map(({ type }) => type));
    read.nowMs.push(commit.nowMs);
  }
  await nc.close();
  return read;
}

async function emptyServer(t: Test, dataDir = t.testdir()): Promise<RunningServer> {
  const server = await startServer({ dataDir });
  t.teardown(() => server.stop());
  return server;
}

const restored = (server: RunningServer, cwd: string, ...args: string[]): Promise<Ran> =>
  run(['restore', ...args, '--nats', server.brokerUrl, '--json'], { cwd });

t.test('a namespace is backed up while jobs go on, and restored on an empty server', async (t) => {
  const dev = await startDev(t, ['--partitions', String(PARTITIONS)]);
  const client = await dev.client();
  const submit = async (n: number, more: object = {}) =>
    (await client.submit([{ type: 'square', queue: QUEUES[n % QUEUES.length]!, payload: { n }, ...more }]))[0]!;
  const perform = async (n: number) =>
    (await client.submit([{ type: 'square', queue: QUEUES[n % QUEUES.length]!, payload: { n } }], { wait: true }))[0]!;
  const ended = await Promise.all(Array.from({ length: 24 }, (_, n) => perform(n)));
  const delayed = await submit(1, { delayMs: 3_600_000 });
  const soon = await submit(2, { delayMs: 5_000 });
  const [running] = await client.submit([{ type: 'sleep', payload: { ms: 60_000 }, queue: 'mail', timeouts: { heartbeatMs: 5_000 } }]);
  await until('it runs', async () => (await client.get({ jobId: running!.jobId })).status === 'running');
  t.equal((await dev.run('queues', 'pause', 'batch', '--reason', 'test')).code, 0);

  const backedUp = new AbortController();
  const going = (async () => {
    for (let n = 0; !backedUp.signal.aborted; n += 1) {
      if (n % QUEUES.length !== 3) await perform(n);
      await sleep(20);
    }
  })();
  const first = await dev.run('backup', 'backup', '--json');
  t.equal(first.code, 0, first.stderr);
  const second = await dev.run('backup', 'backup');
  t.equal(second.code, 0, second.stderr);
  t.match(second.stdout, /^backup 2 of default in .*\n  partition 0: up to position \d+, hash [0-9a-f]{16}\n  partition 1/);
  const third = await dev.run('backup', 'backup', '--json');
  backedUp.abort();
  await going;
  const backup = JSON.parse(third.stdout) as BackedUp;
  t.equal(backup.number, 3);
  const originals = await Promise.all([0, 1].map((n) => readJournal(t, dev, 'default', n)));
  const location = join(dev.cwd, 'backup');
  await dev.stop();

  await t.test('under the same name', async (t) => {
    const cwd = realpathSync(t.testdir());
    mkdirSync(dataIn(cwd), { recursive: true });
    const server = await emptyServer(t, dataIn(cwd));
    const ran = await restored(server, cwd, location, '--full', '--reason', 'drill');
    t.equal(ran.code, 0, ran.stderr);
    for (const { partition, seq, hash } of backup.partitions) {
      const read = await readJournal(t, server, 'default', partition);
      const until = originals[partition]!.seqs.indexOf(seq);
      t.strictSame(read.hashes.slice(0, -1), originals[partition]!.hashes.slice(0, until + 1), 'the same commits');
      t.equal(read.hashes.at(-2), hash);
      t.equal(read.types.at(-1), 'JournalRestored');
    }
    const again = await restored(server, cwd, location, '--full');
    t.equal(again.code, 1);
    t.match(JSON.parse(again.stdout), { error: { code: 'NAMESPACE_EXISTS' } });
    const audit = await run(['audit', 'verify', '--nats', server.brokerUrl], { cwd });
    t.equal(audit.code, 0, audit.stdout);
    await server.stop();
    await goesOn(t, cwd);
  });

  async function goesOn(t: Test, cwd: string): Promise<void> {
    const next = await startDev(t, ['--partitions', String(PARTITIONS)], cwd);
    const restoredClient = await next.client();
    const statuses = await Promise.all(ended.map(async ({ jobId }) => (await restoredClient.get({ jobId })).status));
    t.strictSame(new Set(statuses), new Set(['completed']), 'ended jobs can be looked at');
    t.equal((await restoredClient.get({ jobId: delayed.jobId })).status, 'scheduled');
    await until('a delayed job runs when it is due', async () =>
      (await restoredClient.get({ jobId: soon.jobId })).status === 'completed', 40_000);
    await until('the lease of the lost worker ends, and the job runs again', async () => {
      const { status, attempt } = await restoredClient.get({ jobId: running!.jobId });
      return status === 'running' && attempt === 2;
    }, 60_000);
    t.match((await next.run('queues', 'show', 'batch')).stdout, /paused/i);
    const [fresh] = await restoredClient.submit([{ type: 'square', payload: { n: 12 } }], { wait: true });
    t.equal(fresh!.status, 'completed');
    const fourth = await next.run('backup', location, '--json');
    t.equal(fourth.code, 0, 'the restored namespace goes on where the backup ends, and so do its backups');
    t.match(JSON.parse(fourth.stdout), { number: 4 });
    await next.stop();
  }

  await t.test('to positions and times', async (t) => {
    const server = await emptyServer(t);
    const cwd = t.testdirName;
    const [zero] = originals;
    const middle = Math.floor(zero!.seqs.length / 2);
    const ran = await restored(server, cwd, location, '--to', `0:${zero!.seqs[middle]}`, '--full', '--namespace', 'one');
    t.equal(ran.code, 0, ran.stderr);
    const read = await readJournal(t, server, 'one', 0);
    t.strictSame(read.hashes.slice(0, -1), zero!.hashes.slice(0, middle + 1));

    const time = new Date(zero!.nowMs[middle]!).toISOString();
    const byTime = await restored(server, cwd, location, '--to', time, '--full', '--namespace', 'two');
    t.equal(byTime.code, 0, byTime.stderr);
    for (const n of [0, 1]) {
      const { hashes } = await readJournal(t, server, 'two', n);
      const wanted = originals[n]!.hashes.filter((_, nth) => originals[n]!.nowMs[nth]! <= zero!.nowMs[middle]!);
      t.strictSame(hashes.slice(0, -1), wanted);
    }
    const audit = await run(['audit', 'verify', '--nats', server.brokerUrl, '--namespace', 'two'], { cwd });
    t.equal(audit.code, 0, audit.stdout);
    const other = await emptyServer(t);
    t.equal((await restored(other, cwd, location, '--to', time, '--full')).code, 0);
    const refused = await run(['backup', location, '--nats', other.brokerUrl, '--json'], { cwd });
    t.equal(refused.code, 1, 'where another history goes on, this one cannot');
    t.match(JSON.parse(refused.stdout), { error: { code: 'JOURNAL_REGRESSED', hint: /another location/ } });

    const beyond = await restored(server, cwd, location, '--to', '0:999999', '--namespace', 'three');
    t.match(JSON.parse(beyond.stdout), { error: { code: 'INVALID_ARGUMENT', message: /999999/ } });
    const wrong = await restored(server, cwd, location, '--to', 'yesterday');
    t.equal(wrong.code, 2);
    const nothing = await restored(server, cwd, join(cwd, 'nothing'));
    t.match(JSON.parse(nothing.stdout), { error: { code: 'NOT_FOUND' } });
  });
});
