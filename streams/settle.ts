/**
 * Finds out whether an append that ended without an answer was written. Reading alone is wrong: the message may still
 * arrive. Only once a LeaderStarted lies on the tail can nothing that expected an earlier end arrive any more.
 */
import { sameBytes } from './chain.js';
import type { Journal } from './journal.js';
import { takeOver, type TakenOver, type TakeOverOptions } from './takeover.js';

export interface Pending {
  readonly bytes: Uint8Array;
  /** The last sequence that the append expected. */
  readonly expectedSeq: number;
}

export interface Settled {
  readonly written: boolean;
  readonly takenOver: TakenOver;
}

/** The whole journal is read again, so the fold behind `options.onCommit` starts anew. */
export async function settle(from: Journal, pending: Pending, options: TakeOverOptions): Promise<Settled> {
  const position = pending.expectedSeq + 1;
  let written = false;
  const takenOver = await takeOver(await from.reopen(), {
    ...options,
    onCommit(commit, seq, bytes, head) {
      // With its fence the message can lie nowhere else.
      if (seq === position) written = sameBytes(bytes, pending.bytes);
      return options.onCommit(commit, seq, bytes, head);
    },
  });
  return { written, takenOver };
}
