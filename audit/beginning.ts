/** What vouches for the beginning of a journal that was truncated: its archive, or a snapshot, or nothing. */
import { messageOf, RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { tryRead } from '../protocols/try-read.js';
import { openArchive, type Archive } from '../streams/archive/archive.js';
import type { ArchivePlace } from '../streams/archive/behind.js';
import type { ArchiveStore } from '../streams/archive/store.js';
import { verifyArchive } from '../streams/archive/verify.js';
import { sameBytes, type Head } from '../streams/chain.js';
import { commitHash } from '../streams/contents.js';
import type { FirstCommit } from '../streams/first-commit.js';
import type { SnapshotStore } from '../streams/snapshots/store.js';
import type { KnownHead } from '../streams/takeover.js';

export interface Beginning {
  /** Of the first commit that is in the journal, and of the one before it. */
  readonly seq: number;
  readonly prevSeq: number;
  /** Such as "the archive, to 700". Without one it is a finding. */
  readonly vouchedBy: readonly string[];
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
}

export interface BeginningSources {
  readonly ns: Namespace;
  readonly partition: Partition;
  readonly place: ArchivePlace;
  readonly snapshots: SnapshotStore;
  /** Heads before the first commit. */
  readonly heads: readonly KnownHead[];
}

/** A position and what is wrong with it. */
export interface Wrong {
  readonly position: number;
  readonly problem: string;
}

export interface CheckedBeginning {
  readonly beginning: Beginning;
  readonly wrong: readonly Wrong[];
  /** Of snapshots that vouch: the journal must contain them. */
  readonly heads: readonly KnownHead[];
}

/** Where the chain of a truncated journal begins. Time and epoch are not known, and not needed. */
export const headBefore = ({ journalId, prevSeq, prevHash }: FirstCommit, partition: Partition): Head =>
  ({ journalId, partition, seq: prevSeq, hash: prevHash, epoch: 0, nowMs: 0, minReader: 0 });

export async function checkBeginning(first: FirstCommit, sources: BeginningSources): Promise<CheckedBeginning> {
  const checking = new Checking(first, sources);
  await checking.archive();
  const heads = await checking.snapshot();
  const { vouchedBy, unchecked, wrong } = checking;
  if (vouchedBy.length === 0 && wrong.length === 0) {
    const problem = `the journal begins at ${first.seq}, and neither archive nor snapshot vouches for what was before`;
    wrong.push({ position: 1, problem: [problem, ...unchecked].join('; ') });
  }
  return { beginning: { seq: first.seq, prevSeq: first.prevSeq, vouchedBy, unchecked }, wrong, heads };
}

class Checking {
  readonly vouchedBy: string[] = [];
  readonly unchecked: string[] = [];
  readonly wrong: Wrong[] = [];

  constructor(
    private readonly first: FirstCommit,
    private readonly sources: BeginningSources,
  ) {}

  async archive(): Promise<void> {
    const { first, sources: { ns, partition, place, heads } } = this;
    try {
      const store = await place.open();
      const archive = store && (await openArchive(store, ns, partition, first.journalId));
      if (archive?.head === undefined) {
        const where = store === undefined ? '' : ` in ${store.location}`;
        const left = heads.length > 0 ? `, so ${heads.length} known heads before ${first.seq} were not compared` : '';
        this.unchecked.push(`there is no archive of it${where}${left}`);
      } else await this.whole(store!, archive, archive.head.seq);
    } catch (error) {
      if (error instanceof RepriseError && error.code === 'ARCHIVE_BROKEN') {
        this.wrong.push({ position: first.prevSeq, problem: error.message });
      } else this.unchecked.push(`the archive cannot be read: ${messageOf(error)}`);
    }
  }

  /** The newest one that is not before the beginning. @returns its head, which the journal must contain */
  async snapshot(): Promise<KnownHead[]> {
    const { first, sources: { partition, snapshots } } = this;
    try {
      const all = await snapshots.list(partition);
      const usable = all.find(({ isVerified, journalId, seq, hash }) =>
        isVerified && journalId === first.journalId && seq >= first.prevSeq &&
        (seq !== first.prevSeq || hash === Buffer.from(first.prevHash).toString('hex')));
      if (usable === undefined) return [];
      await snapshots.verify(usable.name, usable);
      this.vouchedBy.push(`a snapshot at ${usable.seq}`);
      const head = { seq: usable.seq, hash: Buffer.from(usable.hash, 'hex'), from: 'a snapshot' };
      return usable.seq > first.prevSeq ? [head] : [];
    } catch (error) {
      this.unchecked.push(`no snapshot can be read: ${messageOf(error)}`);
      return [];
    }
  }

  private async whole(store: ArchiveStore, archive: Archive, lastSeq: number): Promise<void> {
    const { first, sources: { heads } } = this;
    for await (const verified of verifyArchive(store, archive.journal)) {
      if (verified.kind !== 'finding') continue;
      const position = verified.position ?? first.prevSeq;
      this.wrong.push({ position, problem: `the archive has a fault in ${verified.object}: ${verified.what}` });
    }
    // An archive that is damaged vouches for nothing, and reading it would only name the same faults again.
    if (this.wrong.length > 0) return;
    const before = { seq: first.prevSeq, hash: first.prevHash, from: 'the first commit of the journal' };
    for (const head of [before, ...heads]) {
      const stored = await archive.read(head.seq);
      const hash = stored && tryRead(() => commitHash(stored.bytes));
      if (hash !== undefined && sameBytes(hash, head.hash)) continue;
      const what = stored === undefined ? 'lacks the commit that' : 'has another commit there than';
      this.wrong.push({ position: head.seq, problem: `the archive ${what} ${head.from} knows` });
    }
    if (this.wrong.length === 0) this.vouchedBy.push(`the archive, to ${lastSeq}`);
  }
}
