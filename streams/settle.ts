/**
 * Finds out whether an append that was not acknowledged was written. Reading alone is not enough, because the message
 * may still arrive. A LeaderStarted is the barrier: after it, the fence refuses everything that expects an earlier end.
 */
import { sameBytes } from './chain.js';
import type { Journal } from './journal.js';
import { takeOver, type TakenOver, type TakeOverOptions } from './takeover.js';

/** An append that was sent and not acknowledged. */
export interface PendingAppend {
  readonly bytes: Uint8Array;
  /** The last sequence that the append expected. */
  readonly expectedSeq: number;
}

export interface Settled {
  readonly written: boolean;
  readonly takenOver: TakenOver;
}

/** Reads the whole journal again, so the fold behind `options.onCommit` must start from an empty state. */
export async function settle(from: Journal, pending: PendingAppend, options: TakeOverOptions): Promise<Settled> {
  const position = pending.expectedSeq + 1;
  let written = false;
  const takenOver = await takeOver(await from.reopen(), {
    ...options,
    onCommit(commit, seq, bytes, head) {
      // Its fence lets the message in at this position only.
      if (seq === position) written = sameBytes(bytes, pending.bytes);
      return options.onCommit(commit, seq, bytes, head);
    },
  });
  return { written, takenOver };
}
