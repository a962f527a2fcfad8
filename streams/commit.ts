/**
 * Commits out of events that are encoded already. The leader encodes every event once, when it decides it, and knows
 * the commit's size before it closes it.
 */
import protobuf from 'protobufjs/minimal.js';
import { journal } from '../protocols/messages.js';
import { COMMIT_VERSION, READER } from './chain.js';
import type { Head } from './chain.js';

export interface CommitHeader {
  readonly version: number;
  readonly journalId: string;
  readonly partition: number;
  readonly epoch: number;
  readonly leaderId: string;
  readonly prevSeq: number;
  readonly prevHash: Uint8Array;
  readonly nowMs: number;
  readonly minReader: number;
}

/** Field 10, length-delimited: `Commit.events`. */
const EVENTS_TAG = (10 << 3) | 2;

/** The header of the commit that follows `head`. */
export function headerAfter(head: Head, leader: { leaderId: string; epoch: number }, wallMs: number): CommitHeader {
  return {
    version: COMMIT_VERSION,
    journalId: head.journalId,
    partition: head.partition,
    epoch: leader.epoch,
    leaderId: leader.leaderId,
    prevSeq: head.seq,
    prevHash: head.hash,
    nowMs: Math.max(head.nowMs, wallMs),
    minReader: READER,
  };
}

/** Byte for byte what `journal.Commit.encode` makes of the same commit. @param events each an encoded journal.Event */
export function encodeCommit(header: CommitHeader, events: readonly Uint8Array[]): Uint8Array {
  const writer = protobuf.Writer.create();
  journal.Commit.encode(header, writer);
  for (const event of events) writer.uint32(EVENTS_TAG).bytes(event);
  return writer.finish();
}

/** What an encoded event adds to the size of a commit. */
export const eventCost = (event: Uint8Array): number => event.length + 1 + (event.length < 128 ? 1 : event.length < 16_384 ? 2 : event.length < 2_097_152 ? 3 : 4);
