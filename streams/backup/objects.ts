/** Objects of a backup that are no segments: snapshots and keys. Each is read back and compared after it is written. */
import { hash } from 'node:crypto';
import type { Namespace } from '../../protocols/ids.js';
import { broken } from '../archive/manifest.js';
import type { ArchiveStore } from '../archive/store.js';
import { differs } from '../archive/write-segment.js';
import type { SnapshotStore, StoredSnapshot } from '../snapshots/store.js';
import { backupFolder, type BackupManifest, type BackupSnapshot, type ObjectOf } from './manifest.js';

const snapshotsFolder = (ns: Namespace): string => `${backupFolder(ns)}snapshots/`;
/** How many backups have their snapshots kept. Without one the state is folded from the commits. */
export const SNAPSHOTS_OF = 3;

/** An object that is there already and is the same is not written again. */
async function put(store: ArchiveStore, folder: string, name: string, bytes: Uint8Array): Promise<ObjectOf> {
  const sha256 = hash('sha256', bytes);
  const ref: ObjectOf = { name: `${folder}${name}.${sha256.slice(0, 16)}`, bytes: bytes.length, sha256 };
  if ((await differs(store, ref)) === undefined) return ref;
  await store.put(ref.name, [bytes]);
  const why = await differs(store, ref);
  if (why !== undefined) throw broken(ref.name, `after it was written, ${why}`);
  return ref;
}

/** @throws RepriseError ARCHIVE_BROKEN if it is missing or was changed */
export async function readObject(store: ArchiveStore, { name, bytes, sha256 }: ObjectOf): Promise<Uint8Array> {
  const found = await store.get(name);
  if (found === undefined) throw broken(name, 'it is missing');
  if (found.length !== bytes || hash('sha256', found) !== sha256) throw broken(name, 'it was changed');
  return found;
}

export async function copySnapshot(
  store: ArchiveStore, ns: Namespace, from: SnapshotStore, snapshot: StoredSnapshot,
): Promise<BackupSnapshot> {
  const { name, bytes: _, ...manifest } = snapshot;
  await from.verify(name, manifest);
  const { partition, seq } = manifest;
  const object = await put(store, snapshotsFolder(ns), `${partition}.${seq}`, await from.bytesOf(name));
  return { object, manifest };
}

/** @param keys the messages of the keys' stream, oldest first */
export async function putKeys(store: ArchiveStore, ns: Namespace, keys: readonly Uint8Array[]): Promise<ObjectOf> {
  const lines = keys.map((key) => `${Buffer.from(key).toString()}\n`).join('');
  return await put(store, backupFolder(ns), 'keys', Buffer.from(lines));
}

export async function readKeys(store: ArchiveStore, keys: ObjectOf): Promise<Uint8Array[]> {
  const lines = Buffer.from(await readObject(store, keys)).toString().split('\n').filter((line) => line !== '');
  return lines.map((line) => Buffer.from(line));
}

/** Removes snapshots that none of the newest backups name. @param backups oldest first */
export async function sweepSnapshots(
  store: ArchiveStore, ns: Namespace, backups: readonly BackupManifest[],
): Promise<void> {
  const of = backups.slice(-SNAPSHOTS_OF).flatMap(({ partitions }) => partitions);
  const named = new Set(of.map(({ snapshot }) => snapshot?.object.name));
  for (const name of await store.list(snapshotsFolder(ns))) if (!named.has(name)) await store.remove(name);
}
