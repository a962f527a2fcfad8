/** A journal that is read as if it had never been truncated: what it no longer holds is read from its archive. */
import type { Partition } from '../protocols/ids.js';
import type { Archive } from './archive/archive.js';
import type { Appended, Journal, Stored } from './journal.js';

/** Called when a position before the stream's first message is read. @returns undefined if there is no archive */
export type FindArchive = (journal: Journal) => Promise<Archive | undefined>;

/** @param closed called when it is closed */
export function readingThrough(journal: Journal, find: FindArchive, closed = async (): Promise<void> => {}): Journal {
  return new ReadingThrough(journal, find, closed);
}

class ReadingThrough implements Journal {
  readonly partition: Partition;
  readonly closed: Promise<void>;
  private found: Promise<Archive | undefined> | undefined;
  /** What is before it was truncated, as far as it is known. It never falls. */
  private firstSeq = 1;

  constructor(
    private readonly journal: Journal,
    private readonly find: FindArchive,
    private readonly onClosed: () => Promise<void>,
  ) {
    this.partition = journal.partition;
    this.closed = journal.closed;
  }

  /** A message that is missing behind the stream's first one is missing: the archive mends nothing. */
  async read(seq: number): Promise<Stored | undefined> {
    if (seq >= this.firstSeq) {
      const stored = await this.journal.read(seq);
      if (stored !== undefined) return stored;
      await this.end();
      if (seq >= this.firstSeq) return undefined;
    }
    const archive = await this.archive(seq);
    return await archive?.read(seq);
  }

  async *replay(fromSeq: number): AsyncGenerator<Stored> {
    const { firstSeq, lastSeq } = await this.end();
    let next = Math.max(1, fromSeq);
    if (next < firstSeq) yield* this.archived(next, firstSeq);
    next = Math.max(next, firstSeq);
    for await (const stored of this.journal.replay(next)) {
      // It was truncated meanwhile, or a message is missing.
      if (stored.seq > next) yield* this.truncatedSince(next, stored.seq);
      next = stored.seq + 1;
      yield stored;
    }
    if (next <= lastSeq) yield* this.truncatedSince(next, lastSeq + 1);
  }

  async end(): ReturnType<Journal['end']> {
    const end = await this.journal.end();
    this.firstSeq = Math.max(this.firstSeq, end.firstSeq);
    return end;
  }

  async reopen(): Promise<Journal> {
    return new ReadingThrough(await this.journal.reopen(), this.find, this.onClosed);
  }

  async close(): Promise<void> {
    await this.journal.close();
    await this.onClosed();
  }

  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended> {
    return this.journal.append(bytes, expectedSeq);
  }

  lastSeq(): Promise<number> {
    return this.journal.lastSeq();
  }

  truncate(firstSeq: number): Promise<void> {
    return this.journal.truncate(firstSeq);
  }

  private async *truncatedSince(fromSeq: number, beforeSeq: number): AsyncGenerator<Stored> {
    const { firstSeq } = await this.end();
    if (firstSeq > fromSeq) yield* this.archived(fromSeq, Math.min(firstSeq, beforeSeq));
  }

  private async *archived(fromSeq: number, beforeSeq: number): AsyncGenerator<Stored> {
    const archive = await this.archive(beforeSeq - 1);
    if (archive === undefined) return;
    for await (const stored of archive.replay(fromSeq)) {
      if (stored.seq >= beforeSeq) return;
      yield stored;
    }
  }

  /** @param seq up to which it is needed */
  private async archive(seq: number): Promise<Archive | undefined> {
    this.found ??= this.find(this.journal);
    const archive = await this.found.catch((error: unknown) => {
      this.found = undefined;
      throw error;
    });
    if (archive === undefined) this.found = undefined;
    // What another process archived since.
    if (archive?.head !== undefined && archive.head.seq < seq) await archive.refresh();
    return archive;
  }
}
