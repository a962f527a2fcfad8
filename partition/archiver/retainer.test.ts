/** Exactly the contents of ended jobs that are old enough go, whatever is set and whenever; all else stays. */
import fc from 'fast-check';
import t from 'tap';
import { job, journal } from '../../protocols/messages.js';
import { openArchive, type Archive } from '../../streams/archive/archive.js';
import { JOURNAL } from '../../streams/archive/conformance/commits.js';
import { CrashingStore, MemoryStore } from '../../streams/archive/conformance/stores.js';
import { hashOfFacts } from '../../streams/archive/manifest.js';
import { SegmentWriter } from '../../streams/archive/segment-writer.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import { verifyArchive } from '../../streams/archive/verify.js';
import { headOf, type Head } from '../../streams/chain.js';
import { encodeCommit, headerAfter } from '../../streams/commit.js';
import { ContentWriter } from '../../streams/content.js';
import { removeContents } from '../../streams/contents.js';
import type { Stored } from '../../streams/journal.js';
import { randomSalts } from '../../streams/salts.js';
import type { RetentionOrder } from './messages.js';
import { Retainer } from './retainer.js';

const { namespace, partition, journalId } = JOURNAL;

/** One thing that happens to a job. A commit has several. */
interface Act {
  readonly job: number;
  readonly what: 'submit' | 'retry' | 'complete' | 'pause';
}
interface Step {
  readonly passedMs: number;
  readonly acts: readonly Act[];
}
/** One content, and what decides about it. */
interface Kept {
  readonly seq: number;
  readonly index: number;
  /** Undefined: of no job. */
  readonly job: number | undefined;
}
interface Written {
  readonly commits: readonly Stored[];
  readonly timesMs: readonly number[];
  readonly contents: readonly Kept[];
  readonly ends: ReadonlyMap<number, { readonly seq: number; readonly ms: number }>;
}

const QUEUES = ['orders', 'mail', 'bills'];
const queueOf = (of: number): string => QUEUES[of % QUEUES.length]!;
const idOf = (of: number): string => `3-${String(of).padStart(16, '0')}`;
const salts = randomSalts();

function eventOf({ job: of, what }: Act): { kind: string; id: string; type: string; body: Uint8Array; field: number } {
  const own = { kind: 'job', id: idOf(of) };
  switch (what) {
    case 'submit': {
      const body = job.JobSubmitted.encode({ status: 'ready', jobType: 'x', queue: queueOf(of) }).finish();
      return { ...own, type: 'JobSubmitted', body, field: 100 };
    }
    case 'retry': return { ...own, type: 'JobRetryScheduled', body: new Uint8Array(0), field: 100 };
    case 'complete': {
      const body = job.JobCompleted.encode({ status: 'completed' }).finish();
      return { ...own, type: 'JobCompleted', body, field: 4 };
    }
    case 'pause': return { kind: 'queue', id: queueOf(of), type: 'QueuePaused', body: new Uint8Array(0), field: 2 };
  }
}

/** Only what may happen: a job is submitted first, and nothing follows its end. */
function written(steps: readonly Step[]): Written {
  const commits: Stored[] = [];
  const timesMs: number[] = [];
  const contents: Kept[] = [];
  const ends = new Map<number, { seq: number; ms: number }>();
  const seen = new Set<number>();
  let head: Head = {
    journalId, partition, seq: 0, hash: new Uint8Array(0), epoch: 1, nowMs: 1_000, minReader: 0,
  };
  for (const { passedMs, acts } of steps) {
    const [seq, nowMs] = [head.seq + 1, head.nowMs + passedMs];
    const fits = acts.filter(({ job: of, what }) => {
      const may = what === 'pause' || (what === 'submit' ? !seen.has(of) : seen.has(of) && !ends.has(of));
      if (may && what === 'submit') seen.add(of);
      if (may && what === 'complete') ends.set(of, { seq, ms: nowMs });
      return may;
    });
    if (fits.length === 0) continue;
    const writer = new ContentWriter();
    const events = fits.map((act, index) => {
      const { field, ...event } = eventOf(act);
      const content = Buffer.from(`${act.what} of ${act.job}`);
      contents.push({ seq, index, job: act.what === 'pause' ? undefined : act.job });
      const hash = Buffer.from(writer.add(index, content, salts), 'latin1');
      return { ...event, version: 1, content: { hash, size: content.length, field } };
    });
    const header = headerAfter(head, { leaderId: 'l', epoch: 1 }, nowMs);
    const bytes = encodeCommit(header, journal.Commit.encode({ events }).finish(), writer.take());
    commits.push({ seq, bytes });
    timesMs.push(nowMs);
    head = headOf(header, partition, seq, bytes);
  }
  return { commits, timesMs, contents, ends };
}

async function archived(commits: readonly Stored[], size: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const archive = await openArchive(store, namespace, partition, journalId);
  for (let from = 0; from < commits.length; from += size) {
    const last = archive.manifests.at(-1);
    const previous = last === undefined ? '' : hashOfFacts(last.facts);
    const writer = new SegmentWriter({ journal: JOURNAL, head: archive.head, previous }, { blockBytes: 300 });
    for (const commit of commits.slice(from, from + size)) await writer.add(commit);
    await archive.write(await writer.finish());
  }
  return store;
}

const opened = (store: ArchiveStore): Promise<Archive> => openArchive(store, namespace, partition, journalId);
const retainerOf = async (store: ArchiveStore): Promise<Retainer> =>
  new Retainer({ store, archive: await opened(store), goesOn: () => true });

/** @returns how many contents went */
async function passed(retainer: Retainer, order: RetentionOrder): Promise<number> {
  let sum = 0;
  for await (const { removed } of retainer.pass(order)) sum += removed;
  return sum;
}

/** By the words of the rule. @param size of a segment, in commits */
function isDue({ ends }: Written, { seq, job: of }: Kept, size: number, order: RetentionOrder): boolean {
  const lastBelow = Math.floor(order.cutSeq / size) * size;
  const end = of === undefined ? undefined : ends.get(of);
  if (of === undefined || end === undefined || seq > lastBelow || end.seq > lastBelow) return false;
  const setting = order.settings.find(({ queue }) => queue === queueOf(of)) ??
    order.settings.find(({ queue }) => queue === '');
  return setting !== undefined && setting.contentMs > 0 && end.ms + setting.contentMs <= order.nowMs;
}

/** The journal without some contents. */
const without = ({ commits, contents }: Written, gone: (kept: Kept) => boolean): Stored[] =>
  commits.map(({ seq, bytes }) =>
    ({ seq, bytes: removeContents(bytes, contents.flatMap((of) => (of.seq === seq && gone(of) ? [of.index] : []))) }));

async function isSame(store: ArchiveStore, wanted: readonly Stored[]): Promise<boolean> {
  const read: Stored[] = [];
  for await (const commit of (await opened(store)).replay(1)) read.push(commit);
  return read.length === wanted.length &&
    wanted.every(({ seq, bytes }, nth) => read[nth]!.seq === seq && Buffer.compare(read[nth]!.bytes, bytes) === 0);
}

/** @returns the kinds of what was found, other than whole segments */
async function wrongIn(store: ArchiveStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { kind } of verifyArchive(store, JOURNAL)) if (kind !== 'segment') found.push(kind);
  return found;
}

const anyAct = fc.record({
  job: fc.nat(12),
  what: fc.constantFrom<Act['what'][]>('submit', 'submit', 'retry', 'complete', 'complete', 'pause'),
});
const anyStep = fc.record({ passedMs: fc.nat(50), acts: fc.array(anyAct, { minLength: 1, maxLength: 5 }) });
const anyMs = fc.constantFrom(0, 1, 20, 100, 400, 5_000);
const anyOrder = fc.record({
  cut: fc.nat(40), passedMs: fc.nat(300),
  times: fc.dictionary(fc.constantFrom('', ...QUEUES), anyMs, { maxKeys: 4 }),
});

t.test('property: whatever is set and whenever, exactly what is old enough of ended jobs is gone', async () => {
  const steps = fc.array(anyStep, { minLength: 1, maxLength: 30 });
  const orders = fc.array(anyOrder, { minLength: 1, maxLength: 5 });
  let [gone, all] = [0, 0];
  await fc.assert(fc.asyncProperty(steps, fc.integer({ min: 1, max: 9 }), orders, async (given, size, asked) => {
    const journalled = written(given);
    const { commits, contents, timesMs } = journalled;
    const store = await archived(commits, size);
    const retainer = await retainerOf(store);
    const removed = new Set<Kept>();
    let nowMs = timesMs.at(-1) ?? 0;
    for (const { cut, passedMs, times } of asked) {
      nowMs += passedMs;
      const settings = Object.entries(times).map(([queue, contentMs]) => ({ queue, contentMs }));
      // The last segment may be a short one: it counts as whole when its last commit is below the cut.
      const cutSeq = Math.min(cut, Math.floor(commits.length / size) * size);
      const order = { journalId, cutSeq, nowMs, settings };
      const before = removed.size;
      for (const each of contents) if (isDue(journalled, each, size, order)) removed.add(each);
      if ((await passed(retainer, order)) !== removed.size - before) return false;
    }
    [gone, all] = [gone + removed.size, all + contents.length];
    if ((await wrongIn(store)).length > 0) return false;
    return await isSame(store, without(journalled, (each) => removed.has(each)));
  }), { numRuns: 300 });
  t.ok(gone > 100 && all > 2 * gone, `${gone} of ${all} contents went`);
});

const SOME = written(Array.from({ length: 12 }, (_, nth): Step => ({
  passedMs: 10,
  acts: [{ job: nth, what: 'submit' }, { job: nth - 1, what: 'complete' }, { job: nth - 3, what: 'retry' }],
})));
const ORDER: RetentionOrder = {
  journalId, cutSeq: 12, nowMs: 1_150, settings: [{ queue: '', contentMs: 60 }, { queue: 'mail', contentMs: 0 }],
};

t.test('given a crash at any operation of a pass, then nothing else is lost, and the next one completes it', async (t) => {
  const whole = without(SOME, (each) => isDue(SOME, each, 4, ORDER));
  t.ok(SOME.contents.some((each) => isDue(SOME, each, 4, ORDER)));
  for (const isDone of [false, true]) {
    for (let at = 1; ; at += 1) {
      const inside = await archived(SOME.commits, 4);
      const archive = await opened(inside);
      const store = new CrashingStore(inside, at, isDone);
      const dying = new Retainer({ store, archive, goesOn: () => true });
      const crashed = await passed(dying, ORDER).then(() => false, () => true);
      const wrong = await wrongIn(inside);
      if (wrong.includes('finding')) t.fail(`a finding after a crash at ${at}`);
      await passed(await retainerOf(inside), ORDER);
      if (!(await isSame(inside, whole))) t.fail(`after a crash at ${at} and the next pass`);
      t.strictSame(await wrongIn(inside), [], `nothing is left of a crash at ${at}`);
      if (!crashed) break;
      if (at > 300) return t.fail('it does not end');
    }
  }
});

t.test('given a pass that found nothing more, then the next one reads no segment', async (t) => {
  const store = await archived(SOME.commits, 4);
  const counting = new CrashingStore(store, Infinity, false);
  const retainer = await retainerOf(counting);
  await passed(retainer, ORDER);
  const before = counting.operations;
  t.equal(await passed(retainer, ORDER), 0);
  t.equal(counting.operations, before + 1, 'the list of segments');
  t.ok((await passed(retainer, { ...ORDER, nowMs: ORDER.nowMs + 1_000 })) > 0, 'until more is due');
});

t.test('given that it is told to end, then nothing is written', async (t) => {
  const store = await archived(SOME.commits, 4);
  const before = new Map(store.objects);
  let asked = 0;
  const retainer = new Retainer({ store, archive: await opened(store), goesOn: () => (asked += 1) < 7 });
  await passed(retainer, ORDER).catch(() => undefined);
  t.strictSame(store.objects, before);
});
