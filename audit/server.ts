/** Verifies all journals of a namespace on a server that runs. */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { ArchivePlace } from '../streams/archive/behind.js';
import { recordedLocation } from '../streams/archive/recorded.js';
import { connectNats, operating } from '../streams/connect.js';
import { knownOf, openCheckpoints, openWitness, type Heads, type StoredHeads } from '../streams/heads.js';
import { Objects } from '../streams/snapshots/objects.js';
import { SnapshotStore } from '../streams/snapshots/store.js';
import { verifyPartition, type Finding, type KnownFrom } from './partition.js';

const JOURNAL = /^REPRISE_(.+)_JOURNAL_(\d+)$/;

export interface JournalName {
  readonly namespace: Namespace;
  readonly partition: Partition;
}

/** The namespace and partition in the name of a journal's stream; undefined for any other stream. */
export function journalNamed(stream: string): JournalName | undefined {
  const found = JOURNAL.exec(stream);
  return found ? { namespace: found[1] as Namespace, partition: Number(found[2]) as Partition } : undefined;
}

export interface ServerOptions {
  /** The partitions that must exist; by default those of the namespace that the server has. */
  readonly wanted?: readonly Partition[];
  /** Location of the archive; by default the one that brokers recorded. */
  readonly archive?: string | undefined;
}

export async function verifyServer(url: string, ns: Namespace, options: ServerOptions = {}): Promise<Finding[]> {
  const nc = await connectNats({ url, name: 'reprise audit', reconnect: true });
  const place = new ArchivePlace(ns, async () => options.archive ?? (await recordedLocation(nc, ns)));
  const snapshots = new SnapshotStore(new Objects(nc, ns));
  try {
    const partitions = options.wanted ?? (await partitionsOn(nc, ns));
    const findings: Finding[] = [];
    for (const partition of partitions) {
      const known = await readAll(nc, ns, partition);
      findings.push(await verifyPartition({ url, ns, partition, known, place, snapshots }));
    }
    return findings;
  } finally {
    await place.close();
    await nc.close();
  }
}

/** Those of a namespace that the server has. @throws RepriseError NOT_FOUND */
export async function partitionsOn(nc: NatsConnection, ns: Namespace): Promise<Partition[]> {
  try {
    const found: Partition[] = [];
    for await (const name of (await jetstreamManager(nc, { checkAPI: false })).streams.names()) {
      const journal = journalNamed(name);
      if (journal?.namespace === ns) found.push(journal.partition);
    }
    if (found.length > 0) return complete(found);
    const hint = 'Check --nats and --namespace; a broker makes the journals when it starts for the first time.';
    throw new RepriseError('NOT_FOUND', `The server has no journal of the namespace ${ns}.`, { hint });
  } catch (error) {
    throw operating(error, 'Listing the streams failed');
  }
}

/** All from 0 to the highest, so that one that is missing in between is found missing. */
export function complete(found: readonly Partition[]): Partition[] {
  return Array.from({ length: Math.max(...found) + 1 }, (_, n) => n as Partition);
}

/** Without its witness a journal that lost its tail looks whole, so an unreadable witness is a finding too. */
async function readAll(nc: NatsConnection, ns: Namespace, partition: Partition): Promise<KnownFrom> {
  const problems: string[] = [];
  const read = async (what: string, heads: Heads): Promise<StoredHeads> => {
    try {
      return await heads.read(partition);
    } catch (error) {
      // An error of the caller, and no finding about the journal.
      if (error instanceof RepriseError && error.code === 'PERMISSION_DENIED') throw error;
      problems.push(`the ${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return { heads: [], foreign: 0 };
    }
  };
  const witness = await read('witness', openWitness(nc, ns));
  const checkpoints = await read('checkpoints', openCheckpoints(nc, ns));
  return { ...knownOf(witness, checkpoints), problems };
}
