/**
 * The manifest of a backup: up to which commit of each journal it reaches, and what else belongs to it. It is written
 * last: a backup exists when its manifest exists. The commits are in the segments of an archive in the same store, and
 * each backup goes on where the one before ended. See docs/adr/0021.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { broken } from '../archive/manifest.js';
import type { ArchiveStore } from '../archive/store.js';
import type { Head } from '../chain.js';
import { snapshotShape } from '../snapshots/manifest.js';

/** Of the format of backups. */
export const BACKUP_VERSION = 1;

const seq = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const object = z.strictObject({ name: z.string(), bytes: seq, sha256 });
const counts = z.record(z.string(), seq);

const head = z.strictObject({ journalId: z.string(), seq, hash: sha256, epoch: seq, nowMs: seq, minReader: seq });
const snapshot = z.strictObject({ object, manifest: snapshotShape });
const partition = z.strictObject({
  /** The last commit that belongs to the backup; null if the journal is empty. */
  head: head.nullable(),
  /** How many commands were sent, answered and received up to the head, by the other partition. */
  outbox: z.strictObject({ sent: counts, answered: counts, received: counts }),
  /** The newest one up to the head; null if there is none. */
  snapshot: snapshot.nullable(),
});
const shape = z.strictObject({
  version: z.int().min(1), namespace: z.string(), number: z.int().min(1),
  /** Wall clock of the command, Unix milliseconds. */
  takenMs: seq,
  release: z.string(),
  /** By number. */
  partitions: z.array(partition).min(1),
  /** What tokens are signed with; null if it was left out. */
  keys: object.nullable(),
});

export type ObjectOf = z.infer<typeof object>;
export type BackupHead = z.infer<typeof head>;
export type BackupSnapshot = z.infer<typeof snapshot>;
export type BackupPartition = Readonly<z.infer<typeof partition>>;
export type BackupManifest = Readonly<z.infer<typeof shape>>;

/** No namespace has a dot in its name, so the folder is no archive of one. */
const ROOT = 'reprise.backups/';
const SUFFIX = '.backup.json';
const NUMBER_DIGITS = 8;

export const backupFolder = (ns: Namespace): string => `${ROOT}${ns}/`;
export const backupName = (ns: Namespace, number: number): string =>
  `${backupFolder(ns)}${String(number).padStart(NUMBER_DIGITS, '0')}${SUFFIX}`;

export function encodeBackup(manifest: BackupManifest): Uint8Array {
  const of = shape.parse(manifest);
  return Buffer.from(`${JSON.stringify({ ...of, sha256: hash('sha256', JSON.stringify(of)) }, undefined, 1)}\n`);
}

/** @throws RepriseError ARCHIVE_BROKEN for anything but the bytes of {@link encodeBackup}; JOURNAL_TOO_NEW */
export function decodeBackup(name: string, bytes: Uint8Array): BackupManifest {
  try {
    const { sha256: said, ...decoded } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    const version = Number(decoded['version']);
    if (version > BACKUP_VERSION) {
      const message = `The backup at ${name} has version ${version}; this version of Reprise reads ${BACKUP_VERSION}.`;
      throw new RepriseError('JOURNAL_TOO_NEW', message, { cause: { object: name } });
    }
    if (said !== hash('sha256', JSON.stringify(decoded))) throw new RangeError('it was changed');
    return shape.parse(decoded);
  } catch (error) {
    if (error instanceof RepriseError) throw error;
    throw broken(name, `it is no manifest of a backup: ${messageOf(error)}`);
  }
}

/** The names of the manifests of a namespace, oldest first. */
export async function backupsOf(store: ArchiveStore, ns: Namespace): Promise<string[]> {
  return (await store.list(backupFolder(ns))).filter((name) => name.endsWith(SUFFIX));
}

/** The namespaces of which a store has backups. */
export async function namespacesIn(store: ArchiveStore): Promise<string[]> {
  const names = (await store.list(ROOT)).filter((name) => name.endsWith(SUFFIX));
  return [...new Set(names.map((name) => name.slice(ROOT.length, name.lastIndexOf('/'))))];
}

export async function readBackup(store: ArchiveStore, name: string): Promise<BackupManifest> {
  const bytes = await store.get(name);
  if (bytes === undefined) throw broken(name, 'it is missing');
  return decodeBackup(name, bytes);
}

export async function newestBackup(store: ArchiveStore, ns: Namespace): Promise<BackupManifest | undefined> {
  const last = (await backupsOf(store, ns)).at(-1);
  return last === undefined ? undefined : await readBackup(store, last);
}

export function storedBackupHead({ journalId, seq: at, hash: of, epoch, nowMs, minReader }: Head): BackupHead {
  return { journalId, seq: at, hash: Buffer.from(of).toString('hex'), epoch, nowMs, minReader };
}

export function headOfBackup(of: BackupHead | null, at: Partition): Head | undefined {
  return of === null ? undefined : { ...of, partition: at, hash: Buffer.from(of.hash, 'hex') };
}
