/** To which commits a namespace is restored: of the newest backup, of everything, at a position, or at a time. */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { openArchive, type Archive } from '../archive/archive.js';
import { headBefore } from '../archive/manifest.js';
import type { ArchiveStore } from '../archive/store.js';
import { scan } from '../backup/advance.js';
import { closed, consistentWithin, type Cut } from '../backup/consistent.js';
import { headOfBackup, type BackupManifest } from '../backup/manifest.js';
import { OutboxMarks } from '../backup/outbox-marks.js';
import { Chain, type Head } from '../chain.js';
import { decodeCommit } from '../contents.js';
import type { To } from './to.js';

export interface Source {
  readonly store: ArchiveStore;
  /** Of the backup. */
  readonly namespace: Namespace;
  readonly backup: BackupManifest;
}

export interface Target {
  /** undefined: the journal of this partition was empty. */
  readonly archive: Archive | undefined;
  /** The last commit to be restored. */
  readonly head: Head | undefined;
}

/** By partition. @throws RepriseError INVALID_ARGUMENT for a position that is not in the backup */
export async function targetsOf({ store, namespace, backup }: Source, to: To): Promise<Target[]> {
  const archives: (Archive | undefined)[] = [];
  for (const [n, { head }] of backup.partitions.entries()) {
    archives.push(head === null ? undefined : await openArchive(store, namespace, n as Partition, head.journalId));
  }
  if (to.kind === 'backup') {
    return archives.map((archive, n) =>
      ({ archive, head: headOfBackup(backup.partitions[n]!.head, n as Partition) }));
  }
  const scanned = await scanAll(archives, await boundOf(archives, to));
  const cut = cutOf(scanned, to);
  if (to.kind === 'time' && cut.every((seq) => seq === 0)) throw tooEarly(store, to.nowMs);
  const targets: Target[] = [];
  for (const [n, archive] of archives.entries()) {
    targets.push({ archive, head: archive && (await headUpTo(archive, cut[n]!)) });
  }
  return targets;
}

/** An empty namespace is hardly what was meant. */
function tooEarly({ location }: ArchiveStore, nowMs: number): RepriseError {
  const message = `The backup in ${location} has no commit up to ${new Date(nowMs).toISOString()}.`;
  return new RepriseError('INVALID_ARGUMENT', message, { hint: 'Give a later time, or a position.' });
}

/** The last commit up to a position. It is read again: to keep the heads of all would take memory without bound. */
async function headUpTo(archive: Archive, seq: number): Promise<Head | undefined> {
  const nth = archive.manifests.findLastIndex(({ facts }) => facts.firstSeq <= seq);
  const segment = archive.manifests[nth];
  if (segment === undefined) return undefined;
  const chain = new Chain(archive.journal.partition, headBefore(segment));
  for await (const stored of archive.replay(segment.facts.firstSeq)) {
    if (stored.seq > seq) break;
    chain.accept(stored);
  }
  return chain.head;
}

/** The time up to which commits are wanted. */
async function boundOf(archives: readonly (Archive | undefined)[], to: To): Promise<number> {
  if (to.kind === 'time') return to.nowMs;
  if (to.kind !== 'position') return Infinity;
  const archive = archives[to.partition];
  const stored = await archive?.read(to.seq);
  if (stored !== undefined) return decodeCommit(stored.bytes).nowMs;
  const last = archive?.head?.seq ?? 0;
  const message = `The backup has no commit at ${to.seq} of partition ${to.partition}; its last one is at ${last}.`;
  throw new RepriseError('INVALID_ARGUMENT', message);
}

interface Scanned {
  readonly marks: OutboxMarks;
  /** The last commit that is not later than the bound; 0 if there is none. */
  readonly boundSeq: number;
}

async function scanAll(archives: readonly (Archive | undefined)[], boundMs: number): Promise<Scanned[]> {
  const ids = archives.map((archive) => archive?.journal.journalId);
  const scanned: Scanned[] = [];
  for (const [n, archive] of archives.entries()) {
    const marks = new OutboxMarks(n as Partition, ids);
    let boundSeq = 0;
    const onCommit = ({ seq, nowMs }: Head): void => {
      if (nowMs <= boundMs) boundSeq = seq;
    };
    if (archive !== undefined) await scan(archive, { after: undefined, marks, onCommit });
    scanned.push({ marks, boundSeq });
  }
  return scanned;
}

/**
 * The largest consistent cut within the bounds. A position that was asked for is kept: what it depends on in other
 * partitions is restored as well, even if the clock of a broker says that it is later.
 */
function cutOf(scanned: readonly Scanned[], to: To): Cut {
  const marks = scanned.map((each) => each.marks);
  const bounds = scanned.map(({ boundSeq }) => boundSeq);
  if (to.kind !== 'position') return consistentWithin(marks, bounds);
  const asked = bounds.map((_, n) => (n === to.partition ? to.seq : 0));
  const { cut: least, missing } = closed(marks, asked);
  if (missing !== undefined) {
    const what = `command ${missing.number} between partitions ${missing.by} and ${missing.partition}`;
    throw new RepriseError('INVALID_ARGUMENT', `The backup lacks ${what}, which ${to.partition}:${to.seq} depends on.`);
  }
  const most = bounds.map((seq, n) => (n === to.partition ? to.seq : Math.max(seq, least[n]!)));
  return consistentWithin(marks, most);
}
