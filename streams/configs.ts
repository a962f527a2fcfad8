/** How each stream must be configured, and why. Whatever is not listed is the operator's. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';

export type Wanted = Partial<StreamConfig> & { readonly name: string; readonly metadata: Record<string, string> };

/** Sizes and copies are the operator's to change while it runs, so they are set at first and never compared. */
export const OPERATORS_OWN: ReadonlySet<string> = new Set(['num_replicas', 'max_bytes', 'description']);

/** Message ids are never sent. The server insists on a window; this is the smallest that it takes. */
const NO_WINDOW = nanos(100);
/** In the metadata of journals and witness: how many partitions the namespace has. */
export const PARTITIONS = 'reprise.partitions';

/** Nothing but an append may change a stream: each of these would write, drop or move messages by itself. */
const PLAIN = {
  retention: RetentionPolicy.Limits,
  max_age: 0,
  max_msgs: -1,
  max_msg_size: -1,
  no_ack: false,
  sealed: false,
  deny_delete: true,
  // Answers come from the stream's leader only: a replica that lags would answer from the past.
  allow_direct: false,
  mirror_direct: false,
  allow_msg_ttl: false,
  allow_msg_schedules: false,
  allow_msg_counter: false,
  allow_atomic: false,
  allow_batched: false,
  duplicate_window: NO_WINDOW,
} as const;

/** Read of a stream that exists; a new one is made without them. */
const ABSENT = { mirror: undefined, sources: undefined, subject_transform: undefined, republish: undefined, persist_mode: undefined } as const;

export function journalConfig(ns: Namespace, partition: number, partitions: number, replicas: number, maxBytes = -1): Wanted {
  return {
    ...PLAIN,
    ...ABSENT,
    name: streams.journal(ns, partition as Partition),
    description: `Reprise: what happened in partition ${partition} of ${ns}`,
    subjects: [subjects.journal(ns, partition as Partition)],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
    max_msgs_per_subject: -1,
    allow_rollup_hdrs: false,
    // Purging stays possible, because it can never be allowed again and a journal with snapshots is cut at its start
    // some day. A purge that nobody ordered breaks the chain and is found out.
    deny_purge: false,
    num_replicas: replicas,
    metadata: { [PARTITIONS]: String(partitions) },
  };
}

/**
 * Of heads and leases the server drops nothing, so that messages of strangers cannot push ours out: brokers clear away
 * what is older than theirs.
 */
const KEPT = { discard: DiscardPolicy.New, max_bytes: -1, max_msgs_per_subject: -1, allow_rollup_hdrs: false } as const;

export function witnessConfig(ns: Namespace, partitions: number, replicas: number): Wanted {
  return {
    ...PLAIN,
    ...ABSENT,
    ...KEPT,
    name: streams.witness(ns),
    description: `Reprise: known heads of the journals of ${ns}`,
    subjects: [subjects.witness(ns, '*' as unknown as Partition)],
    storage: StorageType.File,
    num_replicas: replicas,
    metadata: { [PARTITIONS]: String(partitions) },
  };
}

/** In memory: with sync_interval always every renewal on disk would cost as much as a commit. */
export const leasesConfig = (ns: Namespace, replicas: number): Wanted => bucket(streams.leases(ns), StorageType.Memory, replicas);
/** On disk: a worker's leases outlive a restart of the server. */
export const keysConfig = (ns: Namespace, replicas: number): Wanted => bucket(streams.keys(ns), StorageType.File, replicas);
export const checkpointsConfig = (ns: Namespace, replicas: number): Wanted => bucket(streams.checkpoints(ns), StorageType.File, replicas);

function bucket(name: string, storage: StorageType, replicas: number): Wanted {
  return { ...PLAIN, ...ABSENT, ...KEPT, name: `KV_${name}`, subjects: [`$KV.${name}.>`], storage, num_replicas: replicas, metadata: {} };
}

/** What version 0.1.0 made differently. A stream that is exactly so is brought up to date. Its buckets were key-value ones. */
export const WITNESS_OF_0_1: Partial<StreamConfig> = { discard: DiscardPolicy.Old, max_msgs_per_subject: 64 };
export const BUCKET_OF_0_1 = { max_msgs_per_subject: 1, allow_rollup_hdrs: true } as const satisfies Partial<StreamConfig>;
