/**
 * A journal: the log of one partition, one message per commit. Two implementations pass one conformance suite:
 * `jetstream.ts` (the real one) and `memory.ts` (for tests and simulation).
 */
import { RepriseError } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';

/** A message of the stream as it is stored. It need not be a commit of ours. */
export interface Stored {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** How an append ended. Only `committed` and `refused` are certain. */
export type Appended =
  | { readonly kind: 'committed'; readonly seq: number }
  /** Certainly not written, now or later. `fenced`: another message was written since. `full`: JOURNAL_FULL. */
  | { readonly kind: 'refused'; readonly why: 'fenced' | 'full' | 'other'; readonly message: string }
  /**
   * May be written already, may arrive later, may be lost. Only the barrier, the LeaderStarted commit of the next
   * take-over, settles it: see {@link settle}. `silent`: the connection held, but no acknowledgement came in time; a
   * server that cannot write does not reply.
   */
  | { readonly kind: 'ambiguous'; readonly message: string; readonly silent?: true };

export interface Journal {
  readonly partition: Partition;
  /**
   * Resolves when the connection is lost or closed. What was in flight is then ambiguous, and later calls throw
   * SERVER_UNREACHABLE.
   */
  readonly closed: Promise<void>;
  /**
   * Appends one message if the stream's last sequence is `expectedSeq`. At most one append may be in flight: with two,
   * a deposed leader's second message would fit behind the message that fenced off its first one.
   * After an ambiguous end this handle takes no more appends: see {@link reopen}.
   */
  append(bytes: Uint8Array, expectedSeq: number): Promise<Appended>;
  /** Messages from `fromSeq` (at least 1) to the last one at the time of the call, in order. Gaps are not filled. */
  replay(fromSeq: number): AsyncIterable<Stored>;
  /** One message, or undefined if it is not there: never written, deleted or corrupt. */
  read(seq: number): Promise<Stored | undefined>;
  /** Last sequence of the stream, from its leader; 0 when empty. */
  lastSeq(): Promise<number>;
  /**
   * The same, with the first sequence that is still stored (one more than the last if none is), and the server's wall
   * clock in Unix milliseconds; NaN if the server gives none.
   */
  end(): Promise<{ readonly firstSeq: number; readonly lastSeq: number; readonly serverMs: number }>;
  /** Removes everything before `firstSeq`. Sequences go on as before. */
  truncate(firstSeq: number): Promise<void>;
  /**
   * A new connection to the same journal, for use after an ambiguous append. It closes this one, so that nothing that
   * the client still holds can be sent later. @throws RepriseError DISK_FULL when the server cannot write
   */
  reopen(): Promise<Journal>;
  close(): Promise<void>;
}

/** What every call on a closed handle throws. */
export const lost = (): RepriseError =>
  new RepriseError('SERVER_UNREACHABLE', 'The connection of the journal is closed.');

/** What an append after an ambiguous one throws. */
export const unsettled = (): RepriseError =>
  new RepriseError('SERVER_UNREACHABLE', 'An earlier append was not acknowledged. Settle it on a new connection.');
