import { createHash } from 'node:crypto';
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { connectNats } from '../../streams/connect.js';
import { openJournal } from '../../streams/jetstream.js';
import type { Stored } from '../../streams/journal.js';
import { openWitness } from '../../streams/heads.js';
import { dataIn, run, startDev, until, type Dev, type Ran } from '../command/rig.js';

const NS = 'default' as Namespace;
const FIRST = 0 as Partition;
const JOBS = 200;

/** The output of `audit verify --json`. */
interface Verified {
  readonly ok: boolean;
  readonly partitions: readonly {
    readonly ok: boolean;
    readonly position?: number;
    readonly problem?: string;
    readonly commits: number;
    readonly witnessed: number;
  }[];
}

/** A `dev` that has completed {@link JOBS} jobs. */
async function worked(t: Test): Promise<{ dev: Dev; commits: Stored[] }> {
  const dev = await startDev(t);
  const client = await dev.client();
  const answers = await Promise.all(Array.from({ length: JOBS }, (_, n) => {
    return client.submit([{ type: 'square', payload: { n } }], { wait: true });
  }));
  t.equal(answers.flat().filter(({ status }) => status === 'completed').length, JOBS);
  const journal = await openJournal({ url: dev.brokerUrl, ns: NS, partition: FIRST });
  t.teardown(() => journal.close());
  const nc = await connectNats({ url: dev.brokerUrl, name: 'test', reconnect: true });
  t.teardown(() => nc.close());
  const witness = openWitness(nc, NS);
  const witnessedSeq = async (): Promise<number | undefined> => (await witness.read(FIRST)).heads.at(-1)?.seq;
  await until('the head is witnessed', async () => (await witnessedSeq()) === (await journal.lastSeq()));
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

/** A hash of all names and files in a folder, to detect any change. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    hash.update(name);
    const path = join(folder, name);
    if ((await stat(path)).isFile()) hash.update(await readFile(path));
  }
  return hash.digest('hex');
}

async function verify(t: Test, folder: string): Promise<{ ran: Ran; verified: Verified }> {
  const before = await fingerprint(folder);
  const ran = await run(['audit', 'verify', '--data', folder, '--json'], { cwd: t.testdirName });
  t.equal(await fingerprint(folder), before, 'the folder is not altered');
  return { ran, verified: JSON.parse(ran.stdout) as Verified };
}

t.test('one changed byte in a copy of the data is found, wherever it is', async (t) => {
  const { dev, commits } = await worked(t);
  const copies = { running: join(dev.cwd, 'running'), stopped: join(dev.cwd, 'stopped') };
  const online = await dev.run('audit', 'verify', '--json');
  t.equal(online.code, 0, 'the running server is valid');
  const confirmed = /ok .* confirmed by known heads of the witness to \d+, the checkpoint of events to \d+/;
  const printed = async (): Promise<string> => (await dev.run('audit', 'verify')).stdout;
  await until('the output names the known heads that confirm the journal', async () => confirmed.test(await printed()));
  await cp(dataIn(dev.cwd), copies.running, { recursive: true });
  t.equal(await dev.stop(), 0);
  await cp(dataIn(dev.cwd), copies.stopped, { recursive: true });

  for (const [how, copy] of Object.entries(copies)) {
    const { ran, verified } = await verify(t, copy);
    t.equal(ran.code, 0, `${how}: the unchanged copy is valid`);
    const [whole] = verified.partitions;
    t.ok(verified.ok && whole!.commits >= commits.length && whole!.witnessed > 0);
    const changed = { first: commits[0]!, middle: commits[Math.floor(commits.length / 2)]!, last: commits.at(-1)! };
    for (const [where, commit] of Object.entries(changed)) {
      const damaged = `${copy}-${where}`;
      await cp(copy, damaged, { recursive: true });
      await flip(damaged, commit);
      const { ran, verified } = await verify(t, damaged);
      const { position, problem } = verified.partitions[0]!;
      t.equal(ran.code, 1, `${how}, ${where}: found`);
      t.equal(position, commit.seq, `${how}, ${where}: the position is named (${problem})`);
    }
  }
});

t.test('a changed byte in the files beside the blocks is found or harmless', async (t) => {
  const { dev } = await worked(t);
  await dev.stop();
  const folder = dataIn(dev.cwd);
  const names = await readdir(folder, { recursive: true });
  const beside = names.filter((name) => name.includes('_JOURNAL_') && /meta\.(inf|sum)$|index\.db$/.test(name));
  t.equal(beside.length, 3);
  for (const [nth, name] of beside.entries()) {
    const damaged = join(dev.cwd, `beside-${nth}`);
    await cp(folder, damaged, { recursive: true });
    const content = await readFile(join(damaged, name));
    content[Math.floor(content.length / 2)]! ^= 0x10;
    await writeFile(join(damaged, name), content);
    const { ran, verified } = await verify(t, damaged);
    t.comment(`${name}: ${JSON.stringify(verified)}`);
    t.equal(ran.code, verified.ok ? 0 : 1, name);
    t.ok(verified.ok || verified.partitions[0]!.position !== undefined);
  }
});

t.test('a path that is not a data folder is refused', async (t) => {
  const dir = t.testdir({ empty: {} });
  const none = await run(['audit', 'verify', '--data', join(dir, 'nowhere')], { cwd: dir });
  t.equal(none.code, 2);
  t.match(none.stderr, /error: .*nowhere.*\nhint: /);
  const empty = await run(['audit', 'verify', '--data', join(dir, 'empty')], { cwd: dir });
  t.equal(empty.code, 1);
  t.match(empty.stderr, /NOT_FOUND/);
});
