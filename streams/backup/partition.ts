/** One partition of a backup that is being made. */
import { RepriseError } from '../../protocols/errors.js';
import { parseJournalId, type Namespace, type Partition } from '../../protocols/ids.js';
import { tryRead } from '../../protocols/try-read.js';
import { archivedJournals, openArchive, type Archive } from '../archive/archive.js';
import type { ArchiveStore } from '../archive/store.js';
import { sameBytes, type Head } from '../chain.js';
import { commitHash, decodeCommit } from '../contents.js';
import type { Journal } from '../journal.js';
import type { KnownHead } from '../takeover.js';
import { advance, commitsOf, scan, type AdvanceOptions, type CommitSource } from './advance.js';
import { has, type Missing } from './consistent.js';
import { headOfBackup, type BackupPartition } from './manifest.js';
import { OutboxMarks } from './outbox-marks.js';
import { wholly } from './wholly.js';

export interface PartitionOptions {
  readonly store: ArchiveStore;
  readonly ns: Namespace;
  readonly journal: Journal;
  /** Read before the end of the journal, which then must contain them all. */
  readonly known: readonly KnownHead[];
  /** An archive of the namespace in another place. */
  readonly origin: ArchiveStore | undefined;
  readonly before: BackupPartition | undefined;
}

export class PartitionBackup {
  /** Of scanned commits: the last one up to the end, and all behind it. */
  private heads: Head[] = [];
  /** The first commit that was scanned. */
  private firstSeq = Infinity;
  private readonly known = new Map<number, KnownHead[]>();
  private archive: Archive | undefined;
  private source: CommitSource = () => (async function* none() {})();
  private endSeq = 0;
  private after: Head | undefined;
  marks: OutboxMarks;

  private constructor(readonly partition: Partition, readonly options: PartitionOptions) {
    this.marks = new OutboxMarks(partition, []);
    for (const head of options.known) this.known.set(head.seq, [...(this.known.get(head.seq) ?? []), head]);
  }

  /** Finds the journal and its end, and where the backup before ended. */
  static async begin(options: PartitionOptions): Promise<PartitionBackup> {
    const { store, ns, journal, origin } = options;
    const { partition } = journal;
    const backup = new PartitionBackup(partition, options);
    backup.endSeq = (await journal.end()).lastSeq;
    const journalId = await idOf(journal, ns, origin ?? store);
    if (journalId === undefined) return backup;
    backup.archive = await openArchive(store, ns, partition, journalId);
    const isElsewhere = origin !== undefined && origin.location !== store.location;
    const from = isElsewhere ? await openArchive(origin, ns, partition, journalId) : backup.archive;
    backup.source = commitsOf(journal, from);
    return backup;
  }

  get journalId(): string | undefined {
    return this.archive?.journal.journalId;
  }

  /** Before anything is written. @param journalIds by partition */
  expect(journalIds: readonly (string | undefined)[]): void {
    const before = headOfBackup(this.options.before?.head ?? null, this.partition);
    const goesOn = before !== undefined && before.journalId === this.journalId;
    this.after = goesOn ? before : undefined;
    this.marks = goesOn
      ? new OutboxMarks(this.partition, journalIds, this.options.before!.outbox, before.seq)
      : new OutboxMarks(this.partition, journalIds);
  }

  /** Writes everything up to the end, and reads it back. @param onWritten gets the position */
  async write(onWritten: (seq: number) => void): Promise<void> {
    await this.checkArchived();
    await this.advance({ untilSeq: this.endSeq, onWritten });
    this.checkKnown();
  }

  /** Writes on until a number is reached that another partition needs. @returns whether it is there */
  async writeUntil(missing: Missing): Promise<boolean> {
    const isEnough: AdvanceOptions['isEnough'] = (stored) => {
      this.marks.add(stored);
      return has(this.marks, missing);
    };
    await this.advance({ untilSeq: (await this.options.journal.end()).lastSeq, isEnough });
    return has(this.marks, missing);
  }

  /** The last commit up to a position. */
  headAt(seq: number): Head | undefined {
    return this.heads.findLast((head) => head.seq <= seq) ?? this.after;
  }

  /** Of the last commit that was there when the backup began. */
  get lastSeq(): number {
    return this.headAt(this.endSeq)?.seq ?? 0;
  }

  private async advance(options: AdvanceOptions): Promise<void> {
    if (this.archive === undefined) return;
    await advance(this.archive, this.source, options);
    const after = this.heads.at(-1) ?? this.after;
    await scan(this.archive, { after, marks: this.marks, onCommit: (head) => this.scanned(head) });
  }

  private scanned(head: Head): void {
    if (this.firstSeq === Infinity) this.firstSeq = head.seq;
    if (head.seq <= this.endSeq) this.heads = [head];
    else this.heads.push(head);
    const other = (this.known.get(head.seq) ?? []).find(({ hash }) => !sameBytes(hash, head.hash));
    if (other) throw lacks(this.partition, other);
    this.known.delete(head.seq);
  }

  /** What is in the store must be in the journal: another history cannot be continued. */
  private async checkArchived(): Promise<void> {
    const { options: { journal, store }, archive, partition } = this;
    const head = archive?.head;
    if (head === undefined) return;
    const { firstSeq, lastSeq } = await journal.end();
    const stored = head.seq >= firstSeq ? await journal.read(head.seq) : undefined;
    const isOurs = stored === undefined ? head.seq <= lastSeq : sameBytes(commitHash(stored.bytes), head.hash);
    if (isOurs) return;
    const commit = `the commit at ${head.seq} that is in ${store.location}`;
    const message = `The journal of partition ${partition} lacks ${commit}`;
    const hint = 'After a restore a namespace has another history than before: give another location for backups. ' +
      'Otherwise the journal has lost its end: run `reprise audit verify`.';
    throw new RepriseError('JOURNAL_REGRESSED', `${message}.`, { hint, cause: { position: head.seq } });
  }

  /** What is known before the first scanned commit was compared by the backup before. */
  private checkKnown(): void {
    const last = this.heads.at(-1)?.seq ?? this.after?.seq ?? 0;
    const missing = [...this.known.values()].flat()
      .find(({ seq }) => seq > last || (seq >= this.firstSeq && seq > (this.after?.seq ?? 0)));
    if (missing) throw lacks(this.partition, missing);
  }
}

function lacks(partition: Partition, { seq, from }: KnownHead): RepriseError {
  const what = `The journal of partition ${partition} lacks the commit at ${seq} that ${from} knows`;
  return new RepriseError('JOURNAL_REGRESSED', `${what}, or has another one there.`, { cause: { position: seq } });
}

/** The id in the first commit; an empty journal has none. */
async function idOf(journal: Journal, ns: Namespace, archived: ArchiveStore): Promise<string | undefined> {
  const { partition } = journal;
  const { firstSeq } = await journal.end();
  for await (const { bytes } of wholly(journal, firstSeq)) {
    const commit = tryRead(() => decodeCommit(bytes));
    if (commit?.partition === partition && parseJournalId(commit.journalId)) return commit.journalId;
  }
  const [only, ...others] = (await archivedJournals(archived, ns)).filter((of) => of.partition === partition);
  return others.length === 0 ? only?.journalId : undefined;
}
