import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { RepriseError } from '../../protocols/errors.js';
import { parseNamespace, type JobId, type Namespace, type Partition } from '../../protocols/ids.js';
import type { Stored } from '../../streams/journal.js';
import { committedIn, endedJobs, storedOf, type EndedJobs } from '../../tests/ended-jobs.js';
import { eventually } from '../../tests/broker.js';
import { JobsProjection } from '../jobs.js';
import { ProjectionRunner } from '../runner.js';

const P0 = 0 as Partition;
const NS = parseNamespace('test') as Namespace;
const JOBS = 2_000;
const journal = endedJobs(JOBS);
const commits = committedIn(journal.commits);

interface Stage {
  readonly jobs: JobsProjection;
  readonly runner: ProjectionRunner;
  readonly warnings: string[];
  /** Commits that the projection asked for. */
  readonly read: number[];
  /** Reads of later commits never end. */
  readable: number;
  /** A take-over. @returns after which commit the projection began */
  follow(of?: EndedJobs, upTo?: number): Promise<number | undefined>;
}

const runners: ProjectionRunner[] = [];
const base = mkdtempSync(join(tmpdir(), 'reprise-keeper-test-'));
t.teardown(async () => {
  for (const runner of runners) await runner.close();
  rmSync(base, { recursive: true, force: true });
});
const newRoot = (): string => mkdtempSync(join(base, 'root-'));

function stage(root: string | undefined, tableEntries = 300): Stage {
  const warnings: string[] = [];
  const read: number[] = [];
  const warn = (_: object, message: string): void => void warnings.push(message);
  const jobs = new JobsProjection({ partition: P0, namespace: NS, root, tableEntries, warn });
  const runner = new ProjectionRunner(P0, [jobs]);
  runners.push(runner);
  const staged: Stage = {
    jobs, runner, warnings, read, readable: Infinity,
    follow: async (of = journal, upTo = of.commits.length) => {
      const from = storedOf(of.commits);
      const reading = async (seq: number): Promise<Stored | undefined> => {
        read.push(seq);
        return seq > staged.readable ? new Promise<never>(() => {}) : from(seq);
      };
      const checkpoint = await jobs.begin(reading);
      if (checkpoint) runner.begin('jobs', checkpoint);
      read.length = 0;
      for (const commit of committedIn(of.commits.slice(0, upTo))) runner.follow(commit);
      jobs.lead(reading);
      return checkpoint?.seq;
    },
  };
  return staged;
}

/** @returns how many jobs are found, each with the positions of its commits */
async function found({ jobs }: Stage, ids: readonly JobId[] = journal.ids): Promise<number> {
  let right = 0;
  for (const [n, id] of ids.entries()) {
    const entry = await jobs.find(id);
    const firstSeq = 2 * Math.floor(n / 200) + 1;
    if (entry?.firstSeq === firstSeq && entry.lastSeq === firstSeq + 1 && entry.status === 'cancelled') right += 1;
  }
  return right;
}

const folderIn = (root: string): string => join(root, readdirSync(root).at(-1)!);

function damage(folder: string, at = 5_000): void {
  for (const name of readdirSync(folder).filter((each) => each.startsWith('run-'))) {
    const bytes = readFileSync(join(folder, name));
    bytes[at]! ^= 1;
    writeFileSync(join(folder, name), bytes);
  }
}

t.test('after a restart the index goes on where it was, and a folder that is deleted is made again', async (t) => {
  const root = newRoot();
  const first = stage(root);
  t.equal(await first.follow(journal, 12), 0);
  t.equal(await found(first), 1_200);
  await first.runner.close();

  const second = stage(root);
  t.equal(await second.follow(), 12);
  t.equal(await found(second), JOBS);
  await second.runner.close();

  rmSync(folderIn(root), { recursive: true });
  const third = stage(root);
  t.equal(await third.follow(), 0);
  t.equal(await found(third), JOBS);
  t.same([...first.warnings, ...second.warnings, ...third.warnings], []);
});

t.test('given another journal, or one that lost its end, the index is not used', async (t) => {
  const root = newRoot();
  const first = stage(root);
  await first.follow();
  await first.runner.close();

  const short = stage(root);
  t.equal(await short.follow({ ...journal, commits: journal.commits.slice(0, 10) }), 0, 'its commit is beyond the end');
  t.equal(await found(short), 1_000);
  await short.runner.close();

  const other = endedJobs(JOBS, 'other');
  const elsewhere = stage(root);
  t.equal(await elsewhere.follow(other), 0);
  t.equal(await found(elsewhere, other.ids), JOBS);
  t.equal(await found(elsewhere), 0, 'nothing of the other journal is left');
  await elsewhere.runner.close();

  const again = stage(root);
  t.equal(await again.follow(), 20, 'each journal kept its own');
});

t.test('the folders of a partition are few, and two brokers have one each', async (t) => {
  const root = newRoot();
  const [first, second] = [stage(root), stage(root)];
  await first.follow();
  await second.follow();
  t.equal(readdirSync(root).length, 2);
  t.equal(await found(second), JOBS);
  await first.runner.close();
  await second.runner.close();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const one = stage(root);
    await one.follow(endedJobs(400, name));
    await one.runner.close();
  }
  t.equal(readdirSync(root).length, 4);
  const many = [1, 2, 3, 4, 5].map(() => stage(root));
  for (const each of many) await each.follow();
  for (const each of many) t.equal(await found(each), JOBS, 'also the one without a slot');
  t.equal(readdirSync(root).length, 4);
});

t.test('given a lock of a process that has ended, the folder is used', async (t) => {
  const root = newRoot();
  const first = stage(root);
  await first.follow();
  await first.runner.close();
  const { pid } = process;
  for (const lock of ['', 'no lock', JSON.stringify({ host: 'elsewhere', pid, started: '' })]) {
    writeFileSync(join(folderIn(root), 'lock'), lock);
    const next = stage(root);
    t.equal(await next.follow(), lock.includes('elsewhere') ? 0 : 20);
    await next.runner.close();
    rmSync(join(root, 'test.0.1'), { recursive: true, force: true });
  }
});

t.test('given a damaged file, its jobs are found again while the leader goes on', async (t) => {
  const root = newRoot();
  const first = stage(root);
  await first.follow(journal, 16);
  await first.runner.close();
  damage(folderIn(root));

  const second = stage(root);
  t.equal(await second.follow(journal, 16), 16, 'opening does not read the entries');
  await t.rejects(found(second), { code: 'TIMED_OUT' }, 'not known is not “not found”');
  for (const commit of commits.slice(16)) second.runner.follow(commit);
  await eventually(() => found(second).then((number) => number === JOBS, () => false));
  t.match(second.warnings, [/is broken/]);
  await second.runner.close();
  const third = stage(root);
  t.equal(await third.follow(), 20, 'and it is on disk again');
  t.equal(await found(third), JOBS);
});

t.test('given a take-over while it is made again, the take-over completes it', async (t) => {
  const root = newRoot();
  const first = stage(root);
  await first.follow(journal, 16);
  await first.runner.close();
  damage(folderIn(root));

  const second = stage(root);
  await second.follow(journal, 16);
  second.readable = 5;
  const id = journal.ids.at(-1);
  await t.rejects(second.jobs.find(id!), { code: 'TIMED_OUT' });
  await eventually(() => second.read.includes(6));
  second.readable = Infinity;
  t.equal(await second.follow(), 5, 'what was read need not be read again');
  t.equal(await found(second), JOBS);
});

t.test('given a folder that cannot be written, the index is in memory', async (t) => {
  const root = newRoot();
  writeFileSync(join(root, 'file'), '');
  const one = stage(join(root, 'file', 'index'));
  t.equal(await one.follow(), 0);
  t.equal(await found(one), JOBS);
  t.match(one.warnings, [/stays in memory/]);
  const none = stage(undefined);
  await none.follow();
  t.equal(await found(none), JOBS);
  t.same(none.warnings, []);
});

t.test('given a journal that cannot be read, the take-over fails and the next one opens the index', async (t) => {
  const root = newRoot();
  const first = stage(root);
  await first.follow();
  await first.runner.close();
  const second = stage(root);
  await t.rejects(second.jobs.begin(() => Promise.reject(new RepriseError('TIMED_OUT', 'no answer'))));
  t.equal(await second.follow(), 20);
});
