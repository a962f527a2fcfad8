/** `reprise archive` as operators meet it: a whole archive, a damaged one, a wrong location. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { z } from 'zod';
import type { Partition } from '../../protocols/ids.js';
import { openArchive } from '../../streams/archive/archive.js';
import { FolderStore } from '../../streams/archive/folder-store.js';
import { dataIn, run, startDev, type Ran } from '../command/rig.js';
import { endedJobs } from '../ended-jobs.js';

const JOURNAL = '0123456789abcdef';
const JOBS = 1_200;
const SEGMENT_COMMITS = 4;

const COUNTS = {
  partition: z.int(), journalId: z.literal(JOURNAL), segments: z.int(), firstSeq: z.int(), lastSeq: z.int(),
  commits: z.int(), contents: z.int(), removed: z.int(),
};
const Listed = z.strictObject({
  location: z.string(),
  journals: z.array(z.strictObject({
    ...COUNTS, events: z.int(), bytes: z.int(), rawBytes: z.int(), firstMs: z.int(), lastMs: z.int(),
    jobs: z.int().optional(),
  })),
});
const Verified = z.strictObject({
  ok: z.boolean(), location: z.string(),
  journals: z.array(z.strictObject({
    ...COUNTS, ok: z.boolean(), unnamed: z.array(z.string()),
    findings: z.array(z.strictObject({ object: z.string(), position: z.int().optional(), what: z.string() })),
  })),
});

/** An archive of jobs that were submitted and cancelled, in segments of a few commits. */
async function archived(t: Test): Promise<{ folder: string; commits: number }> {
  const folder = join(t.testdir(), 'archive');
  const { commits } = endedJobs(JOBS, JOURNAL);
  const store = new FolderStore(folder);
  for (let from = 0; from < commits.length; from += SEGMENT_COMMITS) {
    const archive = await openArchive(store, 'default', 0 as Partition, JOURNAL);
    const writer = archive.next();
    for (const [nth, bytes] of commits.slice(from, from + SEGMENT_COMMITS).entries()) {
      await writer.add({ seq: from + nth + 1, bytes });
    }
    await archive.write(await writer.finish());
  }
  return { folder, commits: commits.length };
}

const runner = (cwd: string) => (...args: string[]): Promise<Ran> => run(['archive', ...args], { cwd });

t.test('a whole archive is listed and verified', async (t) => {
  const { folder, commits } = await archived(t);
  const archive = runner(t.testdirName);
  const { journals: [journal] } = Listed.parse(JSON.parse((await archive('ls', '--archive', folder, '--json')).stdout));
  const segments = Math.ceil(commits / SEGMENT_COMMITS);
  const whole = { partition: 0, segments, firstSeq: 1, lastSeq: commits, commits };
  t.match(journal, whole);
  t.ok(journal!.bytes > 0 && journal!.bytes < journal!.rawBytes, 'it is smaller than the journal was');
  t.equal(journal!.jobs, undefined);
  const counted = await archive('ls', '--archive', `file://${folder}`, '--jobs', '--json');
  t.equal(Listed.parse(JSON.parse(counted.stdout)).journals[0]!.jobs, JOBS);
  const table = await archive('ls', '--archive', folder, '--jobs');
  t.match(table, { code: 0, stderr: '' });
  const row = `0 +${JOURNAL} .* 1,200 +\\d+\\.\\d\\n`;
  t.match(table.stdout, new RegExp(`^partition +journal .* jobs +bytes a job\\n${row}$`));

  const verified = await archive('verify', '--archive', folder, '--json');
  t.equal(verified.code, 0, verified.stderr);
  const found = Verified.parse(JSON.parse(verified.stdout));
  t.match(found, { ok: true, journals: [{ ...whole, ok: true, findings: [], unnamed: [] }] });
  const text = await archive('verify', '--archive', folder);
  t.match(text.stdout, /^ok {3}partition 0, journal 0123456789abcdef: \d+ segments, positions 1 to \d+/);
});

t.test('the archive of the environment, and of the `reprise dev` of the folder, is found', async (t) => {
  const { folder } = await archived(t);
  const ls = async (cwd: string, env: NodeJS.ProcessEnv = {}) => {
    const { stdout, stderr } = await run(['archive', 'ls', '--json'], { cwd, env });
    return Listed.parse(JSON.parse(stdout || `"${stderr}"`)).location;
  };
  t.equal(await ls(t.testdirName, { REPRISE_ARCHIVE: folder }), folder);
  const dev = await startDev(t);
  t.equal(await ls(dev.cwd), join(dataIn(dev.cwd), 'archive'));
  t.match(await run(['retention', 'set', '90d'], { cwd: dev.cwd }), { code: 0 }, 'and so is the user of brokers');
});

t.test('one changed byte is found, and named', async (t) => {
  const { folder } = await archived(t);
  const archive = runner(t.testdirName);
  const name = (await readdir(folder, { recursive: true })).find((each) => each.includes('.facts.'))!;
  const bytes = await readFile(join(folder, name));
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  await writeFile(join(folder, name), bytes);
  const json = await archive('verify', '--archive', folder, '--json');
  t.equal(json.code, 1);
  const { ok, journals: [journal] } = Verified.parse(JSON.parse(json.stdout));
  t.notOk(ok);
  t.ok(journal!.findings.some(({ object }) => object === name), JSON.stringify(journal!.findings));
  const text = await archive('verify', '--archive', folder);
  t.match(text, { code: 1, stdout: /^bad +partition 0/, stderr: /hint: Keep the archive as it is/ });
  t.match(text.stdout, name);

  const manifest = (await readdir(folder, { recursive: true })).find((each) => each.endsWith('.manifest.json'))!;
  await writeFile(join(folder, manifest), '{}');
  t.equal((await archive('verify', '--archive', folder, '--json')).code, 1);
  const listed = await archive('ls', '--archive', folder);
  t.match(listed, { code: 1, stderr: /ARCHIVE_BROKEN/ });
});

t.test('what is not an archive', async (t) => {
  const cwd = t.testdir({ file: 'text' });
  const archive = runner(cwd);
  t.match(await archive('ls'), { code: 2, stderr: /not known where the archive is[^]*hint: Give --archive/ });
  t.match(await archive('ls', '--archive', ''), { code: 2 });
  const other = await archive('ls', '--archive', 'ftp://x/y');
  t.match(other, { code: 1, stderr: /neither a path nor file:\/\/ nor s3:\/\// });
  const secret = await archive('verify', '--archive', 's3://user:secret@bucket');
  t.match(secret, { code: 1, stderr: /credentials belong into the environment/ });
  t.notMatch(secret.stderr, 'user:secret');
  const nothing = await archive('ls', '--archive', './nothing');
  t.match(nothing, { code: 0, stdout: '', stderr: /Nothing of this namespace is archived in .*nothing/ });
  t.strictSame(Listed.parse(JSON.parse((await archive('ls', '--archive', './nothing', '--json')).stdout)).journals, []);
  const empty = await archive('verify', '--archive', './nothing', '--json');
  t.equal(empty.code, 1, 'nothing is not whole');
  t.match(JSON.parse(empty.stdout), { error: { code: 'NOT_FOUND', hint: /--archive/ } });
  t.match(await archive('verify', '--archive', './nothing', '--namespace', 'a b'), { code: 2 });
});
