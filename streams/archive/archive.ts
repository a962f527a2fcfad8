/**
 * The archive of a partition's journal: the commits of its segments, as they were in the journal, apart from contents
 * that were removed since. See docs/adr/0018.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { Head } from '../chain.js';
import type { Stored } from '../journal.js';
import { hashOfActor } from './actors-index.js';
import { BlockCache } from './block-cache.js';
import {
  checkFollows, folderOf, hashOfFacts, headOfSegment, isManifestName, manifestName, prefixOf,
  type JournalName, type Manifest,
} from './manifest.js';
import { SegmentReader, type BlockPair } from './segment-reader.js';
import { SegmentWriter, type Segment } from './segment-writer.js';
import type { ArchiveStore } from './store.js';
import { readManifest, writeSegment } from './write-segment.js';

export interface OpenOptions {
  /** Of what was read last. */
  readonly cacheBytes?: number;
  /** For so long what is in the cache counts, though retention may have removed it since: a minute. */
  readonly freshMs?: number;
}

const FRESH_MS = 60_000;

/**
 * @param journalId may be left out if the archive has one journal of that partition
 * @throws RepriseError ARCHIVE_UNREACHABLE, ARCHIVE_BROKEN; NOT_FOUND if there is no journal, INVALID_ARGUMENT if there
 * are several, without a journalId
 */
export async function openArchive(
  store: ArchiveStore, namespace: string, partition: Partition, journalId?: string, options: OpenOptions = {},
): Promise<Archive> {
  const name = { namespace, partition, journalId: journalId ?? (await onlyJournal(store, namespace, partition)) };
  const archive = new Archive(store, name, new BlockCache(options.cacheBytes), options.freshMs);
  await archive.refresh();
  return archive;
}

/** The journals of which there are segments, by namespace and partition. */
export async function archivedJournals(store: ArchiveStore, namespace: string): Promise<readonly JournalName[]> {
  const names = (await store.list(`${namespace}/`)).filter(isManifestName);
  const folders = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/'))));
  return [...folders].map((folder) => {
    const [, journalId = '', partition = ''] = folder.split('/');
    return { namespace, journalId, partition: Number(partition) as Partition };
  });
}

async function onlyJournal(store: ArchiveStore, namespace: string, wanted: Partition): Promise<string> {
  const found = (await archivedJournals(store, namespace)).filter(({ partition }) => partition === wanted);
  const where = `of partition ${wanted} of ${namespace} in ${store.location}`;
  if (found[0] === undefined) throw new RepriseError('NOT_FOUND', `There is no archive ${where}.`, { hint: '' });
  if (found.length === 1) return found[0].journalId;
  const ids = found.map(({ journalId }) => journalId).join(', ');
  throw new RepriseError('INVALID_ARGUMENT', `There are several journals ${where}: ${ids}. Name one.`);
}

export class Archive {
  private segments: SegmentReader[] = [];
  /** When the manifest of a segment was read, by its name. */
  private readonly readMs = new Map<string, number>();

  constructor(
    private readonly store: ArchiveStore,
    readonly journal: JournalName,
    private readonly cache: BlockCache,
    private readonly freshMs = FRESH_MS,
  ) {}

  get manifests(): readonly Manifest[] {
    return this.segments.map(({ manifest }) => manifest);
  }

  /** The last commit that is archived. */
  get head(): Head | undefined {
    const last = this.segments.at(-1);
    return last && headOfSegment(last.manifest);
  }

  /** Finds segments that others wrote since. @throws RepriseError ARCHIVE_BROKEN if they do not follow each other */
  async refresh(): Promise<void> {
    const names = (await this.store.list(folderOf(this.journal))).filter(isManifestName);
    const known = new Map(this.segments.map((segment) => [this.nameOf(segment.manifest), segment]));
    const segments: SegmentReader[] = [];
    for (const name of names) {
      const segment = known.get(name) ?? this.readerOf(await readManifest(this.store, name));
      checkFollows(this.journal, segments.at(-1)?.manifest, segment.manifest);
      segments.push(segment);
    }
    this.segments = segments;
  }

  /** The commit at a position, or undefined if none is archived there. */
  async read(seq: number): Promise<Stored | undefined> {
    const nth = this.segments.findLastIndex(({ manifest: { facts } }) => facts.firstSeq <= seq);
    const segment = this.segments[nth];
    if (segment === undefined || segment.manifest.facts.lastSeq < seq) return undefined;
    return await this.reading(nth, (current) => current.read(seq));
  }

  /** All commits from a position on, in order. */
  async *replay(fromSeq: number): AsyncGenerator<Stored> {
    const { segments } = this;
    for (let nth = 0; nth < segments.length; nth += 1) {
      if (segments[nth]!.manifest.facts.lastSeq < fromSeq) continue;
      for await (const commit of this.commitsOf(nth, fromSeq)) if (commit.seq >= fromSeq) yield commit;
    }
  }

  /**
   * Positions of the commits that may have events of an actor, in order. A few have none: the caller must look.
   * @param within positions, both included
   */
  async positionsOf(
    kind: string, id: string, within: { readonly fromSeq?: number; readonly toSeq?: number } = {},
  ): Promise<readonly number[]> {
    const { fromSeq = 0, toSeq = Infinity } = within;
    const actor = hashOfActor(kind, id);
    const positions: number[] = [];
    for (const segment of this.segments) {
      const { firstSeq, lastSeq } = segment.manifest.facts;
      if (lastSeq < fromSeq || firstSeq > toSeq) continue;
      positions.push(...(await segment.positionsOf(actor)));
    }
    return positions.filter((seq) => seq >= fromSeq && seq <= toSeq);
  }

  /**
   * A writer of the segment that follows.
   * @param head the commit before its first one, for an archive that is empty and begins within the journal
   */
  next(head = this.head): SegmentWriter {
    const last = this.segments.at(-1);
    return new SegmentWriter({ journal: this.journal, head, previous: last ? hashOfFacts(last.manifest.facts) : '' });
  }

  /**
   * Stores a segment of {@link next}. Can be repeated after any error.
   * @returns false if another archiver was faster: what it wrote is in the archive now
   */
  async write(segment: Segment): Promise<boolean> {
    const { kind } = await writeSegment(this.store, segment);
    await this.refresh();
    return kind === 'written';
  }

  private async *commitsOf(nth: number, fromSeq: number): AsyncGenerator<Stored> {
    const blocks = await this.reading(nth, (segment) => segment.blocks());
    const first = Math.max(0, blocks.findLastIndex(({ facts }) => facts.firstSeq <= fromSeq));
    let coming = this.commitsIn(nth, blocks[first]);
    for (let at = first; at < blocks.length; at += 1) {
      const commits = await coming;
      // The next block is read while the caller is busy with this one.
      coming = this.commitsIn(nth, blocks[at + 1]);
      yield* commits;
    }
  }

  private commitsIn(nth: number, block: BlockPair | undefined): Promise<readonly Stored[]> {
    if (block === undefined) return Promise.resolve([]);
    const { firstSeq } = block.facts;
    const read = this.reading(nth, async (segment) => {
      const pair = (await segment.blocks()).find(({ facts }) => facts.firstSeq === firstSeq);
      return pair === undefined ? [] : await segment.commits(pair);
    });
    read.catch(() => undefined);
    return read;
  }

  /** Reads a segment, and once more if its contents were replaced meanwhile. */
  private async reading<T>(nth: number, read: (segment: SegmentReader) => Promise<T>): Promise<T> {
    const known = this.segments[nth]!;
    const isFresh = performance.now() - (this.readMs.get(this.nameOf(known.manifest)) ?? 0) < this.freshMs;
    const segment = isFresh ? known : await this.current(nth);
    try {
      return await read(segment);
    } catch (error) {
      const current = await this.current(nth);
      if (current === segment) throw error;
      return await read(current);
    }
  }

  /** The segment as its manifest is now; as it was if that cannot be read. */
  private async current(nth: number): Promise<SegmentReader> {
    const segment = this.segments[nth]!;
    const manifest = await readManifest(this.store, this.nameOf(segment.manifest)).catch(() => undefined);
    if (manifest === undefined) return segment;
    this.readMs.set(this.nameOf(manifest), performance.now());
    if (manifest.contents.name === segment.manifest.contents.name) return segment;
    checkFollows(this.journal, this.segments[nth - 1]?.manifest, manifest);
    const current = this.readerOf(manifest);
    this.segments[nth] = current;
    return current;
  }

  private readerOf(manifest: Manifest): SegmentReader {
    this.readMs.set(this.nameOf(manifest), performance.now());
    return new SegmentReader(this.store, manifest, this.cache);
  }

  private nameOf = (manifest: Manifest): string => manifestName(prefixOf(this.journal, manifest.facts.firstSeq));
}
