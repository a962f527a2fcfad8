/** The figures of a namespace on a real server: `reprise system`, and what `reprise doctor` makes of them. */
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import t from 'tap';
import { z } from 'zod';
import { connectNats } from '../../streams/connect.js';
import { eventually, queuesOf, Reprise } from '../broker.js';
import { run, type Ran } from '../command/rig.js';
import { Stranger } from '../stranger.js';

const position = z.int().min(0);
const System = z.strictObject({
  partitions: z.array(z.strictObject({
    partition: z.int(),
    journal: z.strictObject({ firstSeq: position, lastSeq: position, commits: z.int(), bytes: z.int() }),
    snapshots: z.array(z.looseObject({ seq: position, verified: z.boolean() })),
    archive: z.strictObject({
      location: z.string().optional(), seq: position, problem: z.string().optional(),
      waitingSinceMs: z.int().optional(),
    }),
    watermarks: z.array(z.strictObject({ name: z.string(), seq: position })),
    truncation: z.strictObject({ seq: position, names: z.array(z.string()), by: z.int() }).optional(),
  })),
});

t.test('the figures follow what happens', async (t) => {
  const cwd = t.testdir();
  const archive = join(cwd, 'archive');
  const archivePolicy = { intervalMs: 0, pollMs: 20 };
  const reprise = await Reprise.start(t, { partitions: 2, archive, archivePolicy });
  const where = ['--nats', reprise.brokerUrl, '--namespace', reprise.ns];
  const at = (...args: string[]): Promise<Ran> => run([...args, ...where], { cwd });
  const figures = async () => {
    const { stdout, stderr } = await at('system', '--json');
    t.equal(stderr, '');
    return System.parse(JSON.parse(stdout)).partitions;
  };
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const work = () => Promise.all(queuesOf(2).map((queue) => stranger.json('job.submit', { type: 'x', queue })));
  await work();
  const [before] = await figures();
  t.match(before, { partition: 0, journal: { firstSeq: 1 }, snapshots: [], truncation: { seq: 0 } });
  t.ok(before!.truncation!.names.includes('2 verified snapshots'));

  for (let n = 0; n < 2; n += 1) {
    await work();
    await stranger.json('snapshot.take', {});
  }
  const held = await eventually(async () => {
    const [first] = await figures();
    const { truncation, snapshots, journal } = first!;
    return truncation!.seq === snapshots[1]?.seq && first!.archive.seq === journal.lastSeq && first;
  });
  t.equal(held.watermarks.find(({ name }) => name === '2 verified snapshots')!.seq, held.snapshots[1]!.seq);
  t.match(held.archive, { location: archive, seq: Number });
  t.equal(held.watermarks.find(({ name }) => name === 'the archive')!.seq, held.archive.seq);
  t.ok(held.archive.seq > held.snapshots[1]!.seq, 'it is archived, and waits for snapshots');
  t.ok(held.watermarks.some(({ name }) => name === 'the projection events'));
  t.strictSame(held.truncation!.names, ['2 verified snapshots']);

  const text = await at('system');
  t.equal(text.code, 0);
  t.match(text.stdout, /^partition 0\n {2}journal +positions 1 to \d+, [\d.]+ k?B\n {2}snapshots +2 verified/);
  t.match(text.stdout, /; \d+ more wait for 2 verified snapshots/);
  const findingsOf = async (): Promise<(what: string) => object | undefined> => {
    const { findings } = JSON.parse((await at('doctor', '--json')).stdout) as { findings: { what: string }[] };
    return (what) => findings.find((each) => each.what === what);
  };
  const of = await findingsOf();
  t.match(of('journals'), { level: 'ok', found: /^0: positions 1 to \d+, [\d.]+ k?B; 1: positions 1 to/ });
  const two = /^0: 2 verified, [\d.]+ k?B; the newest at position \d+, \d+m?s old; 1: 2 verified/;
  t.match(of('snapshots'), { level: 'ok', found: two });
  t.match(of('archive'), { level: 'ok', found: /^0: up to position \d+, in .*archive; 1: up to position/ });
  t.match(of('truncation'), { level: 'ok', found: /^0: positions up to \d+ may be removed/ });

  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: false });
  t.teardown(() => nc.close());
  await (await jetstreamManager(nc)).streams.delete(`OBJ_REPRISE_${reprise.ns}_SNAPSHOTS`);
  const without = (await findingsOf())('snapshots');
  t.match(without, { level: 'warn', found: /snapshots failed/, hint: /Start a broker/ });
  t.match(await at('snapshots', 'ls'), { code: 1, stderr: /STREAM_MISMATCH/ });
});

t.test('given no archive, nothing may be removed, whatever the snapshots have passed', async (t) => {
  const reprise = await Reprise.start(t);
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  for (let n = 0; n < 2; n += 1) await stranger.json('snapshot.take', {});
  const where = ['--nats', reprise.brokerUrl, '--namespace', reprise.ns];
  const { stdout } = await run(['system', ...where], { cwd: t.testdir() });
  t.match(stdout, /\n {2}archive +none, so the journal is never truncated\n/);
  t.match(stdout, /\n {2}truncation +nothing may be removed; \d+ wait for .*the archive/);
});

t.test('without rights, and without a namespace', async (t) => {
  const reprise = await Reprise.start(t, { brokers: 0 });
  const system = (url: string, ...args: string[]) =>
    run(['system', '--nats', url, '--namespace', reprise.ns, ...args], { cwd: t.testdir() });
  t.match(await system(reprise.brokerUrl), { code: 1, stderr: /no journal of the namespace test/ });
  const ordinary = await system(reprise.url, '--json');
  t.match(ordinary, { code: 1, stdout: /"code":"PERMISSION_DENIED"/, stderr: /nats:\/\/broker:/ });
  t.equal((await system(reprise.url, 'extra')).code, 2);
  const backup = await run(
    ['backup', './backup', '--nats', reprise.brokerUrl, '--namespace', reprise.ns, '--json'], { cwd: t.testdir() },
  );
  t.match(JSON.parse(backup.stdout), { error: { code: 'NOT_FOUND', hint: /--namespace/ } }, 'so a backup is of nothing');
});
