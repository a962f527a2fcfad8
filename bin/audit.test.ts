import { createHash } from 'node:crypto';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Namespace, Partition } from '../protocols/ids.js';
import { connectNats } from '../streams/connect.js';
import { openJournal } from '../streams/jetstream.js';
import type { Stored } from '../streams/journal.js';
import { openWitness } from '../streams/heads.js';
import { dataIn, run, startDev, until, type Dev, type Ran } from '../tests/command/rig.js';

const NS = 'default' as Namespace;
const FIRST = 0 as Partition;
const JOBS = 200;

interface Report {
  readonly ok: boolean;
  readonly partitions: readonly { ok: boolean; position?: number; problem?: string; commits: number; witnessed: number }[];
}

async function worked(t: Test): Promise<{ dev: Dev; commits: Stored[] }> {
  const dev = await startDev(t);
  const client = await dev.client();
  const answers = await Promise.all(Array.from({ length: JOBS }, async (_, n) => (await client.submit([{ type: 'square', payload: { n } }], { wait: true }))[0]!));
  t.equal(answers.filter(({ status }) => status === 'completed').length, JOBS);
  const journal = await openJournal({ url: dev.brokerUrl, ns: NS, partition: FIRST });
  t.teardown(() => journal.close());
  const nc = await connectNats({ url: dev.brokerUrl, name: 'test', reconnect: true });
  t.teardown(() => nc.close());
  const witness = openWitness(nc, NS);
  await until('the head is witnessed', async () => (await witness.read(FIRST)).heads.at(-1)?.seq === (await journal.lastSeq()));
  const commits: Stored[] = [];
  for await (const stored of journal.replay(1)) commits.push(stored);
  return { dev, commits };
}

/** Changes one byte of a commit where it lies in a block file. */
async function flip(folder: string, { seq, bytes }: Stored): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.includes('_JOURNAL_') || !name.endsWith('.blk')) continue;
    const block = await readFile(join(folder, name));
    const at = block.indexOf(bytes);
    if (at === -1) continue;
    const middle = at + Math.floor(bytes.length / 2);
    block[middle] = block[middle]! ^ 0x10;
    return writeFile(join(folder, name), block);
  }
  throw new Error(`commit ${seq} is in no block`);
}

/** Everything that lies in a folder, so that a change of any of it is seen. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort((a, b) => (join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1))) {
    const path = join(entry.parentPath, entry.name);
    hash.update(path.slice(folder.length));
    if (entry.isFile()) hash.update(await readFile(path));
  }
  return hash.digest('hex');
}

async function verify(t: Test, folder: string): Promise<{ ran: Ran; report: Report }> {
  const before = await fingerprint(folder);
  const ran = await run(['audit', 'verify', '--data', folder, '--json'], { cwd: t.testdirName });
  t.equal(await fingerprint(folder), before, 'the folder is not altered');
  return { ran, report: JSON.parse(ran.stdout) as Report };
}

t.test('one changed byte in a copy of the data is found, wherever it is', async (t) => {
  const { dev, commits } = await worked(t);
  const copies = { running: join(dev.cwd, 'running'), stopped: join(dev.cwd, 'stopped') };
  const online = await dev.run('audit', 'verify', '--json');
  t.equal(online.code, 0, 'the running server is whole');
  const vouched = /ok .* vouched for by the witness to \d+, the checkpoint of events to \d+/;
  await until('it says what vouches', async () => vouched.test((await dev.run('audit', 'verify')).stdout));
  await cp(dataIn(dev.cwd), copies.running, { recursive: true });
  t.equal(await dev.stop(), 0);
  await cp(dataIn(dev.cwd), copies.stopped, { recursive: true });

  for (const [how, copy] of Object.entries(copies)) {
    const { ran, report } = await verify(t, copy);
    t.equal(ran.code, 0, `${how}: the unchanged copy is whole`);
    t.ok(report.ok && report.partitions[0]!.commits >= commits.length && report.partitions[0]!.witnessed > 0);
    for (const [where, commit] of Object.entries({ first: commits[0]!, middle: commits[Math.floor(commits.length / 2)]!, last: commits.at(-1)! })) {
      const damaged = `${copy}-${where}`;
      await cp(copy, damaged, { recursive: true });
      await flip(damaged, commit);
      const { ran, report } = await verify(t, damaged);
      t.equal(ran.code, 1, `${how}, ${where}: found`);
      t.equal(report.partitions[0]!.position, commit.seq, `${how}, ${where}: the position is named (${report.partitions[0]!.problem})`);
    }
  }
});

t.test('a changed byte in the files beside the blocks crashes nothing', async (t) => {
  const { dev } = await worked(t);
  await dev.stop();
  const folder = dataIn(dev.cwd);
  const beside = (await readdir(folder, { recursive: true })).filter((name) => name.includes('_JOURNAL_') && /meta\.(inf|sum)$|index\.db$/.test(name));
  t.equal(beside.length, 3);
  for (const [nth, name] of beside.entries()) {
    const damaged = join(dev.cwd, `beside-${nth}`);
    await cp(folder, damaged, { recursive: true });
    const content = await readFile(join(damaged, name));
    content[Math.floor(content.length / 2)]! ^= 0x10;
    await writeFile(join(damaged, name), content);
    const { ran, report } = await verify(t, damaged);
    t.comment(`${name}: ${JSON.stringify(report)}`);
    t.equal(ran.code, report.ok ? 0 : 1, name);
    t.ok(report.ok || report.partitions[0]!.position !== undefined);
  }
});

t.test('a folder that is none is refused', async (t) => {
  const dir = t.testdir({ empty: {} });
  const none = await run(['audit', 'verify', '--data', join(dir, 'nowhere')], { cwd: dir });
  t.equal(none.code, 2);
  t.match(none.stderr, /error: .*nowhere.*\nhint: /);
  const empty = await run(['audit', 'verify', '--data', join(dir, 'empty')], { cwd: dir });
  t.equal(empty.code, 1);
  t.match(empty.stderr, /NOT_FOUND/);
});
