/** What is archived comes back byte for byte, however it is cut, and whichever contents are removed. */
import t, { type Test } from 'tap';
import fc from 'fast-check';
import type { Partition } from '../../protocols/ids.js';
import type { Stored } from '../../streams/journal.js';
import { Chain } from '../../streams/chain.js';
import { checkContents, commitHash, readCommit, removeContents } from '../../streams/contents.js';
import { EncodedCommit } from '../../streams/encoded-commit.js';
import { openArchive, type Archive } from '../../streams/archive/archive.js';
import { actorId, anyJournal, hostileCommit, JOURNAL, journalOf, type AnyCommit } from '../../streams/archive/conformance/commits.js';
import { CrashingStore, MemoryStore } from '../../streams/archive/conformance/stores.js';
import { FolderStore } from '../../streams/archive/folder-store.js';
import { hashOfFacts } from '../../streams/archive/manifest.js';
import { removeArchivedContents } from '../../streams/archive/remove-contents.js';
import { SegmentWriter } from '../../streams/archive/segment-writer.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import { verifyArchive, type Verified } from '../../streams/archive/verify.js';

const opened = (store: ArchiveStore): Promise<Archive> =>
  openArchive(store, JOURNAL.namespace, JOURNAL.partition, JOURNAL.journalId, { cacheBytes: 50_000 });

/** Small blocks, so that a segment has several. */
const BLOCKS = { blockBytes: 700 };

/** Archives what is not archived yet, in segments of so many commits. */
async function archiveAll(store: ArchiveStore, journal: readonly Stored[], cuts: readonly number[]): Promise<Archive> {
  const archive = await opened(store);
  for (let nth = 0; ; nth += 1) {
    const from = archive.head?.seq ?? 0;
    const rest = journal.filter(({ seq }) => seq > from);
    if (rest.length === 0) return archive;
    const last = archive.manifests.at(-1);
    const previous = last === undefined ? '' : hashOfFacts(last.facts);
    const writer = new SegmentWriter({ journal: JOURNAL, head: archive.head, previous }, BLOCKS);
    for (const commit of rest.slice(0, cuts[nth % cuts.length])) await writer.add(commit);
    await archive.write(await writer.finish());
  }
}

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of from) found.push(each);
  return found;
}

const verified = (store: ArchiveStore): Promise<Verified[]> => all(verifyArchive(store, JOURNAL));
const findings = async (store: ArchiveStore): Promise<Verified[]> =>
  (await verified(store)).filter(({ kind }) => kind === 'finding');

const isSame = (read: readonly Stored[], wanted: readonly Stored[]): boolean =>
  read.length === wanted.length && wanted.every(({ seq, bytes }, nth) =>
    read[nth]!.seq === seq && Buffer.compare(read[nth]!.bytes, bytes) === 0);

const anyCuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

t.test('property: any journal, cut into any segments, comes back byte for byte', async () => {
  await fc.assert(fc.asyncProperty(anyJournal(), anyCuts, fc.nat(400), async (journal, cuts, from) => {
    const store = new MemoryStore();
    await archiveAll(store, journal, cuts);
    const archive = await opened(store);
    const [head, last] = [archive.head!, journal.at(-1)!];
    if (head.seq !== last.seq || Buffer.compare(head.hash, commitHash(last.bytes)) !== 0) return false;
    if (!isSame(await all(archive.replay(1)), journal)) return false;
    if (!isSame(await all(archive.replay(from)), journal.filter(({ seq }) => seq >= from))) return false;
    const one = await archive.read(from);
    const wanted = journal.find(({ seq }) => seq === from);
    const isRead = isSame(one ? [one] : [], wanted ? [wanted] : []);
    return isRead && (await verified(store)).every(({ kind }) => kind === 'segment');
  }), { numRuns: 150 });
});

t.test('property: also with contents that nobody of us wrote, and verification names those', async () => {
  await fc.assert(fc.asyncProperty(anyJournal(hostileCommit), anyCuts, async (written, cuts) => {
    const store = new MemoryStore();
    const journal = accepted(written);
    const archive = await archiveAll(store, journal, cuts);
    const changed = journal.filter(({ bytes }) => checkContents(new EncodedCommit(bytes)).changed !== undefined);
    const named = (await findings(store)).flatMap((each) => (each.kind === 'finding' ? [each.position] : []));
    return isSame(await all(archive.replay(1)), journal) &&
      JSON.stringify(named) === JSON.stringify(changed.map(({ seq }) => seq));
  }), { numRuns: 150 });
});

/** The commits that a leader would accept, up to the first one that the chain ends at. */
function accepted(written: readonly Stored[]): readonly Stored[] {
  const chain = new Chain(JOURNAL.partition);
  const end = written.findIndex((commit) => {
    try {
      return chain.accept(commit).kind !== 'commit';
    } catch {
      return true;
    }
  });
  return end === -1 ? written : written.slice(0, end);
}

t.test('property: every commit of an actor is among its positions, and they are few', async () => {
  await fc.assert(fc.asyncProperty(anyJournal(), anyCuts, fc.nat(40), async (journal, cuts, actor) => {
    const archive = await archiveAll(new MemoryStore(), journal, cuts);
    const wanted = journal.filter(({ bytes }) =>
      readCommit(bytes).commit.events.some(({ id }) => id === actorId(actor))).map(({ seq }) => seq);
    const found = await archive.positionsOf('job', actorId(actor));
    const within = await archive.positionsOf('job', actorId(actor), { fromSeq: 3, toSeq: 9 });
    // 41 actors and 28 bits: another one is found by mistake in one of six million runs.
    return JSON.stringify(found) === JSON.stringify(wanted) &&
      JSON.stringify(within) === JSON.stringify(wanted.filter((seq) => seq >= 3 && seq <= 9));
  }), { numRuns: 100 });
});

t.test('property: whichever contents are removed, the chain stands and exactly those are named', async () => {
  const bits = fc.infiniteStream(fc.boolean());
  await fc.assert(fc.asyncProperty(anyJournal(), anyCuts, bits, async (journal, cuts, draw) => {
    const store = new MemoryStore();
    const archive = await archiveAll(store, journal, cuts);
    const names = archive.manifests.map(({ facts }) => facts.blocks.name);
    const facts = new Map(names.map((name) => [name, store.objects.get(name)]));
    const drawn = new Map<number, number[]>();
    for (const { facts: { firstSeq } } of archive.manifests) {
      await removeArchivedContents(store, JOURNAL, firstSeq, ({ seq, index }) => {
        if (draw.next().value !== true) return false;
        drawn.set(seq, [...(drawn.get(seq) ?? []), index]);
        return true;
      });
    }
    const wanted = journal.map(({ seq, bytes }) => ({ seq, bytes: removeContents(bytes, drawn.get(seq) ?? []) }));
    const removedIn = (each: Verified): number => (each.kind === 'segment' ? each.removed : NaN);
    const counted = (await verified(store)).reduce((sum, each) => sum + removedIn(each), 0);
    const removed = wanted.reduce((sum, { bytes }) => sum + checkContents(new EncodedCommit(bytes)).removed.length, 0);
    // The archive that was open before finds the new contents, too.
    return isSame(await all(archive.replay(1)), wanted) && isSame(await all((await opened(store)).replay(1)), wanted) &&
      counted === removed && [...facts].every(([name, bytes]) => store.objects.get(name) === bytes);
  }), { numRuns: 100 });
});

const SOME: readonly AnyCommit[] = Array.from({ length: 5 }, (_, n) => ({
  gap: n === 3 ? 2 : 0, version: n % 3 === 0 ? 1 : 2, removed: n === 2 ? [0] : [], beside: undefined,
  events: [0, 1, 2].map((nth) => ({ actor: n + nth, content: new Uint8Array(nth * 9).fill(n) })),
}));

t.test('what is in the cache of a reader counts for a time only', async (t) => {
  const store = new MemoryStore();
  const journal = journalOf(SOME);
  await archiveAll(store, journal, [3]);
  const { namespace, partition, journalId } = JOURNAL;
  const [fresh, late] = await Promise.all([0, 60_000].map((freshMs) =>
    openArchive(store, namespace, partition, journalId, { freshMs })));
  const read = (from: Archive): Promise<Stored | undefined> => from.read(1);
  await Promise.all([read(fresh!), read(late!)]);
  await removeArchivedContents(store, JOURNAL, 1, ({ seq }) => seq === 2);
  const [{ bytes: whole }, removed] = [journal[1]!, removeContents(journal[1]!.bytes, [1, 2])];
  t.strictSame(Buffer.from((await fresh!.read(2))!.bytes), Buffer.from(removed));
  t.strictSame(Buffer.from((await late!.read(2))!.bytes), Buffer.from(whole));
});

t.test('every single flipped byte of any object is found', async (t) => {
  const store = new MemoryStore();
  await archiveAll(store, journalOf(SOME), [3]);
  t.strictSame(await findings(store), []);
  const missed: string[] = [];
  for (const [name, bytes] of [...store.objects]) {
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      store.objects.set(name, changed);
      if ((await findings(store)).length === 0) missed.push(`${name} at ${at}`);
    }
    store.objects.set(name, bytes);
  }
  t.strictSame(missed, []);
});

t.test('every object that is missing, longer or shorter is found, and reading it is an error', async (t) => {
  const store = new MemoryStore();
  const archive = await archiveAll(store, journalOf(SOME), [3]);
  const { firstSeq } = archive.manifests[1]!.facts;
  for (const [name, bytes] of [...store.objects]) {
    const isLast = name.includes('.manifest.') && name.includes(`${archive.manifests.at(-1)!.facts.firstSeq}.`);
    for (const changed of [undefined, bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from('x')])]) {
      if (changed === undefined) store.objects.delete(name);
      else store.objects.set(name, changed);
      // Without its last manifest an archive is a shorter one: a known head tells.
      const wanted = isLast && changed === undefined ? 0 : 1;
      t.ok((await findings(store)).length >= wanted, `${name} ${changed?.length}`);
    }
    store.objects.set(name, bytes);
  }
  const { blocks } = archive.manifests[1]!.facts;
  store.objects.delete(blocks.name);
  const fresh = await opened(store);
  await t.rejects(fresh.read(firstSeq), { code: 'ARCHIVE_BROKEN', message: new RegExp(blocks.name), retryable: false });
  await t.rejects(all(fresh.replay(1)), { code: 'ARCHIVE_BROKEN' });
});

/** Crashes at every operation, before and after it is done, until none is left. */
async function crashing(
  t: Test, act: (store: ArchiveStore) => Promise<unknown>, check: (inside: MemoryStore, what: string) => Promise<void>,
  prepared: () => Promise<MemoryStore>,
): Promise<void> {
  for (const isDone of [false, true]) {
    for (let at = 1; ; at += 1) {
      const inside = await prepared();
      const store = new CrashingStore(inside, at, isDone);
      const crashed = await act(store).then(() => false, () => true);
      await check(inside, `a crash ${isDone ? 'after' : 'before'} operation ${at}`);
      if (!crashed) break;
      t.ok(at < 500);
    }
  }
}


t.test('given a crash at any operation of a write, then nothing is lost and the next writer goes on', async (t) => {
  const journal = journalOf(SOME);
  await crashing(t, (store) => archiveAll(store, journal, [3]), async (inside, what) => {
    const before = await opened(inside);
    const head = before.head?.seq ?? 0;
    const read = await all(before.replay(1));
    t.ok(isSame(read, journal.filter(({ seq }) => seq <= head)), `${what}: what has a manifest is whole`);
    t.strictSame(await findings(inside), [], `${what}: and nothing is wrong with it`);
    // Another cut than before: the left-overs are of other bytes.
    await archiveAll(inside, journal, [2]);
    t.ok(isSame(await all((await opened(inside)).replay(1)), journal), `${what}: and the rest follows`);
    t.ok((await verified(inside)).every(({ kind }) => kind === 'segment'), `${what}: and nothing is left over`);
  }, async () => new MemoryStore());
});

t.test('given a crash at any operation of a removal, then it can be repeated and the chain stands', async (t) => {
  const journal = journalOf(SOME);
  const remove = (store: ArchiveStore) => removeArchivedContents(store, JOURNAL, 1, ({ index }) => index === 2);
  const prepared = async (): Promise<MemoryStore> => {
    const inside = new MemoryStore();
    await archiveAll(inside, journal, [4]);
    return inside;
  };
  await crashing(t, remove, async (inside, what) => {
    t.strictSame(await findings(inside), [], what);
    await remove(inside);
    t.ok((await verified(inside)).every(({ kind }) => kind === 'segment'), `${what}: nothing is left over`);
    const read = await all((await opened(inside)).replay(1));
    const left = read.slice(0, 4).flatMap(({ bytes }) => (new EncodedCommit(bytes).content(2) ? [bytes] : []));
    t.strictSame(left, [], `${what}: and the contents are gone`);
  }, prepared);
});

t.test('given two archivers of one position, then the first one counts and the other goes on from it', async (t) => {
  const [store, journal] = [new MemoryStore(), journalOf(SOME)];
  const [one, two] = [await opened(store), await opened(store)];
  const [ofOne, ofTwo] = [one.next(), two.next()];
  for (const commit of journal.slice(0, 4)) await ofOne.add(commit);
  for (const commit of journal.slice(0, 2)) await ofTwo.add(commit);
  t.equal(await one.write(await ofOne.finish()), true);
  t.equal(await two.write(await ofTwo.finish()), false);
  t.equal(two.head?.seq, one.head?.seq);
  t.strictSame((await verified(store)).map(({ kind }) => kind), ['segment'], 'and nothing is left over');
});

t.test('given a commit that does not follow, or a foreign message, then it is not archived', async (t) => {
  const journal = journalOf(SOME);
  const writer = (await opened(new MemoryStore())).next();
  t.equal(await writer.add({ seq: 1, bytes: Buffer.from('foreign') }), false);
  t.equal(await writer.add(journal[0]!), true);
  t.equal(await writer.add({ seq: 2, bytes: Buffer.from([255, 255]) }), false);
  await t.rejects(writer.add(journal[2]!), { code: 'JOURNAL_BROKEN' });
  const another = { ...JOURNAL, partition: 4 as Partition };
  const elsewhere = new SegmentWriter({ journal: another, head: undefined, previous: '' });
  t.equal(await elsewhere.add(journal[0]!), false, 'of another partition');
  await t.rejects(elsewhere.finish(), { code: 'INVALID_ARGUMENT' }, 'a segment without commits');
});

t.test('on a folder: what is archived is there for whoever opens it next', async (t) => {
  const [folder, journal] = [t.testdir(), journalOf(SOME)];
  await archiveAll(new FolderStore(folder), journal, [2]);
  const store = new FolderStore(folder);
  t.ok(isSame(await all((await opened(store)).replay(1)), journal));
  await removeArchivedContents(store, JOURNAL, 1, () => true);
  t.match((await verified(store))[0], { kind: 'segment', firstSeq: 1, contents: 0 });
  t.ok((await verified(store)).every(({ kind }) => kind === 'segment'));
});

t.test('given commits that others archive meanwhile, then an open archive finds them when it is told to', async (t) => {
  const [store, journal] = [new MemoryStore(), journalOf(SOME)];
  const early = await opened(store);
  await archiveAll(store, journal, [2]);
  t.equal(await early.read(journal[0]!.seq), undefined);
  await early.refresh();
  t.same(Buffer.from((await early.read(journal[0]!.seq))!.bytes), Buffer.from(journal[0]!.bytes));
  t.equal(await early.read(journal[3]!.seq - 1), undefined, 'and nothing where there was a foreign message');
  t.equal(await early.read(1_000), undefined);
});

t.test('the journal of an archive is found, unless there are none or several', async (t) => {
  const store = new MemoryStore();
  const open = () => openArchive(store, JOURNAL.namespace, JOURNAL.partition);
  await t.rejects(open(), { code: 'NOT_FOUND' });
  await archiveAll(store, journalOf(SOME), [9]);
  t.equal((await open()).journal.journalId, JOURNAL.journalId);
  store.objects.set('ns/another/3/0000000000000001.manifest.json', Buffer.from('{}'));
  await t.rejects(open(), { code: 'INVALID_ARGUMENT', message: /another/ });
  t.equal((await opened(store)).manifests.length, 1);
});
