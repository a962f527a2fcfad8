/**
 * Where the commits are that the restored streams do not get: in an archive that ends where they go on. The archive
 * that the backup was made from may have gone on in another way, and then cannot be that of the restored namespace.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { openArchive } from '../archive/archive.js';
import type { ArchiveStore } from '../archive/store.js';
import { advance } from '../backup/advance.js';
import { sameBytes, type Head } from '../chain.js';
import { commitHash } from '../contents.js';
import type { Content, Plan } from './plan.js';

export interface HistoryOptions {
  /** Of the restored namespace. */
  readonly ns: Namespace;
  /** Where the backup is. */
  readonly store: ArchiveStore;
  /** Where the archive is to be; by default where the backup is, and only if the streams do not get everything. */
  readonly archive: ArchiveStore | undefined;
}

/** @returns the location of the archive; undefined if none is needed. @throws RepriseError INVALID_ARGUMENT */
export async function placeHistory(plan: Plan, options: HistoryOptions): Promise<string | undefined> {
  const contents = plan.partitions.flatMap(({ content }) => content ?? []);
  if (options.archive === undefined && contents.every(({ isWhole }) => isWhole)) return undefined;
  const place = options.archive ?? options.store;
  // All are looked at before anything is written.
  for (const content of contents) await check(place, options.ns, content);
  for (const { archive: source, head } of contents) {
    const archive = await openArchive(place, options.ns, head.partition, head.journalId);
    await advance(archive, (fromSeq) => source.replay(fromSeq), { untilSeq: head.seq });
    if (archive.head === undefined || !isSame(archive.head, head)) throw other(place, head);
  }
  return place.location;
}

async function check(place: ArchiveStore, ns: Namespace, { archive: source, head }: Content): Promise<void> {
  const { head: end } = await openArchive(place, ns, head.partition, head.journalId);
  if (end === undefined || isSame(end, head)) return;
  const stored = end.seq < head.seq ? await source.read(end.seq) : undefined;
  if (stored === undefined || !sameBytes(commitHash(stored.bytes), end.hash)) throw other(place, head);
}

const isSame = (one: Head, another: Head): boolean => one.seq === another.seq && sameBytes(one.hash, another.hash);

function other(place: ArchiveStore, { partition, seq }: Head): RepriseError {
  const what = `The archive of partition ${partition} in ${place.location}`;
  const message = `${what} goes on behind position ${seq} in another way than the restored namespace will.`;
  const hint = 'Give an empty place for the archive of the restored namespace, --archive <location>, or, to have all ' +
    'commits in its streams, --full.';
  return new RepriseError('INVALID_ARGUMENT', message, { hint });
}
