/** What a broker and its archiver, a process, say to each other. Plain data: hashes are in hex. */
import type { Namespace, Partition } from '../../protocols/ids.js';

export interface ArchivePolicy {
  /** A segment ends after so many bytes of commits, */
  readonly segmentBytes: number;
  /** or when its first commit is so old and the end of the journal was read. */
  readonly intervalMs: number;
  /** Between two looks at the end of a journal. */
  readonly pollMs: number;
  /** After an error; at most {@link lastRetryMs}. */
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** After such a time without success there is an alarm, and another one each such time. */
  readonly alarmMs: number;
}

/** By default. */
export const ARCHIVE_POLICY: ArchivePolicy = {
  segmentBytes: 32 * 1024 * 1024, intervalMs: 5 * 60_000, pollMs: 5_000, firstRetryMs: 1_000, lastRetryMs: 60_000,
  alarmMs: 5 * 60_000,
};

export interface Begin {
  readonly kind: 'begin';
  /** It may hold a password, which is why it is no argument of the process. */
  readonly url: string;
  readonly ns: Namespace;
  readonly location: string;
  readonly policy: ArchivePolicy;
}

export type ToArchiver = Begin | { readonly kind: 'lead' | 'follow'; readonly partition: Partition };

/** The last commit that is in the archive, written and compared. */
export interface ArchivedHead {
  readonly journalId: string;
  readonly seq: number;
  readonly hash: string;
}

export type FromArchiver =
  | { readonly kind: 'archived'; readonly partition: Partition; readonly head: ArchivedHead }
  /** It read the journal to its end, and wrote what was due. */
  | { readonly kind: 'well'; readonly partition: Partition }
  | { readonly kind: 'failed'; readonly partition: Partition; readonly code: string; readonly message: string };
