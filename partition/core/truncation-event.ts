/** The record that a journal is truncated. */
import type { ActorEvent, EventTable } from '../../actors/kind.js';
import { journal } from '../../protocols/messages.js';

/** The last commit that goes, or has gone. */
export interface Truncated {
  readonly seq: number;
  /** Hexadecimal. */
  readonly hash: string;
}

export type TruncationEvent = ActorEvent & {
  readonly type: 'JournalTruncated';
  readonly body: { readonly status: ''; readonly seq: number; readonly hash: Uint8Array };
};

/** An older broker would take a truncated journal for a broken one. */
export const TRUNCATION_EVENTS: EventTable<TruncationEvent> = {
  JournalTruncated: { version: 1, message: journal.JournalTruncated, since: 3 },
};
