/** Writes commits into an archive, behind those that it has. */
import { RepriseError } from '../../protocols/errors.js';
import type { Archive } from '../archive/archive.js';
import { headBefore } from '../archive/manifest.js';
import { Chain, type Head } from '../chain.js';
import type { Journal, Stored } from '../journal.js';
import { readingThrough } from '../reading-through.js';
import type { OutboxMarks } from './outbox-marks.js';
import { wholly } from './wholly.js';

/** Of the commits of a segment, as they are in the journal. Its objects are in memory while it is written. */
const SEGMENT_BYTES = 32 * 1024 * 1024;

/** The commits from a position on. It may end anywhere: it is asked again for the rest. */
export type CommitSource = (fromSeq: number) => AsyncIterable<Stored>;

/** From the journal, and from an archive what the journal has no longer, also what is truncated meanwhile. */
export function commitsOf(journal: Journal, archive: Archive): CommitSource {
  const whole = readingThrough(journal, async () => archive);
  return async function* from(fromSeq) {
    const { firstSeq } = await journal.end();
    if (firstSeq > fromSeq) {
      await archive.refresh();
      if ((archive.head?.seq ?? 0) < fromSeq) throw beginsLater(journal.partition, firstSeq, fromSeq);
    }
    yield* wholly(whole, fromSeq);
  };
}

function beginsLater(partition: number, firstSeq: number, fromSeq: number): RepriseError {
  const message = `The journal of partition ${partition} begins at ${firstSeq}, and ${fromSeq} is needed.`;
  const hint = 'Give the archive that has what was truncated: --archive <location>.';
  return new RepriseError('NOT_FOUND', message, { hint });
}

export interface AdvanceOptions {
  /** Later commits are not written. */
  readonly untilSeq: number;
  /** Called for every commit. If it returns true, that is the last one. */
  readonly isEnough?: (stored: Stored) => boolean;
  /** Called after every segment. */
  readonly onWritten?: (seq: number) => void;
}

/** Can be repeated after any error: it goes on behind what was written. */
export async function advance(archive: Archive, source: CommitSource, options: AdvanceOptions): Promise<void> {
  const { untilSeq, isEnough, onWritten } = options;
  for (let isDone = false; !isDone; ) {
    const from = (archive.head?.seq ?? 0) + 1;
    if (from > untilSeq) return;
    const writer = archive.next();
    for await (const stored of source(from)) {
      if (stored.seq > untilSeq) break;
      if (!(await writer.add(stored))) continue;
      isDone = isEnough?.(stored) ?? false;
      if (isDone || writer.rawBytes >= SEGMENT_BYTES) break;
    }
    // Nothing but messages that are not ours is left.
    if (writer.commits === 0) return;
    // If an archiver was faster, its segment counts, and this goes on behind it.
    const isOurs = await archive.write(await writer.finish());
    isDone &&= isOurs;
    onWritten?.(archive.head?.seq ?? 0);
  }
}

export interface ScanOptions {
  /** The commit before the first one; undefined at the beginning. */
  readonly after: Head | undefined;
  readonly marks: OutboxMarks;
  readonly onCommit?: (head: Head) => void;
}

/**
 * Reads what an archive has behind a head, and checks the chain.
 * @throws RepriseError JOURNAL_BROKEN, ARCHIVE_BROKEN
 */
export async function scan(archive: Archive, { after, marks, onCommit }: ScanOptions): Promise<Head | undefined> {
  const [first] = archive.manifests;
  const chain = new Chain(archive.journal.partition, after ?? (first && headBefore(first)));
  for await (const stored of archive.replay((after?.seq ?? 0) + 1)) {
    if (chain.accept(stored).kind === 'foreign') continue;
    marks.add(stored);
    onCommit?.(chain.head!);
  }
  return chain.head;
}
