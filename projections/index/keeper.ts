/**
 * Keeps an index of jobs usable: opens the one that is on disk if it belongs to the journal, and makes it again if it
 * is missing or broken: at a take-over from the commits that are replayed, later by reading them while the leader
 * goes on.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { sameBytes } from '../../streams/chain.js';
import { commitHash } from '../../streams/contents.js';
import type { Committed } from '../../streams/committed.js';
import { catchUp, type ReadStored } from '../catch-up.js';
import type { Checkpoint } from '../projection.js';
import { BrokenIndex } from './block.js';
import type { Entry } from './entry.js';
import { removeUnknown } from './files.js';
import { takeHome, type Home } from './home.js';
import { JobIndex, type IndexOptions } from './job-index.js';

export interface KeeperOptions extends Pick<IndexOptions, 'tableEntries' | 'perform'> {
  readonly partition: Partition;
  readonly namespace: Namespace;
  /** The folder of all indexes. Without it, or if it cannot be written, the index stays in memory. */
  readonly root?: string | undefined;
  readonly warn?: (details: object, message: string) => void;
}

export class IndexKeeper {
  index: JobIndex;
  /** It lacks commits that were followed. They are read, or come with the next take-over. */
  isBehind = false;
  private home: Home | undefined;
  private isOpen = false;
  private seenSeq = 0;
  private read: ReadStored | undefined;
  /** Changes with every take-over, so that a catching up from before it ends. */
  private term = 0;
  private catching: number | undefined;

  /** @param follow gets the commits that are read to catch up; {@link committed} is called for them here */
  constructor(
    private readonly options: KeeperOptions,
    private readonly follow: (commit: Committed) => void,
  ) {
    this.index = new JobIndex(options);
  }

  /** Before a take-over. @returns after which commit the index begins; undefined: after the last one that it got */
  async begin(read: ReadStored): Promise<Checkpoint | undefined> {
    this.term += 1;
    this.read = undefined;
    const goesOn = this.isOpen && !this.isBehind;
    if (!this.isOpen) await this.open(read);
    this.isOpen = true;
    this.isBehind = false;
    return goesOn ? undefined : this.index.last;
  }

  /** Up to there it is on disk, or needs nothing: an index in memory is made again from the archive. */
  get storedSeq(): number {
    if (this.home === undefined || this.isBehind) return this.seenSeq;
    void this.index.save();
    return this.index.stored.seq;
  }

  /** @param read valid until the next {@link begin} */
  lead(read: ReadStored): void {
    this.read = read;
    this.catchUp();
  }

  /** It is made again when what it lacks can be read. */
  skipped(seq: number): void {
    this.isBehind = true;
    this.seenSeq = Math.max(this.seenSeq, seq);
  }

  committed(commit: Committed): void {
    this.seenSeq = commit.seq;
    if (!this.isBehind) this.index.committed(commit);
  }

  /** @throws RepriseError TIMED_OUT while the answer is not known */
  async find(id: string): Promise<Entry | undefined> {
    try {
      const found = await this.index.find(id);
      if (found || !this.isBehind) return found;
    } catch (error) {
      if (!(error instanceof BrokenIndex)) throw error;
    }
    this.catchUp();
    throw new RepriseError('TIMED_OUT', 'The index of jobs that have ended is being made again.');
  }

  async close(): Promise<void> {
    this.term += 1;
    await this.index.close();
    await this.home?.release();
    this.home = undefined;
  }

  private async open(read: ReadStored): Promise<void> {
    const { root, namespace, partition } = this.options;
    if (root === undefined) return;
    try {
      this.home = await takeHome({
        root, name: `${namespace}.${partition}`,
        isInJournal: (checkpoint) => isInJournal(read, checkpoint),
        onBroken: (folder, error) => this.warn({ folder, err: error }, 'an index of jobs cannot be used'),
      });
      this.index = await this.indexIn(this.home);
    } catch (error) {
      if (error instanceof RepriseError) throw error;
      await this.home?.release().catch(() => {});
      this.home = undefined;
      this.warn({ folder: root, err: error }, 'the index of jobs stays in memory: its folder cannot be used');
    }
  }

  private async indexIn({ folder, manifest }: Home): Promise<JobIndex> {
    const options = this.indexOptions(folder);
    try {
      await removeUnknown(folder, manifest);
      if (manifest) return await JobIndex.open(options, manifest);
    } catch (error) {
      if (!(error instanceof BrokenIndex)) throw error;
      this.warn({ folder, err: error }, 'the index of jobs is broken and is made again from the journal');
      await removeUnknown(folder, undefined);
    }
    return new JobIndex(options);
  }

  private indexOptions(folder: string): IndexOptions & { readonly folder: string } {
    return {
      ...this.options, folder,
      onFailed: (error) => this.warn({ folder, err: error }, 'the index of jobs cannot be written; it stays in memory'),
      onBroken: (error) => this.replace(folder, error),
    };
  }

  /** Begins an empty index in the same folder. */
  private replace(folder: string, error: Error): void {
    this.warn({ folder, err: error }, 'the index of jobs is broken and is made again from the journal');
    const broken = this.index;
    this.seenSeq = Math.max(this.seenSeq, broken.last.seq);
    const ready = broken.close().then(() => removeUnknown(folder, undefined));
    this.index = new JobIndex({ ...this.indexOptions(folder), ready });
    this.isBehind = true;
    this.catchUp();
  }

  private catchUp(): void {
    const { read, term, options: { partition } } = this;
    if (!this.isBehind || read === undefined || this.catching === term) return;
    this.catching = term;
    const { index } = this;
    void catchUp({
      partition, read,
      goesOn: (seq) => this.isBehind && this.term === term && this.index === index && seq <= this.seenSeq,
      follow: (commit) => this.caught(commit),
    })
      .catch((error: unknown) => this.warn({ err: error }, 'the index of jobs could not be made again yet'))
      .finally(() => {
        if (this.catching === term) this.catching = undefined;
        // It broke again meanwhile.
        if (this.index !== index) this.catchUp();
      });
  }

  private caught(commit: Committed): void {
    if (commit.seq <= this.index.last.seq) return;
    this.follow(commit);
    this.index.committed(commit);
    // In the same turn as the last commit: the next one comes from the leader.
    if (commit.seq >= this.seenSeq) this.isBehind = false;
  }

  private warn(details: object, message: string): void {
    this.options.warn?.({ partition: this.options.partition, ...details }, message);
  }
}

/** A journal that lost its end, or that is another one, has something else there or nothing. */
async function isInJournal(read: ReadStored, { seq, hash }: Checkpoint): Promise<boolean> {
  const stored = await read(seq);
  try {
    return stored !== undefined && sameBytes(commitHash(stored.bytes), hash);
  } catch {
    return false;
  }
}
