/** What a namespace has on the server, partition by partition, and what keeps its journals from being truncated. */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { partitionsOn } from '../../audit/server.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { ArchivePlace } from '../../streams/archive/behind.js';
import { recordedLocation } from '../../streams/archive/recorded.js';
import { operating } from '../../streams/connect.js';
import type { StoredHead } from '../../streams/head.js';
import { checkpointOf, openCheckpoints } from '../../streams/heads.js';
import {
  watermarkOfArchive, watermarkOfProjection, watermarkOfSnapshots, lowWatermark, type Watermark, type LowWatermark,
} from '../../streams/watermarks.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore, type StoredSnapshot } from '../../streams/snapshots/store.js';
import { archivedIn, type Archived } from './archived.js';

export interface JournalFigures {
  /** 1 while it was never truncated. */
  readonly firstSeq: number;
  /** 0 if it is empty. */
  readonly lastSeq: number;
  readonly commits: number;
  readonly bytes: number;
}

export interface PartitionFigures {
  readonly partition: Partition;
  readonly journal: JournalFigures;
  /** Newest first. */
  readonly snapshots: readonly StoredSnapshot[];
  readonly archive: Archived;
  readonly watermarks: readonly Watermark[];
  readonly truncation: LowWatermark | undefined;
}

/** @throws RepriseError */
export async function figuresOf(nc: NatsConnection, ns: Namespace): Promise<PartitionFigures[]> {
  const partitions = await partitionsOn(nc, ns);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const store = new SnapshotStore(new Objects(nc, ns));
  const checkpoints = openCheckpoints(nc, ns);
  const place = new ArchivePlace(ns, () => recordedLocation(nc, ns));
  const of = async (partition: Partition): Promise<PartitionFigures> => {
    const journal = await journalFigures(jsm, ns, partition);
    const snapshots = await store.list(partition);
    const { heads } = await checkpoints.read(partition);
    const journalId = heads.findLast((head) => head.journalId !== '')?.journalId;
    const archived = await archivedIn(place, ns, partition, journalId);
    const archive = { ...archived, waitingSinceMs: await waitingSince(jsm, ns, partition, journal, archived) };
    const watermarks = watermarksOf(snapshots, heads, archive);
    const truncation = lowWatermark(watermarks, journal.lastSeq, journal.firstSeq);
    return { partition, journal, snapshots, archive, watermarks, truncation };
  };
  try {
    return await Promise.all(partitions.map(of));
  } finally {
    await place.close();
  }
}

/** Without an archive nothing is truncated, as if it had nothing yet. */
function watermarksOf(
  snapshots: readonly StoredSnapshot[], heads: readonly StoredHead[], archive: Archived,
): Watermark[] {
  const projections = [...new Set(heads.map(({ projection }) => projection))].sort();
  return [
    watermarkOfSnapshots(snapshots.filter(({ isVerified }) => isVerified).map(({ seq }) => seq)),
    ...projections.map((projection) => watermarkOfProjection(projection, checkpointOf(heads, projection)!.seq)),
    watermarkOfArchive(archive.seq),
  ];
}

/** When the server stored the first commit that the archive does not have; undefined if it has all. */
async function waitingSince(
  jsm: JetStreamManager, ns: Namespace, partition: Partition, { firstSeq, lastSeq }: JournalFigures,
  { location, seq }: Archived,
): Promise<number | undefined> {
  const waiting = Math.max(firstSeq, seq + 1);
  if (location === undefined || waiting > lastSeq) return undefined;
  // It may be truncated meanwhile.
  const message = await jsm.streams.getMessage(streams.journal(ns, partition), { seq: waiting }).catch(() => null);
  return message?.time.getTime();
}

async function journalFigures(jsm: JetStreamManager, ns: Namespace, partition: Partition): Promise<JournalFigures> {
  try {
    const { state } = await jsm.streams.info(streams.journal(ns, partition));
    const { first_seq: firstSeq, last_seq: lastSeq, messages: commits, bytes } = state;
    return { firstSeq, lastSeq, commits, bytes };
  } catch (error) {
    throw operating(error, `Reading the state of the journal of partition ${partition} failed`);
  }
}
