/**
 * Archives one journal: reads its commits from the head of the archive on, and writes segments of them. It does no I/O
 * of its own, keeps nothing that it could not read again, and never changes what is in the archive.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Archive } from '../../streams/archive/archive.js';
import type { Segment, SegmentWriter } from '../../streams/archive/segment-writer.js';
import { sameBytes, type Head } from '../../streams/chain.js';
import { commitHash } from '../../streams/contents.js';
import { firstCommitOf, type FirstCommit } from '../../streams/first-commit.js';
import type { Journal, Stored } from '../../streams/journal.js';
import type { ArchivePolicy } from './messages.js';

export interface ArchiverOptions {
  readonly journal: Pick<Journal, 'partition' | 'end' | 'read' | 'replay'>;
  openArchive(journalId: string): Promise<Pick<Archive, 'head' | 'read' | 'next' | 'write'>>;
  readonly policy: Pick<ArchivePolicy, 'segmentBytes' | 'intervalMs'>;
  readonly monoMs: () => number;
  /** Whether it is to go on. Asked between two commits. */
  goesOn(): boolean;
  /** What is in the archive: at the beginning, and after every segment. */
  onArchived(head: Head): void;
}

export class Archiver {
  private archive: Awaited<ReturnType<ArchiverOptions['openArchive']>> | undefined;
  private writer: SegmentWriter | undefined;
  /** Finished, and perhaps not written. */
  private segment: Segment | undefined;
  /** The last position that was read. */
  private readSeq = 0;
  /** When the first commit was read that is not archived. */
  private sinceMs = 0;

  constructor(private readonly options: ArchiverOptions) {}

  /**
   * Reads to the end of the journal, and writes what is due. Can be called again after any error.
   * @throws RepriseError ARCHIVE_UNREACHABLE; ARCHIVE_BROKEN if archive and journal do not fit together
   */
  async step(): Promise<void> {
    try {
      this.archive ??= await this.begin();
      if (this.archive === undefined) return;
      if (this.segment !== undefined) await this.write(this.segment);
      await this.readOn();
      if (this.isOld) await this.cut();
    } catch (error) {
      this.writer = undefined;
      // A segment that could not be written is written again; everything else begins again at the archive's head.
      if (this.segment === undefined) this.archive = undefined;
      throw error;
    }
  }

  private get isOld(): boolean {
    const { options: { monoMs, policy }, writer } = this;
    return writer !== undefined && writer.commits > 0 && monoMs() - this.sinceMs >= policy.intervalMs;
  }

  private async readOn(): Promise<void> {
    const { journal, policy, goesOn } = this.options;
    if (!goesOn() || (await journal.end()).lastSeq <= this.readSeq) return;
    for await (const stored of journal.replay(this.readSeq + 1)) {
      if (!goesOn()) return;
      await this.add(stored);
      if ((this.writer?.rawBytes ?? 0) < policy.segmentBytes) continue;
      // Another archiver was faster: reading goes on where it ended.
      if (!(await this.cut())) return;
    }
  }

  private async add(stored: Stored): Promise<void> {
    this.writer ??= this.archive!.next();
    if (this.writer.commits === 0) this.sinceMs = this.options.monoMs();
    await this.writer.add(stored);
    this.readSeq = stored.seq;
  }

  private async cut(): Promise<boolean> {
    const segment = await this.writer!.finish();
    this.writer = undefined;
    this.segment = segment;
    return await this.write(segment);
  }

  /** @returns whether it is the one that counts */
  private async write(segment: Segment): Promise<boolean> {
    const isOurs = await this.archive!.write(segment);
    this.segment = undefined;
    const head = this.archive!.head!;
    this.readSeq = head.seq;
    this.options.onArchived(head);
    return isOurs;
  }

  /** @returns undefined while the journal is empty */
  private async begin(): Promise<Archiver['archive']> {
    const { journal, openArchive } = this.options;
    const first = await firstCommitOf(journal);
    if (first === undefined) return undefined;
    const archive = await openArchive(first.journalId);
    const { head } = archive;
    if (head === undefined) {
      if (first.prevSeq !== 0) throw this.missing(undefined, first);
      this.readSeq = first.seq - 1;
      return archive;
    }
    await this.checkFits(archive, head, first);
    this.readSeq = head.seq;
    this.options.onArchived(head);
    return archive;
  }

  private async checkFits(archive: Pick<Archive, 'read'>, head: Head, first: FirstCommit): Promise<void> {
    const { journal } = this.options;
    const archived = await archive.read(head.seq);
    if (archived === undefined || !sameBytes(commitHash(archived.bytes), head.hash)) {
      throw this.refused(`its last commit, at ${head.seq}, cannot be read`);
    }
    if (head.seq < first.seq) {
      if (first.prevSeq > head.seq) throw this.missing(head, first);
      if (first.prevSeq === head.seq && sameBytes(first.prevHash, head.hash)) return;
      throw this.refused(`the journal's first commit, at ${first.seq}, does not follow that at ${head.seq}`);
    }
    const { lastSeq } = await journal.end();
    if (head.seq > lastSeq) throw this.refused(`it ends at ${head.seq}, but the journal at ${lastSeq}`);
    const stored = await journal.read(head.seq);
    if (stored !== undefined && sameBytes(commitHash(stored.bytes), head.hash)) return;
    throw this.refused(`it has another commit at ${head.seq} than the journal`);
  }

  private missing(head: Head | undefined, first: FirstCommit): RepriseError {
    const ends = head === undefined ? 'it is empty' : `it ends at ${head.seq}`;
    return this.refused(`${ends}, but the journal begins after ${first.prevSeq}: commits are missing in between`);
  }

  private refused(why: string): RepriseError {
    const message = `The archive of partition ${this.options.journal.partition} is not continued: ${why}.`;
    return new RepriseError('ARCHIVE_BROKEN', message);
  }
}
