/** How each stream must be configured, and why. Fields that are not listed here are the operator's to choose. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';

export type Wanted = Partial<StreamConfig> & { readonly name: string; readonly metadata: Record<string, string> };

/** The operator may change these while Reprise runs, so they are set when a stream is made and never compared. */
export const OPERATORS_OWN: ReadonlySet<string> = new Set(['num_replicas', 'max_bytes', 'description']);

/** We send no message ids, so nothing is deduplicated. The server requires a window; this is its minimum. */
const NO_WINDOW = nanos(100);
/** In the metadata of journals and witness: how many partitions the namespace has. */
export const PARTITIONS = 'reprise.partitions';
/** In its place in the first journal of a namespace that is being restored: no broker accepts it. */
export const RESTORING = 'restoring';
/** In the metadata of that journal: which restore it is. */
export const RESTORE = 'reprise.restore';

/** Only a publish may change a stream: each of these options would make the server write, drop or move messages. */
const PLAIN = {
  retention: RetentionPolicy.Limits,
  max_age: 0,
  max_msgs: -1,
  max_msg_size: -1,
  no_ack: false,
  sealed: false,
  deny_delete: true,
  // Read from the stream's leader only: a replica that lags would return an old state.
  allow_direct: false,
  mirror_direct: false,
  allow_msg_ttl: false,
  allow_msg_schedules: false,
  allow_msg_counter: false,
  allow_atomic: false,
  allow_batched: false,
  duplicate_window: NO_WINDOW,
} as const;

/** Compared with an existing stream; a new one is made without them. */
const ABSENT = {
  mirror: undefined,
  sources: undefined,
  subject_transform: undefined,
  republish: undefined,
  persist_mode: undefined,
} as const;

export function journalConfig(
  ns: Namespace,
  partition: number,
  partitions: number,
  replicas: number,
  maxBytes = -1,
): Wanted {
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
    // Denying purges cannot be undone, and a journal with snapshots will have to be truncated at its start one day.
    // A purge by mistake breaks the chain and is detected.
    deny_purge: false,
    num_replicas: replicas,
    metadata: { [PARTITIONS]: String(partitions) },
  };
}

/**
 * The server drops nothing from the streams beside the journals, so that messages that are not ours cannot displace
 * ours. Brokers purge what is older than their own newest messages.
 */
const UNLIMITED = {
  discard: DiscardPolicy.New,
  max_bytes: -1,
  max_msgs_per_subject: -1,
  allow_rollup_hdrs: false,
} as const;

export function witnessConfig(ns: Namespace, partitions: number, replicas: number): Wanted {
  return {
    ...PLAIN,
    ...ABSENT,
    ...UNLIMITED,
    name: streams.witness(ns),
    description: `Reprise: known heads of the journals of ${ns}`,
    subjects: [subjects.witness(ns, '*' as unknown as Partition)],
    storage: StorageType.File,
    num_replicas: replicas,
    metadata: { [PARTITIONS]: String(partitions) },
  };
}

/** In memory: with `sync_interval: always` a renewal on disk would cost as much as a commit. */
export const leadershipConfig = (ns: Namespace, replicas: number): Wanted =>
  bucket(streams.leadership(ns), StorageType.Memory, replicas);
/** On disk: tokens of leases must stay valid across a restart of the server. */
export const keysConfig = (ns: Namespace, replicas: number): Wanted =>
  bucket(streams.keys(ns), StorageType.File, replicas);
export const checkpointsConfig = (ns: Namespace, replicas: number): Wanted =>
  bucket(streams.checkpoints(ns), StorageType.File, replicas);

/** Written and read by the client's object store, which replaces the metadata of an object by a rollup. */
export function snapshotsConfig(ns: Namespace, replicas: number): Wanted {
  const name = streams.snapshots(ns);
  return {
    ...PLAIN,
    ...ABSENT,
    ...UNLIMITED,
    name: `OBJ_${name}`,
    description: `Reprise: snapshots of the states of ${ns}`,
    subjects: [`$O.${name}.C.>`, `$O.${name}.M.>`],
    storage: StorageType.File,
    allow_rollup_hdrs: true,
    num_replicas: replicas,
    metadata: {},
  };
}

function bucket(name: string, storage: StorageType, replicas: number): Wanted {
  return {
    ...PLAIN,
    ...ABSENT,
    ...UNLIMITED,
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    storage,
    num_replicas: replicas,
    metadata: {},
  };
}

/** How version 0.1.0 configured these streams. A stream that differs in exactly this way is updated. */
export const WITNESS_OF_0_1: Partial<StreamConfig> = { discard: DiscardPolicy.Old, max_msgs_per_subject: 64 };
export const BUCKET_OF_0_1 = {
  max_msgs_per_subject: 1,
  allow_rollup_hdrs: true,
} as const satisfies Partial<StreamConfig>;
