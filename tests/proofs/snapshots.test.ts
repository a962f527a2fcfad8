/** Snapshots from outside: asked for in JSON, in protobuf, by the client and by the command, looked at and verified. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import t from 'tap';
import { z } from 'zod';
import { KINDS } from '../../actors/kinds.js';
import { verifySnapshots } from '../../audit/snapshots.js';
import type { Partition } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import { takeSnapshots } from '../../sdk/snapshots.js';
import { connectNats } from '../../streams/connect.js';
import { openJournal } from '../../streams/jetstream.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { queuesOf, Reprise } from '../broker.js';
import { run, type Ran } from '../command/rig.js';
import { Stranger } from '../stranger.js';

const HASH = z.string().regex(/^[0-9a-f]{64}$/);
const TAKEN = z.strictObject({
  partition: z.int(), name: z.string(), seq: z.int().min(1), hash: HASH, stateHash: HASH, bytes: z.int().min(1),
  takenMs: z.int().min(1),
});
const LISTED = TAKEN.extend({
  journalId: z.string().length(16), epoch: z.int().min(1), parts: z.int().min(1), release: z.string(),
  verified: z.boolean(),
});
const VERIFIED = LISTED.extend({
  ok: z.boolean(), problem: z.string().optional(), commit: z.enum(['there', 'truncated']).optional(),
  fold: z.enum(['same', 'base']).optional(),
});

/** The command as the user of brokers. */
const asBroker = ({ brokerUrl, ns }: Reprise, cwd: string) => (...args: string[]): Promise<Ran> =>
  run(['snapshots', ...args, '--nats', brokerUrl, '--namespace', ns], { cwd });

const jsonOf = <T>(schema: z.ZodType<T>, { stdout }: Ran): T => schema.parse(JSON.parse(stdout));

t.test('taken from outside: JSON, protobuf, client; of all partitions, and of some; at 2 brokers', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  for (const queue of queuesOf(3)) await stranger.json('job.submit', { type: 'x', queue });
  const { code, body } = await stranger.json('snapshot.take', {});
  t.equal(code, '');
  const all = z.strictObject({ snapshots: z.array(TAKEN) }).parse(body).snapshots;
  t.strictSame(all.map(({ partition }) => partition), [0, 1, 2]);
  const { snapshots } = z.strictObject({ snapshots: z.array(TAKEN) })
    .parse((await stranger.json('snapshot.take', { partitions: [2, 0] })).body);
  t.strictSame(snapshots.map(({ partition }) => partition), [2, 0], 'in the order of the request');
  t.equal(snapshots[0]!.stateHash, all[2]!.stateHash, 'nothing changed since');
  const proto = (await stranger.proto('snapshot.take', { partitions: [1] })).body['snapshots'];
  t.match(proto, [{ partition: 1, seq: all[1]!.seq, error: null }]);

  const client = await connectClient({ url: reprise.brokerUrl, namespace: reprise.ns });
  t.teardown(() => client.close());
  const taken = await takeSnapshots(client);
  t.match(taken, [0, 1, 2].map((partition) => ({ partition, hash: all[partition]!.hash, error: undefined })));
  await t.rejects(takeSnapshots(client, [1.5]), { code: 'INVALID_ARGUMENT' });
  await t.rejects(takeSnapshots(client, [3]), { code: 'WRONG_PARTITION' });

  const table = [
    [{ partitions: [3] }, 'WRONG_PARTITION'], [{ partitions: [1, 1] }, 'INVALID_ARGUMENT'],
    [{ partitions: 1 }, 'INVALID_ARGUMENT'], [{ partitions: [-1] }, 'INVALID_ARGUMENT'],
    [{ all: true }, 'INVALID_ARGUMENT'],
  ] as const;
  for (const [bad, expected] of table) {
    t.equal((await stranger.json('snapshot.take', bad)).code, expected, JSON.stringify(bad));
  }
});

t.test('an ordinary user may neither ask for one nor look', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns, giveUpMs: 100 });
  t.teardown(() => client.close());
  await t.rejects(takeSnapshots(client), { code: 'PERMISSION_DENIED', hint: /nats:\/\/broker:/ });
  for (const verb of ['ls', 'take', 'verify']) {
    const where = ['--nats', reprise.url, '--namespace', reprise.ns];
    const { code, stderr, stdout } = await run(['snapshots', verb, ...where, '--json'], { cwd: t.testdir() });
    t.equal(code, 1, verb);
    t.match(stderr, /PERMISSION_DENIED[^]*nats:\/\/broker:/, verb);
    t.match(JSON.parse(stdout), { error: { code: 'PERMISSION_DENIED' } }, verb);
  }
});

t.test('the command: nothing yet, taken, listed, verified, folded; a broken one is found', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2 });
  const snapshots = asBroker(reprise, t.testdir());
  const none = await snapshots('ls');
  t.match(none, { code: 0, stdout: '', stderr: /no snapshot yet.*reprise snapshots take/ });
  t.strictSame(JSON.parse((await snapshots('ls', '--json')).stdout), { snapshots: [] });
  t.match(await snapshots('verify'), { code: 0, stderr: /no snapshot yet/ });

  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const work = async (): Promise<void> => {
    for (const queue of queuesOf(2)) await stranger.json('job.submit', { type: 'x', queue, payload: 'x'.repeat(300) });
  };
  await work();
  const taken = await snapshots('take');
  t.equal(taken.code, 0, taken.stderr);
  t.match(taken.stdout, /^ok {2}partition [01]: position \d+, [\d.]+ k?B, verified\n/);
  t.notMatch(taken.stdout, '\u001b', 'no colour without a terminal');
  await work();
  const again = TAKEN.extend({ verified: z.literal(true) });
  const second = jsonOf(
    z.strictObject({ ok: z.literal(true), snapshots: z.array(again) }), await snapshots('take', '--json'),
  );
  t.equal(second.snapshots.length, 2);
  await work();
  t.equal((await snapshots('take', '--partition', '1', '--json')).code, 0);

  const listed = jsonOf(z.strictObject({ snapshots: z.array(LISTED) }), await snapshots('ls', '--json')).snapshots;
  t.strictSame(listed.map(({ partition }) => partition), [0, 0, 1, 1, 1]);
  t.ok(listed.every(({ verified, release }) => verified && release === '0.0.0'));
  const { stdout } = await snapshots('ls');
  t.match(stdout, /^partition +position +age +size +parts +release +verified\n/);
  t.match(stdout, /\n0 +\d+ +\d+m?s +[\d.]+ k?B +\d+ +0\.0\.0 +yes\n/);

  const whole = await snapshots('verify', '--fold');
  t.equal(whole.code, 0, whole.stderr);
  const folded = whole.stdout.match(/^ok .*its commit is in the journal, folding on gives the same hash$/gm);
  t.equal(folded?.length, 5, whole.stdout);
  const Verified = z.strictObject({ ok: z.boolean(), snapshots: z.array(VERIFIED) });
  const unfolded = jsonOf(Verified, await snapshots('verify', '--json')).snapshots;
  t.ok(unfolded.every(({ ok, commit, fold }) => ok && commit === 'there' && fold === undefined));

  await breakSnapshot(reprise, listed[3]!.name);
  const broken = await snapshots('verify', '--fold', '--json');
  t.equal(broken.code, 1);
  const found = jsonOf(Verified, broken);
  t.equal(found.ok, false);
  t.strictSame(found.snapshots.map(({ ok }) => ok), [true, true, true, false, true]);
  t.match(found.snapshots[3]!.problem, /cannot be used/);
  const folds = found.snapshots.map(({ fold }) => fold);
  t.strictSame(folds, ['same', 'same', 'same', undefined, 'same'], 'the others are folded past it');
  const text = await snapshots('verify');
  t.match(text, { code: 1, stdout: /^bad {3}partition 1: .*cannot be used/m });
  t.match(text.stderr, /hint: .*audit verify.*snapshots take/);
});

/** As somebody with the password of the brokers may: other bytes in the chunks of an object. */
async function breakSnapshot({ brokerUrl, ns }: Reprise, name: string): Promise<void> {
  const nc = await connectNats({ url: brokerUrl, name: 'test', reconnect: false });
  const bucket = `REPRISE_${ns}_SNAPSHOTS`;
  const info = await (await new Objm(jetstream(nc)).open(bucket, false)).info(name);
  const subject = `$O.${bucket}.C.${info!.nuid}`;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  await jsm.streams.purge(`OBJ_${bucket}`, { filter: subject });
  await jetstream(nc).publish(subject, Buffer.from('garbage'));
  await nc.close();
}

t.test('a journal that lacks the commit of a snapshot, or has another one there', async (t) => {
  const reprise = await Reprise.start(t);
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const snapshots = asBroker(reprise, t.testdir());
  for (let n = 0; n < 3; n += 1) {
    await stranger.json('job.submit', { type: 'x' });
    await snapshots('take');
  }
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: false });
  t.teardown(() => nc.close());
  const partition = 0 as Partition;
  const journal = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition });
  t.teardown(() => journal.close());
  const real = new SnapshotStore(new Objects(nc, reprise.ns));
  const verify = (change: (each: Awaited<ReturnType<SnapshotStore['list']>>[number]) => object) => {
    const store = {
      list: async (of: Partition) => (await real.list(of)).map((each) => ({ ...each, ...change(each) })),
      read: real.read.bind(real), verify: real.verify.bind(real),
    };
    return verifySnapshots({ store, journal, kinds: KINDS, onProgress: () => undefined });
  };
  t.match(await verify(() => ({})), [{ fold: 'same' }, { fold: 'same' }, { fold: 'same' }]);
  t.match(await verify(() => ({ hash: '0'.repeat(64) })), [{ problem: /another commit/ }, {}, {}]);
  t.match(await verify(({ seq }) => ({ seq: seq + 1_000 })), [{ problem: /ends at \d+, before the snapshot/ }, {}, {}]);
  const unmarked = await verify(() => ({ isVerified: false }));
  t.ok(unmarked.every((each) => Object.keys(each).join() === 'snapshot'), 'what does not count is no finding');
  const newer = await verify(() => ({ version: 99 }));
  const compared = [{ commit: 'there', fold: undefined, problem: undefined }, {}, {}];
  t.match(newer, compared, 'of a newer release: compared, but not folded');

  const [newest, , oldest] = await real.list(partition);
  await journal.truncate(oldest!.seq + 1);
  const base = { fold: 'base', commit: 'truncated' };
  t.match(await verify(() => ({})), [{ fold: 'same', commit: 'there' }, { fold: 'same' }, base]);
  await journal.truncate(newest!.seq + 1);
  const after = await verify(() => ({}));
  t.match(after, [{ fold: 'base', commit: 'truncated' }, { fold: undefined, problem: undefined }, {}]);
});

t.test('folding to another state than that of the snapshot is found, and only there', async (t) => {
  const reprise = await Reprise.start(t);
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  for (let n = 0; n < 2; n += 1) {
    await stranger.json('job.submit', { type: 'x' });
    await stranger.json('snapshot.take', {});
  }
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: false });
  t.teardown(() => nc.close());
  const journal = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: 0 as Partition });
  t.teardown(() => journal.close());
  const real = new SnapshotStore(new Objects(nc, reprise.ns));
  const store = {
    list: async (of: Partition) => {
      const [newest, oldest] = await real.list(of);
      return [newest!, { ...oldest!, stateHash: '0'.repeat(64) }];
    },
    read: real.read.bind(real), verify: async () => undefined,
  };
  const findings = await verifySnapshots({ store, journal, kinds: KINDS, onProgress: () => undefined });
  t.match(findings, [{ fold: 'same', problem: undefined }, { fold: undefined, problem: /leads to another state/ }]);
});

t.test('wrong options, no server, no namespace', async (t) => {
  const cwd = t.testdir();
  for (const args of ['', 'drop', 'ls --partition x', 'ls --fold', 'verify extra', 'take --json=1']) {
    const { code } = await run(['snapshots', ...args.split(' ').filter(Boolean)], { cwd });
    t.equal(code, 2, args);
  }
  for (const verb of ['ls', 'take', 'verify']) {
    const gone = await run(['snapshots', verb, '--nats', 'nats://broker:x@127.0.0.1:1', '--json'], { cwd });
    t.match([gone.code, JSON.parse(gone.stdout)], [1, { error: { code: 'SERVER_UNREACHABLE', hint: /./ } }], verb);
  }
  const reprise = await Reprise.start(t, { brokers: 0 });
  for (const verb of ['ls', 'take', 'verify']) {
    const empty = await asBroker(reprise, cwd)(verb);
    t.match(empty, { code: 1, stderr: /no journal of the namespace test[^]*hint: .*--namespace/ }, verb);
  }
  await reprise.startBroker();
  const beyond = await asBroker(reprise, cwd)('take', '--partition', '7');
  t.match(beyond, { code: 1, stderr: /no partition 7[^]*from 0 to 0/ });
  await reprise.stopBroker(reprise.brokers[0]!);
  const { code, stderr } = await asBroker(reprise, cwd)('take');
  t.equal(code, 1);
  t.match(stderr, /error: partition 0: No broker listens.*\(NO_BROKER\)\nhint: Start a broker/);
});

t.test('the help has examples', async (t) => {
  const { code, stdout } = await run(['snapshots', '--help'], { cwd: t.testdir() });
  t.equal(code, 0);
  t.match(stdout, /Examples:\n {2}reprise snapshots ls/);
});
