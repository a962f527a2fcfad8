/**
 * Commits out of events that are encoded already. The leader encodes every event once, when it decides it, and knows
 * the commit's size before it closes it.
 */
import protobuf from 'protobufjs/minimal.js';
import { encoded } from '../protocols/encoded.js';
import { journal } from '../protocols/messages.js';
import { COMMIT_VERSION, READER } from './chain.js';
import type { Head } from './chain.js';
import { hashOfPart } from './contents.js';

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

const EVENTS = 10;
/** Length-delimited: `Commit.events`. */
export const EVENTS_TAG = (EVENTS << 3) | 2;

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

/**
 * Byte for byte what `journal.Commit.encode` makes of the same commit.
 * @param events of {@link encodeEvents}
 * @param contents of a ContentWriter; in the first version there are none
 */
export function encodeCommit(header: CommitHeader, events: Uint8Array, contents: Uint8Array = NONE): Uint8Array {
  return Buffer.concat([encoded(journal.Commit, header), events, contents]);
}

const NONE = new Uint8Array(0);

/** More than any header takes: its strings are ids, its numbers below 2^53. */
const HEADER_ROOM = 256;

/** Events and contents as they will lie in the commit, with room for the header, so that they are not copied again. */
export class CommitBody {
  readonly events: Uint8Array;
  readonly contents: Uint8Array;
  private readonly bytes: Buffer;

  constructor(eventBytes: number, contentBytes: number) {
    this.bytes = Buffer.allocUnsafe(HEADER_ROOM + eventBytes + contentBytes);
    this.events = this.bytes.subarray(HEADER_ROOM, HEADER_ROOM + eventBytes);
    this.contents = this.bytes.subarray(HEADER_ROOM + eventBytes);
  }

  /** Called once: the bytes are handed out, not copied. */
  commit(header: CommitHeader): Uint8Array {
    const first = encoded(journal.Commit, header);
    return first.length <= HEADER_ROOM ? this.behind(first) : encodeCommit(header, this.events, this.contents);
  }

  /** @param commit of {@link commit} */
  hashOf(commit: Uint8Array): Uint8Array {
    return hashOfPart(commit, commit.length - this.contents.length);
  }

  private behind(header: Uint8Array): Uint8Array {
    this.bytes.set(header, HEADER_ROOM - header.length);
    return this.bytes.subarray(HEADER_ROOM - header.length);
  }
}

/** Events as they lie in a commit. @param events each an encoded journal.Event */
export function encodeEvents(events: readonly Uint8Array[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const event of events) writer.uint32(EVENTS_TAG).bytes(event);
  return writer.finish();
}
