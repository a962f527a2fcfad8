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
  /** Between two passes that remove contents which are old enough. */
  readonly retainMs: number;
}

/** By default. */
export const ARCHIVE_POLICY: ArchivePolicy = {
  segmentBytes: 32 * 1024 * 1024, intervalMs: 5 * 60_000, pollMs: 5_000, firstRetryMs: 1_000, lastRetryMs: 60_000,
  alarmMs: 5 * 60_000, retainMs: 10 * 60_000,
};

export interface Begin {
  readonly kind: 'begin';
  /** It may hold a password, which is why it is no argument of the process. */
  readonly url: string;
  readonly ns: Namespace;
  readonly location: string;
  readonly policy: ArchivePolicy;
}

/** What a pass of retention goes by: acknowledged facts of the journal, and its time. */
export interface RetentionOrder {
  readonly journalId: string;
  /** The last commit that was truncated; 0: nothing is. What comes after it is not touched. */
  readonly cutSeq: number;
  readonly nowMs: number;
  /** By queue; empty: the default; 0: for ever. */
  readonly settings: readonly { readonly queue: string; readonly contentMs: number }[];
}

export type ToArchiver =
  | Begin
  | { readonly kind: 'lead' | 'follow'; readonly partition: Partition }
  | { readonly kind: 'retain'; readonly partition: Partition; readonly order: RetentionOrder };

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
  /** Contents were removed from a segment. */
  | { readonly kind: 'retained'; readonly partition: Partition; readonly firstSeq: number; readonly removed: number }
  /** A pass that ended with an error; the next one begins again. */
  | { readonly kind: 'unretained'; readonly partition: Partition; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly partition: Partition; readonly code: string; readonly message: string };
