/**
 * A journal: the log of one partition, one message per commit. Two implementations pass one conformance suite:
 * `jetstream.ts` (the real one) and `memory.ts` (its twin for tests and simulation).
 */
import type { Partition } from '../protocols/ids.js';

/** A message of the stream as it lies there. It may be a commit of ours or a stranger's. */
export interface Stored {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** How an append ended. Only `committed` and `refused` are certain. */
export type Appended =
  | { readonly kind: 'committed'; readonly seq: number }
  /** Certainly not written, now or later. `fenced`: somebody else wrote since. `full`: JOURNAL_FULL. */
  | { readonly kind: 'refused'; readonly why: 'fenced' | 'full' | 'other'; readonly message: string }
  /**
   * May be written already, may arrive later, may be lost. Only {@link settle} can tell. `silent`: the connection held,
   * but no answer came in time. A server answers nothing when it cannot write.
   */
  | { readonly kind: 'ambiguous'; readonly message: string; readonly silent?: true };

export interface Journal {
  readonly partition: Partition;
  /** Resolves when the connection is lost or closed. What was in flight is ambiguous then, and later calls throw SERVER_UNREACHABLE. */
  readonly closed: Promise<void>;
  /**
   * Appends one message if the stream's last sequence is `expectedSeq`. At most one append may be in flight:
   * with two, a stale leader's second message fits the gap that its first one left.
   * After an ambiguous end this handle takes no more appends: see {@link reopen}.
   */
  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended>;
  /** Messages from `fromSeq` (at least 1) to the last one at the time of the call, in order. Gaps are not filled. */
  replay(fromSeq: number): AsyncIterable<Stored>;
  /** One message, or undefined when it is not there (never was, deleted or corrupt). */
  read(seq: number): Promise<Stored | undefined>;
  /** Last sequence of the stream, from its leader; 0 when empty. */
  lastSeq(): Promise<number>;
  /** The same, with the server's wall clock in Unix milliseconds; NaN when it does not tell. */
  end(): Promise<{ readonly lastSeq: number; readonly serverMs: number }>;
  /**
   * A fresh connection to the same journal, to be used after an ambiguous append: this one is closed by it, so that
   * nothing it still holds can be sent later. @throws RepriseError DISK_FULL when the server cannot write
   */
  reopen(): Promise<Journal>;
  close(): Promise<void>;
}
