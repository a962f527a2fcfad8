/** The archive of what a truncated journal no longer holds, found by the journal's first commit. */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { sameBytes } from '../chain.js';
import { commitHash } from '../contents.js';
import { firstCommitOf } from '../first-commit.js';
import type { Journal } from '../journal.js';
import { openArchive, type Archive } from './archive.js';
import { openStore } from './location.js';
import type { ArchiveStore } from './store.js';

/**
 * @throws RepriseError ARCHIVE_UNREACHABLE also if there is nothing of this journal, ARCHIVE_BROKEN if it does not have
 * the commit that the journal's first one follows
 */
export async function archiveBehind(store: ArchiveStore, ns: Namespace, journal: Journal): Promise<Archive> {
  const { partition } = journal;
  const first = await firstCommitOf(journal);
  const archive = await openArchive(store, ns, partition, first?.journalId);
  const where = `of partition ${partition} of ${ns} in ${store.location}`;
  if (archive.head === undefined) {
    const hint = 'It is where the brokers keep it; name another location by --archive.';
    const message = `The journal no longer begins at its beginning, and there is no archive ${where}.`;
    throw new RepriseError('ARCHIVE_UNREACHABLE', message, { hint });
  }
  if (first === undefined || first.prevSeq === 0) return archive;
  const before = await archive.read(first.prevSeq);
  if (before !== undefined && sameBytes(commitHash(before.bytes), first.prevHash)) return archive;
  const what = before === undefined ? `ends at ${archive.head.seq}` : 'has another commit there';
  const begins = `The journal begins at ${first.seq}, after the commit at ${first.prevSeq}`;
  const message = `${begins}, but the archive ${where} ${what}.`;
  throw new RepriseError('ARCHIVE_BROKEN', message, { cause: { position: first.prevSeq } });
}

/** Opens the archive when it is first needed, and again after an error. */
export class ArchivePlace {
  private store: Promise<ArchiveStore> | undefined;

  /** @param locate where the archive is; undefined: there is none */
  constructor(
    private readonly ns: Namespace,
    private readonly locate: () => Promise<string | undefined>,
  ) {}

  /** @returns undefined if there is no archive */
  async behind(journal: Journal): Promise<Archive | undefined> {
    const store = await this.open();
    return store && (await archiveBehind(store, this.ns, journal));
  }

  /** @returns undefined if there is no archive */
  async open(): Promise<ArchiveStore | undefined> {
    if (this.store !== undefined) return await this.store;
    const location = await this.locate();
    if (location === undefined) return undefined;
    this.store = openStore(location);
    this.store.catch(() => (this.store = undefined));
    return await this.store;
  }

  async close(): Promise<void> {
    const store = await this.store?.catch(() => undefined);
    store?.close();
  }
}
