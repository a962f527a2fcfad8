/**
 * Every subject and stream name, built here and nowhere else. The grammar:
 *
 *     reprise.<ns>.job.<verb>            public, served by every broker as one queue group
 *     reprise.<ns>.worker.<verb>         public, likewise
 *     reprise.<ns>.p.<n>.<verb>          the leader of a partition; brokers only
 *     reprise.<ns>.journal.<n>           commits of a partition; its leader only
 *     reprise.<ns>.witness.<n>           heads of a partition; brokers only
 *     $KV.REPRISE_<ns>_LEASES.<n>        which broker should lead a partition; brokers only
 *     $KV.REPRISE_<ns>_CHECKPOINTS.<n>.<projection>   heads that a projection has come to; brokers only
 *     $KV.REPRISE_<ns>_KEYS.key          what tokens are signed with; brokers only
 *     reprise.<ns>.event.<kind>.<id>.<Event>   committed facts; brokers publish, everybody listens
 *     reprise.<ns>.progress.<jobId>      what a worker says of a running attempt; never journaled
 */
import type { JobId, Namespace, Partition } from './ids.js';

export const JOB_VERBS = ['submit', 'get', 'await', 'cancel'] as const;
export const WORKER_VERBS = ['register', 'pull', 'report', 'heartbeat', 'drain'] as const;
export type JobVerb = (typeof JOB_VERBS)[number];
export type WorkerVerb = (typeof WORKER_VERBS)[number];
export type Verb = JobVerb | WorkerVerb;

/** Brokers answer public subjects as this queue group. */
export const BROKER_GROUP = 'brokers';

export const subjects = {
  job: (ns: Namespace, verb: JobVerb): string => `reprise.${ns}.job.${verb}`,
  worker: (ns: Namespace, verb: WorkerVerb): string => `reprise.${ns}.worker.${verb}`,
  leader: (ns: Namespace, partition: Partition, verb: Verb | '*'): string => `reprise.${ns}.p.${partition}.${verb}`,
  journal: (ns: Namespace, partition: Partition): string => `reprise.${ns}.journal.${partition}`,
  witness: (ns: Namespace, partition: Partition): string => `reprise.${ns}.witness.${partition}`,
  leadership: (ns: Namespace, partition: Partition): string => `$KV.${streams.leadership(ns)}.${partition}`,
  keys: (ns: Namespace): string => `$KV.${streams.keys(ns)}.key`,
  checkpoint: (ns: Namespace, partition: Partition, projection: string): string => `$KV.${streams.checkpoints(ns)}.${partition}.${projection}`,
  event: (ns: Namespace, kind: string, id: string, event: string): string => `reprise.${ns}.event.${kind}.${id}.${event}`,
  /** Where all facts of a kind are. */
  events: (ns: Namespace, kind: string): string => `reprise.${ns}.event.${kind}.>`,
  progress: (ns: Namespace, id: JobId): string => `reprise.${ns}.progress.${id}`,
} as const;

export const streams = {
  journal: (ns: Namespace, partition: Partition): string => `REPRISE_${ns}_JOURNAL_${partition}`,
  witness: (ns: Namespace): string => `REPRISE_${ns}_WITNESS`,
  /** Their streams are called KV_<name>, as the key-value buckets of version 0.1.0 were; they are none any more. */
  leadership: (ns: Namespace): string => `REPRISE_${ns}_LEASES`,
  checkpoints: (ns: Namespace): string => `REPRISE_${ns}_CHECKPOINTS`,
  keys: (ns: Namespace): string => `REPRISE_${ns}_KEYS`,
} as const;
