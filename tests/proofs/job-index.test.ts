import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import fc from 'fast-check';
import { hashOf } from '../../streams/chain.js';
import { jobId, type Partition } from '../../protocols/ids.js';
import { BrokenIndex } from '../../projections/index/block.js';
import { combined, type Entry } from '../../projections/index/entry.js';
import { removeUnknown } from '../../projections/index/files.js';
import { JobIndex, type IndexOptions } from '../../projections/index/job-index.js';
import { readManifest } from '../../projections/index/manifest.js';
import { performNow } from '../../projections/index/tasks.js';

const P0 = 0 as Partition;
const root = mkdtempSync(join(tmpdir(), 'reprise-index-test-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => mkdtempSync(join(root, `${(folders += 1)}-`));

/** Ids that share beginnings, in any order of age. */
const idOf = (n: number): string =>
  jobId(P0, hashOf(Buffer.from([n, n >> 8])).subarray(0, 10).fill(n % 5, 0, n % 3 ? 0 : 6));

interface Write {
  readonly n: number;
  readonly status: number;
  readonly isFirst: boolean;
}
type Journal = readonly (readonly Write[])[];

const feed = (index: JobIndex, journal: Journal, upTo = journal.length): void => {
  while (index.last.seq < upTo) {
    const seq = index.last.seq + 1;
    for (const { n, status, isFirst } of journal[seq - 1]!) index.set(idOf(n), seq, status, isFirst);
    index.committed({ seq, hash: hashOf(Buffer.from(String(seq))), journalId: 'j' });
  }
};

const mapOf = (journal: Journal, upTo = journal.length): Map<number, Entry> => {
  const map = new Map<number, Entry>();
  journal.slice(0, upTo).forEach((commit, nth) => {
    for (const { n, status, isFirst } of commit) {
      const entry = { firstSeq: isFirst ? nth + 1 : 0, lastSeq: nth + 1, status };
      map.set(n, combined(map.get(n), entry)!);
    }
  });
  return map;
};

/** @returns the first number of a job that differs */
const difference = async (index: JobIndex, journal: Journal, jobs: number): Promise<number | undefined> => {
  const map = mapOf(journal, index.last.seq);
  for (let n = 0; n < jobs; n += 1) {
    if (JSON.stringify(await index.find(idOf(n))) !== JSON.stringify(map.get(n))) return n;
  }
  return undefined;
};

const optionsOf = (folder: string, onChange = (): void => {}): IndexOptions & { folder: string } => ({
  folder, partition: P0, tableEntries: 16, onChange,
  perform: async (task) => performNow(task, onChange),
  onFailed: (error) => t.fail(String(error)),
});

/** As a broker opens it: what is broken begins empty. */
const open = async (folder: string, onBroken?: (error: Error) => void): Promise<JobIndex> => {
  const options = { ...optionsOf(folder), ...(onBroken && { onBroken }) };
  try {
    const manifest = await readManifest(folder);
    await removeUnknown(folder, manifest);
    return manifest ? await JobIndex.open(options, manifest) : new JobIndex(options);
  } catch (error) {
    if (!(error instanceof BrokenIndex)) throw error;
    onBroken?.(error);
    await removeUnknown(folder, undefined);
    return new JobIndex(options);
  }
};

const JOBS = 120;

/** Commits of a few events: jobs begin, and some that began end. */
const events = fc.array(fc.tuple(fc.nat(JOBS - 1), fc.integer({ min: 2, max: 7 })), { minLength: 1, maxLength: 9 });
const journals = fc.array(events, { minLength: 1, maxLength: 90 }).map((commits): Journal => {
  const [begun, ended] = [new Set<number>(), new Set<number>()];
  return commits.map((commit) => commit.flatMap(([n, status]): Write[] => {
    if (!begun.has(n)) return (begun.add(n), [{ n, status: 1, isFirst: true }]);
    return ended.has(n) ? [] : (ended.add(n), [{ n, status, isFirst: false }]);
  }));
});

t.test('property: with seals, merges and reopening it answers as a Map does', async (t) => {
  await fc.assert(fc.asyncProperty(journals, fc.array(fc.nat(100), { maxLength: 4 }), async (journal, stops) => {
    const folder = newFolder();
    let index = await open(folder);
    for (const stop of [...stops.sort((a, b) => a - b), journal.length]) {
      feed(index, journal, Math.min(stop, journal.length));
      if (stop % 2 === 0) await index.settled();
      if ((await difference(index, journal, JOBS)) !== undefined) return false;
      await index.close();
      const { last } = index;
      index = await open(folder, (error) => t.fail(error.message));
      if (index.last.seq !== last.seq || Buffer.compare(index.last.hash, last.hash) !== 0) return false;
    }
    const same = (await difference(index, journal, JOBS)) === undefined;
    await index.close();
    return same;
  }), { numRuns: 25 });
});

t.test('property: whatever the process is writing when it ends, the index goes on from what was written', async (t) => {
  await fc.assert(fc.asyncProperty(journals, fc.nat(60), async (journal, crashAfter) => {
    const [folder, copy] = [newFolder(), newFolder()];
    let changes = 0;
    const onChange = (): void => {
      if (changes === crashAfter) cpSync(folder, copy, { recursive: true });
      changes += 1;
    };
    const index = new JobIndex(optionsOf(folder, onChange));
    for (let seq = 1; seq <= journal.length; seq += 1) {
      feed(index, journal, seq);
      if (seq % 3 === 0) await index.settled();
    }
    await index.close();
    const reopened = await open(copy, (error) => t.fail(error.message));
    const { manifest, names } = { manifest: await readManifest(copy), names: readdirSync(copy) };
    if (names.some((name) => name !== 'manifest.json' && !manifest?.runs.some(({ run }) => name === `run-${run}`))) {
      return false;
    }
    feed(reopened, journal);
    const same = (await difference(reopened, journal, JOBS)) === undefined;
    await reopened.close();
    return same;
  }), { numRuns: 30 });
});

t.test('after every single change of a file, seals and merges included, the folder can be opened', async (t) => {
  const begin = Array.from({ length: 80 }, (_, n) => [{ n, status: 1, isFirst: true }]);
  const journal: Journal = [...begin, ...begin.map((commit) => [{ n: commit[0]!.n, status: 2, isFirst: false }])];
  const [folder, copies] = [newFolder(), [] as string[]];
  const index = new JobIndex(optionsOf(folder, () => {
    copies.push(newFolder());
    cpSync(folder, copies.at(-1)!, { recursive: true });
  }));
  for (let seq = 1; seq <= journal.length; seq += 1) {
    feed(index, journal, seq);
    if (seq % 16 === 0) await index.settled();
  }
  await index.close();
  let merged = 0;
  for (const copy of copies) {
    const reopened = await open(copy, (error) => t.fail(`${copy}: ${error.message}`));
    if (reopened.last.seq > 64) merged += 1;
    feed(reopened, journal);
    const wrong = await difference(reopened, journal, JOBS);
    if (wrong !== undefined) t.fail(`${copy}: job ${wrong}`);
    await reopened.close();
  }
  t.ok(merged > 10, `${merged} of ${copies.length} after a merge`);
});

t.test('property: a flipped byte in any file is found before it gives a wrong answer', async (t) => {
  let found = 0;
  await fc.assert(fc.asyncProperty(journals, fc.nat(), fc.nat(), async (journal, file, at) => {
    const folder = newFolder();
    const index = await open(folder);
    feed(index, journal);
    await index.close();
    const names = readdirSync(folder);
    const path = join(folder, names[file % names.length]!);
    const bytes = readFileSync(path);
    bytes[at % bytes.length]! ^= 1 << (at % 8);
    writeFileSync(path, bytes);
    const broken: Error[] = [];
    const reopened = await open(folder, (error) => void broken.push(error));
    let wrong: number | undefined;
    try {
      wrong = await difference(reopened, journal, JOBS);
    } catch (error) {
      if (!(error instanceof BrokenIndex)) throw error;
    }
    await reopened.close();
    found += broken.length > 0 ? 1 : 0;
    // It is found by opening or by a look-up that reads the block; every block is read for one job or another.
    return wrong === undefined && broken.length === 1;
  }), { numRuns: 50 });
  t.equal(found, 50);
});

t.test('damage is not merged into a new run', async (t) => {
  const folder = newFolder();
  const journal: Journal = Array.from({ length: 120 }, (_, n) => [{ n, status: 1, isFirst: true }]);
  const index = await open(folder);
  feed(index, journal, 48);
  await index.close();
  const run = join(folder, readdirSync(folder).find((name) => name.startsWith('run-'))!);
  const bytes = readFileSync(run);
  bytes[4096 + 30]! ^= 1;
  writeFileSync(run, bytes);
  const broken: Error[] = [];
  const reopened = await open(folder, (error) => void broken.push(error));
  feed(reopened, journal);
  await reopened.settled();
  t.match(broken, [{ name: 'BrokenIndex' }]);
  await reopened.close();
});

t.test('while the folder cannot be written, entries stay in memory; later they are written', async (t) => {
  const folder = newFolder();
  const failures: unknown[] = [];
  let fails = true;
  const journal: Journal = Array.from({ length: 200 }, (_, n) => [{ n, status: 1, isFirst: true }]);
  const options = optionsOf(folder);
  const index = new JobIndex({
    ...options, onFailed: (error) => void failures.push(error),
    perform: async (task) => {
      if (fails) throw new Error('no space left');
      return options.perform!(task);
    },
  });
  feed(index, journal, 150);
  await index.settled();
  t.match(failures, [{ message: 'no space left' }], 'said once');
  t.equal(await difference(index, journal, JOBS), undefined);
  t.equal(index.stored.seq, 0);
  fails = false;
  await index.save();
  t.equal(index.stored.seq, 150);
  feed(index, journal);
  t.equal(await difference(index, journal, JOBS), undefined);
  await index.close();
});

t.test('a thread sorts and merges', async (t) => {
  const folder = newFolder();
  const { perform: _, ...options } = { ...optionsOf(folder), tableEntries: 2_500 };
  const index = new JobIndex(options);
  for (let seq = 1; seq <= 60; seq += 1) {
    for (let n = 0; n < 500; n += 1) index.set(idOf(seq * 500 + n), seq, 1, true);
    index.committed({ seq, hash: hashOf(Buffer.from([seq])), journalId: 'j' });
  }
  await index.settled();
  t.equal(index.stored.seq, 60);
  for (const n of [500, 15_000, 30_499]) {
    t.match(await index.find(idOf(n)), { firstSeq: Math.floor(n / 500), status: 1 });
  }
  t.ok(readdirSync(folder).length <= 8, 'runs are merged');
  await index.close();
});
