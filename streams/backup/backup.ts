/**
 * A consistent copy of a namespace that goes on meanwhile: the commits of every journal, the newest snapshots, and last
 * a manifest. It can be repeated after any error, and goes on where it was. See docs/adr/0021.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import type { ArchiveStore } from '../archive/store.js';
import { connectNats, isStreamNotFound, operating } from '../connect.js';
import { openCheckpoints, openWitness, readKnown } from '../heads.js';
import { openJournal } from '../jetstream.js';
import type { Journal } from '../journal.js';
import { readStream } from '../ordered.js';
import { PARTITIONS } from '../configs.js';
import { Objects } from '../snapshots/objects.js';
import { SnapshotStore } from '../snapshots/store.js';
import { closed, type Cut, type Missing } from './consistent.js';
import {
  BACKUP_VERSION, backupName, backupsOf, encodeBackup, readBackup, storedBackupHead,
  type BackupManifest, type BackupPartition, type BackupSnapshot,
} from './manifest.js';
import { copySnapshot, putKeys, SNAPSHOTS_OF, sweepSnapshots } from './objects.js';
import { PartitionBackup } from './partition.js';

export interface BackupOptions {
  /** With the user and password of brokers. */
  readonly url: string;
  readonly namespace: Namespace;
  readonly store: ArchiveStore;
  /** The archive of the namespace, if that is another place. Needed for what the journals have no longer. */
  readonly archive?: ArchiveStore | undefined;
  readonly withKeys?: boolean;
  readonly release: string;
  readonly nowMs: () => number;
  /** In positions of the journals. */
  readonly onProgress?: (partition: number, seq: number, untilSeq: number) => void;
  readonly warn?: (message: string) => void;
}

/** @throws RepriseError */
export async function backUp(options: BackupOptions): Promise<BackupManifest> {
  const { url, namespace: ns } = options;
  const nc = await connectNats({ url, name: 'reprise backup', reconnect: true });
  const journals: Journal[] = [];
  try {
    const count = await partitionsOf(nc, ns);
    for (let n = 0; n < count; n += 1) journals.push(await openJournal({ url, ns, partition: n as Partition }));
    return await new Backup(options, nc, journals).make();
  } finally {
    for (const journal of journals) await journal.close();
    await nc.close();
  }
}

async function partitionsOf(nc: NatsConnection, ns: Namespace): Promise<number> {
  try {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const { config } = await jsm.streams.info(streams.journal(ns, 0 as Partition));
    const count = Number(config.metadata?.[PARTITIONS]);
    if (Number.isInteger(count) && count > 0) return count;
  } catch (error) {
    if (isStreamNotFound(error)) throw noNamespace(ns);
    throw operating(error, `Looking for the namespace ${ns} failed`);
  }
  throw new RepriseError('STREAM_MISMATCH', `The journal of partition 0 of ${ns} does not say how many there are.`);
}

function noNamespace(ns: Namespace): RepriseError {
  const hint = 'Check --nats and --namespace; a broker makes the journals when it starts for the first time.';
  return new RepriseError('NOT_FOUND', `The server has no journal of the namespace ${ns}.`, { hint });
}

class Backup {
  private partitions: PartitionBackup[] = [];

  constructor(
    private readonly options: BackupOptions,
    private readonly nc: NatsConnection,
    private readonly journals: readonly Journal[],
  ) {}

  async make(): Promise<BackupManifest> {
    const { store, namespace: ns } = this.options;
    const backups = await Promise.all((await backupsOf(store, ns)).slice(-SNAPSHOTS_OF).map((name) =>
      readBackup(store, name)));
    const before = backups.at(-1);
    await this.begin(before);
    for (const partition of this.partitions) await this.write(partition);
    const cut = await this.close();
    const manifest = await this.manifestOf((before?.number ?? 0) + 1, cut);
    const name = backupName(ns, manifest.number);
    if (!(await store.create(name, [encodeBackup(manifest)]))) throw another(store, manifest.number);
    await readBackup(store, name);
    await sweepSnapshots(store, ns, [...backups, manifest]);
    return manifest;
  }

  private async begin(before: BackupManifest | undefined): Promise<void> {
    const { store, namespace: ns, archive: origin } = this.options;
    const [witness, checkpoints] = [openWitness(this.nc, ns), openCheckpoints(this.nc, ns)];
    for (const journal of this.journals) {
      const known = (await readKnown(witness, checkpoints, journal.partition)).heads;
      const options = { store, ns, journal, known, origin, before: before?.partitions[journal.partition] };
      this.partitions.push(await PartitionBackup.begin(options));
    }
    const ids = this.partitions.map(({ journalId }) => journalId);
    for (const partition of this.partitions) partition.expect(ids);
  }

  private async write(partition: PartitionBackup): Promise<void> {
    const { lastSeq } = await this.journals[partition.partition]!.end();
    await partition.write((seq) => this.options.onProgress?.(partition.partition, seq, lastSeq));
  }

  /** All ends were read before, so what they depend on is in the journals by now, perhaps behind these ends. */
  private async close(): Promise<Cut> {
    const marks = this.partitions.map((partition) => partition.marks);
    const ignored: Missing[] = [];
    for (;;) {
      const { cut, missing } = closed(marks, this.partitions.map(({ lastSeq }) => lastSeq), ignored);
      if (missing === undefined) return cut;
      const other = this.partitions[missing.partition]!;
      if (await other.writeUntil(missing)) continue;
      const { partition, what, by, number } = missing;
      const lacked = `partition ${by} needs command ${number} as ${what} by partition ${partition}, which lacks it`;
      this.options.warn?.(`The namespace itself is not consistent: ${lacked}.`);
      ignored.push(missing);
    }
  }

  private async manifestOf(number: number, cut: Cut): Promise<BackupManifest> {
    const { namespace, release, nowMs, withKeys } = this.options;
    const partitions: BackupPartition[] = [];
    for (const partition of this.partitions) {
      const head = partition.headAt(cut[partition.partition]!);
      partitions.push({
        head: head === undefined ? null : storedBackupHead(head),
        outbox: partition.marks.countsAt(head?.seq ?? 0),
        snapshot: (head && (await this.snapshot(partition.partition, head.journalId, head.seq))) ?? null,
      });
    }
    const keys = withKeys ? await this.keys() : null;
    return { version: BACKUP_VERSION, namespace, number, takenMs: Math.floor(nowMs()), release, partitions, keys };
  }

  /** A snapshot that cannot be read is passed over, as leaders do. */
  private async snapshot(
    partition: Partition, journalId: string, upToSeq: number,
  ): Promise<BackupSnapshot | undefined> {
    const { store, namespace: ns, warn } = this.options;
    const snapshots = new SnapshotStore(new Objects(this.nc, ns));
    for (const each of await snapshots.list(partition)) {
      if (!each.isVerified || each.journalId !== journalId || each.seq > upToSeq) continue;
      try {
        return await copySnapshot(store, ns, snapshots, each);
      } catch (error) {
        if (!(error instanceof RepriseError) || error.code !== 'SNAPSHOT_BROKEN') throw error;
        warn?.(`${error.message} An older one is copied, if there is one.`);
      }
    }
    return undefined;
  }

  private async keys(): Promise<BackupManifest['keys']> {
    const { store, namespace: ns } = this.options;
    const stream = `KV_${streams.keys(ns)}`;
    try {
      const { state } = await (await jetstreamManager(this.nc, { checkAPI: false })).streams.info(stream);
      const keys: Uint8Array[] = [];
      const reading = { stream, fromSeq: 1, untilSeq: state.last_seq };
      for await (const { bytes } of readStream(this.nc, reading)) keys.push(bytes);
      return await putKeys(store, ns, keys);
    } catch (error) {
      throw operating(error, 'Reading the keys failed');
    }
  }
}

function another({ location }: ArchiveStore, number: number): RepriseError {
  const message = `Another backup to ${location} was made at the same time: number ${number} exists.`;
  return new RepriseError('INVALID_ARGUMENT', message, { hint: 'Run the command again; one at a time.' });
}
