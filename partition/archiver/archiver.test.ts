/** Whatever fails and whenever, every commit is in the journal or in the archive, and the archive is whole. */
import fc from 'fast-check';
import t from 'tap';
import { openArchive } from '../../streams/archive/archive.js';
import { archiveBehind } from '../../streams/archive/behind.js';
import { anyJournal, JOURNAL, journalOf } from '../../streams/archive/conformance/commits.js';
import { CrashingStore, MemoryStore } from '../../streams/archive/conformance/stores.js';
import type { ArchiveStore, ByteRange } from '../../streams/archive/store.js';
import { verifyArchive } from '../../streams/archive/verify.js';
import type { Head } from '../../streams/chain.js';
import type { Stored } from '../../streams/journal.js';
import { MemoryStream } from '../../streams/memory.js';
import type { Namespace } from '../../protocols/ids.js';
import { readingThrough } from '../../streams/reading-through.js';
import { Archiver } from './archiver.js';

const { namespace, partition, journalId } = JOURNAL;
const AT_ONCE = { segmentBytes: 1_200, intervalMs: 0 };

/** With foreign messages where the commits leave a gap. */
function streamOf(commits: readonly Stored[]): MemoryStream {
  const stream = new MemoryStream(partition);
  for (const { seq, bytes } of commits) {
    while (stream.lastSeq < seq - 1) stream.write(Buffer.from('foreign'));
    stream.write(bytes);
  }
  return stream;
}

interface Staged {
  readonly stream: MemoryStream;
  readonly store: ArchiveStore;
  readonly policy?: { readonly segmentBytes: number; readonly intervalMs: number };
  readonly truncates?: boolean;
}

async function archiverOf({ stream, store, policy = AT_ONCE, truncates = false }: Staged) {
  const archived: number[] = [];
  const archiver = new Archiver({
    journal: await stream.open(), policy, monoMs: () => 0, goesOn: () => true,
    openArchive: (of) => openArchive(store, namespace, partition, of),
    onArchived: ({ seq }: Head) => {
      archived.push(seq);
      // As soon as it may: what is archived is gone, except for the last commit.
      if (truncates) stream.truncate(Math.min(seq, stream.lastSeq));
    },
  });
  return { archiver, archived };
}

async function all(from: AsyncIterable<Stored>): Promise<Stored[]> {
  const found: Stored[] = [];
  for await (const each of from) found.push(each);
  return found;
}

const isFindingIn = async (store: ArchiveStore): Promise<boolean> => {
  for await (const { kind } of verifyArchive(store, JOURNAL)) if (kind === 'finding') return true;
  return false;
};

/** Every commit, byte for byte, from the archive and the journal. */
async function isWhole(stream: MemoryStream, store: ArchiveStore, commits: readonly Stored[]): Promise<boolean> {
  if (await isFindingIn(store)) return false;
  const through = readingThrough(await stream.open(), (of) => archiveBehind(store, namespace as Namespace, of));
  const read = (await all(through.replay(1))).filter(({ bytes }) => Buffer.from(bytes).toString() !== 'foreign');
  return read.length === commits.length &&
    commits.every(({ seq, bytes }, nth) => read[nth]!.seq === seq && Buffer.compare(read[nth]!.bytes, bytes) === 0);
}

const event = { actor: 1, content: new Uint8Array(60) };
const plain = { gap: 0, version: 2, events: [event, event, event], removed: [], beside: undefined } as const;
const commits = journalOf(Array.from({ length: 12 }, (_, nth) => ({ ...plain, gap: nth % 5 === 4 ? 2 : 0 })));

t.test('whichever operation of the store is the last one, nothing is lost, and the next archiver goes on', async (t) => {
  const counting = new CrashingStore(new MemoryStore(), Infinity, false);
  const whole = await archiverOf({ stream: streamOf(commits), store: counting });
  await whole.archiver.step();
  t.equal(whole.archived.at(-1), commits.at(-1)!.seq);
  t.ok(whole.archived.length > 2, 'it has several segments');
  for (let at = 1; at <= counting.operations; at += 1) {
    for (const isDone of [false, true]) {
      const [stream, store] = [streamOf(commits), new MemoryStore()];
      const died = await archiverOf({ stream, store: new CrashingStore(store, at, isDone), truncates: true });
      await died.archiver.step().catch(() => undefined);
      if (!(await isWhole(stream, store, commits))) t.fail(`after a crash at ${at}`);
      const next = await archiverOf({ stream, store, truncates: true });
      await next.archiver.step();
      if (next.archived.at(-1) !== commits.at(-1)!.seq) t.fail(`it did not go on after ${at}`);
      if (!(await isWhole(stream, store, commits))) t.fail(`after a crash at ${at} and the next one`);
    }
  }
});

class Flaky extends MemoryStore {
  failing = 0;
  private count = 0;

  private check(): void {
    this.count += 1;
    if (this.count === this.failing) throw new Error('it failed');
  }

  override async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    this.check();
    return super.put(name, parts);
  }

  override async get(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    this.check();
    return super.get(name, range);
  }

  override async list(prefix: string): Promise<readonly string[]> {
    this.check();
    return super.list(prefix);
  }
}

t.test('given one operation that fails, then the same archiver goes on', async (t) => {
  for (let at = 1; at <= 60; at += 1) {
    const [stream, store] = [streamOf(commits), new Flaky()];
    store.failing = at;
    const { archiver, archived } = await archiverOf({ stream, store, truncates: true });
    await archiver.step().catch(() => archiver.step());
    store.failing = 0;
    if (archived.at(-1) !== commits.at(-1)!.seq || !(await isWhole(stream, store, commits))) t.fail(`failing at ${at}`);
  }
});

t.test('property: any journal, archived and truncated at any time, is read through as it was', async () => {
  const anySize = fc.integer({ min: 1, max: 3_000 });
  await fc.assert(fc.asyncProperty(anyJournal(), anySize, fc.nat(30), async (journal, segmentBytes, cut) => {
    const [stream, store] = [streamOf(journal), new MemoryStore()];
    const { archiver } = await archiverOf({ stream, store, policy: { segmentBytes, intervalMs: 0 } });
    await archiver.step();
    const through = readingThrough(await stream.open(), (of) => archiveBehind(store, namespace as Namespace, of));
    const read: number[] = [];
    for await (const { seq } of through.replay(1)) {
      read.push(seq);
      // While it is read.
      if (read.length === cut) stream.truncate(journal[Math.min(cut + 3, journal.length - 1)]!.seq);
    }
    const wanted = journal.filter(({ seq }) => !read.includes(seq));
    stream.truncate(journal.at(-1)!.seq);
    for (const { seq, bytes } of journal) {
      const stored = await through.read(seq);
      if (stored === undefined || Buffer.compare(stored.bytes, bytes) !== 0) return false;
    }
    return wanted.length === 0 && read.every((seq, nth) => nth === 0 || seq > read[nth - 1]!);
  }));
});

t.test('given an archive that does not fit, then it is refused and not changed', async (t) => {
  const store = new MemoryStore();
  await (await archiverOf({ stream: streamOf(commits), store })).archiver.step();
  const before = new Map(store.objects);
  const refuses = async (stream: MemoryStream, message: RegExp, of: ArchiveStore = store): Promise<void> => {
    const { archiver, archived } = await archiverOf({ stream, store: of });
    await t.rejects(archiver.step(), { code: 'ARCHIVE_BROKEN', message });
    t.strictSame(archived, []);
    t.strictSame(store.objects, before);
  };
  await refuses(streamOf(commits.slice(0, 7)), /it ends at .*, but the journal at/);
  const other = journalOf(Array.from({ length: 30 }, () => ({ ...plain, gap: 0 })));
  await refuses(streamOf(other), /has another commit at/);
  const truncated = streamOf(commits);
  truncated.truncate(commits[4]!.seq);
  await refuses(truncated, /it is empty, but the journal begins after .*: commits are missing/, new MemoryStore());
  const half = new MemoryStore();
  await (await archiverOf({ stream: streamOf(commits.slice(0, 3)), store: half })).archiver.step();
  await refuses(truncated, /it ends at .*, but the journal begins after .*: commits are missing/, half);
});

t.test('given nothing that is due, then nothing is written; two archivers write one archive', async (t) => {
  const [stream, store] = [streamOf(commits), new MemoryStore()];
  let nowMs = 0;
  const patient = new Archiver({
    journal: await stream.open(), policy: { segmentBytes: 1e9, intervalMs: 100 }, monoMs: () => nowMs,
    goesOn: () => true, openArchive: (of) => openArchive(store, namespace, partition, of), onArchived: () => undefined,
  });
  await patient.step();
  t.equal(store.objects.size, 0);
  const [one, two] = [await archiverOf({ stream, store }), await archiverOf({ stream, store })];
  await Promise.all([one.archiver.step(), two.archiver.step()]);
  nowMs = 100;
  await patient.step();
  await patient.step();
  t.ok(await isWhole(stream, store, commits));
  const archive = await openArchive(store, namespace, partition, journalId);
  t.equal(archive.head?.seq, commits.at(-1)!.seq);
});
