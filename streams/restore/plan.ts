/** What is restored: decided before anything is written, so that an interrupted restore can go on with the same. */
import { hash } from 'node:crypto';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import type { Archive } from '../archive/archive.js';
import type { ArchiveStore } from '../archive/store.js';
import { backupsOf, readBackup, type BackupManifest, type BackupSnapshot } from '../backup/manifest.js';
import { readObject, SNAPSHOTS_OF } from '../backup/objects.js';
import { READER, type Head } from '../chain.js';
import { SNAPSHOT_VERSION, type Manifest as SnapshotManifest } from '../snapshots/manifest.js';
import { targetsOf, type Source } from './target.js';
import type { To } from './to.js';

export interface FoundSnapshot {
  readonly manifest: SnapshotManifest;
  readonly bytes: Uint8Array;
}

export interface PartitionPlan {
  readonly partition: Partition;
  /** undefined: nothing is restored, the journal begins anew. */
  readonly content: Content | undefined;
}

export interface Content {
  readonly archive: Archive;
  /** The last commit that is restored. */
  readonly head: Head;
  /** The first commit that the stream gets. */
  readonly firstSeq: number;
  /** Whether that is the first one there is. */
  readonly isWhole: boolean;
  readonly snapshot: FoundSnapshot | undefined;
}

export interface Plan {
  readonly backup: BackupManifest;
  readonly partitions: readonly PartitionPlan[];
  /** Equal for equal plans. */
  readonly id: string;
}

export interface PlanOptions {
  readonly store: ArchiveStore;
  /** Of the backup. */
  readonly from: Namespace;
  readonly to: To;
  /** All commits go into the streams, and not only those from the newest snapshot on. */
  readonly isFull: boolean;
  readonly warn?: (message: string) => void;
}

/** @throws RepriseError NOT_FOUND without a backup; ARCHIVE_BROKEN, INVALID_ARGUMENT */
export async function planOf(options: PlanOptions): Promise<Plan> {
  const { store, from, to, isFull } = options;
  const names = await backupsOf(store, from);
  const last = names.at(-1);
  if (last === undefined) throw noBackup(store, from);
  const source: Source = { store, namespace: from, backup: await readBackup(store, last) };
  const snapshots = await snapshotsOf(options, source.backup, names);
  const partitions: PartitionPlan[] = [];
  for (const [n, { archive, head }] of (await targetsOf(source, to)).entries()) {
    const content = archive && head && (await contentOf(options, archive, head, snapshots));
    partitions.push({ partition: n as Partition, content });
  }
  const heads = partitions.map(({ content }) =>
    content && [content.firstSeq, content.head.seq, Buffer.from(content.head.hash).toString('hex')]);
  const id = hash('sha256', JSON.stringify([from, isFull, source.backup.number, heads])).slice(0, 16);
  return { backup: source.backup, partitions, id };
}

function noBackup(store: ArchiveStore, from: Namespace): RepriseError {
  const hint = 'Check the location, and --from, the namespace that the backup was made of.';
  return new RepriseError('NOT_FOUND', `There is no backup of the namespace ${from} in ${store.location}.`, { hint });
}

/** Of the backups that have theirs kept, newest first. An older manifest that was damaged costs its snapshots only. */
async function snapshotsOf(
  { store, warn }: PlanOptions, newest: BackupManifest, names: readonly string[],
): Promise<BackupSnapshot[]> {
  const backups = [newest];
  for (const name of names.slice(-SNAPSHOTS_OF, -1)) {
    try {
      backups.push(await readBackup(store, name));
    } catch (error) {
      if (!isBroken(error)) throw error;
      warn?.(`An older backup is passed over: ${error.message}`);
    }
  }
  const all = backups.flatMap(({ partitions }) => partitions.flatMap(({ snapshot }) => snapshot ?? []));
  return all.sort((a, b) => b.manifest.seq - a.manifest.seq);
}

async function contentOf(
  options: PlanOptions, archive: Archive, head: Head, snapshots: readonly BackupSnapshot[],
): Promise<Content> {
  const first = archive.manifests[0]?.facts;
  const snapshot = await snapshotFor(options, head, snapshots);
  const firstArchived = first?.firstSeq ?? 1;
  if (snapshot === undefined && (first?.prevSeq ?? 0) > 0) {
    const message = `The backup of partition ${head.partition} begins at ${firstArchived}, and no snapshot reaches it.`;
    throw new RepriseError('ARCHIVE_BROKEN', message);
  }
  const firstSeq = options.isFull ? firstArchived : Math.max(firstArchived, snapshot?.manifest.seq ?? 0);
  return { archive, head, firstSeq, isWhole: firstSeq === firstArchived, snapshot };
}

/** The newest one up to the head that can be read. */
async function snapshotFor(
  { store, warn }: PlanOptions, { partition, journalId, seq }: Head, snapshots: readonly BackupSnapshot[],
): Promise<FoundSnapshot | undefined> {
  for (const { object, manifest } of snapshots) {
    if (manifest.partition !== partition || manifest.journalId !== journalId || manifest.seq > seq) continue;
    if (manifest.version > SNAPSHOT_VERSION || manifest.minReader > READER) continue;
    try {
      return { manifest, bytes: await readObject(store, object) };
    } catch (error) {
      if (!isBroken(error)) throw error;
      warn?.(`A snapshot of partition ${partition} at ${manifest.seq} is passed over: ${error.message}`);
    }
  }
  return undefined;
}

const isBroken = (error: unknown): error is RepriseError =>
  error instanceof RepriseError && error.code === 'ARCHIVE_BROKEN';
