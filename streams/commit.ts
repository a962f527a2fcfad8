/**
 * Builds commits from encoded events. The leader encodes every event once, when it is decided, so that it knows the
 * size of a commit before it closes it.
 */
import protobuf from 'protobufjs/minimal.js';
import { encoded } from '../protocols/encoded.js';
import { journal } from '../protocols/messages.js';
import { BASE_READER, COMMIT_VERSION } from './chain.js';
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

/**
 * The header of the commit that follows `head`.
 * @param neededReader of a VersionBarrier in this commit, otherwise 0: what was needed before is needed on
 */
export function headerAfter(
  head: Head, leader: { leaderId: string; epoch: number }, wallMs: number, neededReader = 0,
): CommitHeader {
  return {
    version: COMMIT_VERSION,
    journalId: head.journalId,
    partition: head.partition,
    epoch: leader.epoch,
    leaderId: leader.leaderId,
    prevSeq: head.seq,
    prevHash: head.hash,
    nowMs: Math.max(head.nowMs, wallMs),
    minReader: Math.max(BASE_READER, head.minReader, neededReader),
  };
}

/**
 * The same bytes as `journal.Commit.encode` of the same commit.
 * @param events of {@link encodeEvents}
 * @param contents of a ContentWriter; version 1 has none
 */
export function encodeCommit(header: CommitHeader, events: Uint8Array, contents: Uint8Array = NONE): Uint8Array {
  return Buffer.concat([encoded(journal.Commit, header), events, contents]);
}

const NONE = new Uint8Array(0);

/** More bytes than any header has: its strings are ids, and its numbers are below 2^53. */
const HEADER_ROOM = 256;

/** The encoded events and contents of a commit, with room for the header before them, so that they are not copied. */
export class CommitBody {
  readonly events: Uint8Array;
  readonly contents: Uint8Array;
  private readonly bytes: Buffer;

  constructor(eventBytes: number, contentBytes: number) {
    this.bytes = Buffer.allocUnsafe(HEADER_ROOM + eventBytes + contentBytes);
    this.events = this.bytes.subarray(HEADER_ROOM, HEADER_ROOM + eventBytes);
    this.contents = this.bytes.subarray(HEADER_ROOM + eventBytes);
  }

  /** To be called once: the bytes are returned, not copied. */
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

/** The field `Commit.events`, encoded. @param events each an encoded journal.Event */
export function encodeEvents(events: readonly Uint8Array[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const event of events) writer.uint32(EVENTS_TAG).bytes(event);
  return writer.finish();
}
