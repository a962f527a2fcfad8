/**
 * Every subject and stream name, built here and nowhere else. The grammar:
 *
 *     reprise.<ns>.<noun>.<verb>         a command, served by every broker as one queue group
 *     reprise.<ns>.p.<n>.<noun>.<verb>   the same command, at the leader of a partition; brokers only
 *     reprise.<ns>.journal.<n>           commits of a partition; its leader only
 *     reprise.<ns>.witness.<n>           heads of a partition; brokers only
 *     $KV.REPRISE_<ns>_LEASES.<n>        the leadership of a partition; brokers only
 *     $KV.REPRISE_<ns>_CHECKPOINTS.<n>.<projection>   checkpoints of projections; brokers only
 *     $KV.REPRISE_<ns>_KEYS.key          what tokens are signed with; brokers only
 *     $O.REPRISE_<ns>_SNAPSHOTS.>        snapshots of the states of partitions; brokers only
 *     reprise.<ns>.event.<kind>.<id>.<Event>   committed facts; published by brokers; anyone may subscribe
 *     reprise.<ns>.progress.<jobId>      progress of a running attempt; never in a journal
 *
 * The commands, with their nouns and verbs, are listed in actors/commands.ts.
 */
import type { JobId, Namespace, Partition } from './ids.js';

/** A command by its name. */
export interface CommandName {
  readonly noun: string;
  readonly verb: string;
}

/** Names that no command's noun may have: the second part of other subjects. */
export const RESERVED_NOUNS: ReadonlySet<string> = new Set(['p', 'journal', 'witness', 'event', 'progress', 'outbox']);

/** Among leaders: commands of actors in other partitions. It has no public subject. */
export const DELIVER: CommandName = { noun: 'outbox', verb: 'deliver' };

/** Every command at once, for a subscription. */
export const EVERY: CommandName = { noun: '*', verb: '*' };

/** The client's principal. It is recorded as the cause's `by`; it is not verified. */
export const PRINCIPAL_HEADER = 'Reprise-Principal';

/** Its value is `1` where a message is a bundle: several requests of the subject's command. */
export const BUNDLE_HEADER = 'Reprise-Bundle';

/** Brokers answer public subjects as this queue group. */
export const BROKER_GROUP = 'brokers';

export const subjects = {
  command: (ns: Namespace, { noun, verb }: CommandName): string => `reprise.${ns}.${noun}.${verb}`,
  leader: (ns: Namespace, partition: Partition, { noun, verb }: CommandName): string =>
    `reprise.${ns}.p.${partition}.${noun}.${verb}`,
  journal: (ns: Namespace, partition: Partition): string => `reprise.${ns}.journal.${partition}`,
  witness: (ns: Namespace, partition: Partition): string => `reprise.${ns}.witness.${partition}`,
  leadership: (ns: Namespace, partition: Partition): string => `$KV.${streams.leadership(ns)}.${partition}`,
  keys: (ns: Namespace): string => `$KV.${streams.keys(ns)}.key`,
  checkpoint: (ns: Namespace, partition: Partition, projection: string): string =>
    `$KV.${streams.checkpoints(ns)}.${partition}.${projection}`,
  event: (ns: Namespace, kind: string, id: string, event: string): string =>
    `reprise.${ns}.event.${kind}.${id}.${event}`,
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
  /** An object store: its stream is called OBJ_<name>. */
  snapshots: (ns: Namespace): string => `REPRISE_${ns}_SNAPSHOTS`,
} as const;
