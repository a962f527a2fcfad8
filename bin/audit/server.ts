/** Verifies all journals of a namespace on a server that runs. */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { connectNats, operating } from '../../streams/connect.js';
import { openWitness, type KeptHead } from '../../streams/witness.js';
import { verifyPartition, type Finding } from './partition.js';

const JOURNAL = /^REPRISE_(.+)_JOURNAL_(\d+)$/;

export interface JournalName {
  readonly namespace: Namespace;
  readonly partition: Partition;
}

/** What the name of a journal's stream says; undefined for any other stream. */
export function journalNamed(stream: string): JournalName | undefined {
  const found = JOURNAL.exec(stream);
  return found ? { namespace: found[1] as Namespace, partition: Number(found[2]) as Partition } : undefined;
}

/** @param wanted those that must be there; without it those of `ns` that the server has */
export async function verifyServer(url: string, ns: Namespace, wanted?: readonly Partition[]): Promise<Finding[]> {
  const nc = await connectNats({ url, name: 'reprise audit', reconnect: true });
  try {
    const partitions = wanted ?? (await partitionsOn(nc, ns));
    const findings: Finding[] = [];
    for (const partition of partitions) {
      const heads = await headsOf(nc, ns, partition);
      const finding = await verifyPartition(url, ns, partition, 'heads' in heads ? heads.heads : []);
      findings.push('problem' in heads && finding.ok ? { ...finding, ok: false, problem: heads.problem } : finding);
    }
    return findings;
  } finally {
    await nc.close();
  }
}

async function partitionsOn(nc: NatsConnection, ns: Namespace): Promise<Partition[]> {
  try {
    const found: Partition[] = [];
    for await (const name of (await jetstreamManager(nc, { checkAPI: false })).streams.names()) {
      const journal = journalNamed(name);
      if (journal?.namespace === ns) found.push(journal.partition);
    }
    if (found.length === 0) throw new RepriseError('NOT_FOUND', `The server has no journal of the namespace ${ns}.`, { hint: 'Check --nats and --namespace; a broker makes the journals when it starts for the first time.' });
    return complete(found);
  } catch (error) {
    throw operating(error, 'Asking for the streams failed');
  }
}

/** From 0 to the highest: one that is missing in between is to be found missing, not passed over. */
export function complete(found: readonly Partition[]): Partition[] {
  return Array.from({ length: Math.max(...found) + 1 }, (_, n) => n as Partition);
}

/** Without its witness a journal that lost its tail looks whole, so that is a finding too. */
async function headsOf(nc: NatsConnection, ns: Namespace, partition: Partition): Promise<{ heads: KeptHead[] } | { problem: string }> {
  try {
    return { heads: await openWitness(nc, ns).heads(partition) };
  } catch (error) {
    // Nothing was found out then, bad or good.
    if (error instanceof RepriseError && error.code === 'PERMISSION_DENIED') throw error;
    return { problem: `the known heads in ${streams.witness(ns)} cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}
