/**
 * A known head as it is stored: position and hash of a commit that a leader appended or a projection folded. Pure.
 * Their streams may hold any message, so every field is checked here, and a message that is not a head is skipped.
 */
import { parseJournalId, type Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { tryRead } from '../protocols/try-read.js';
import type { Head } from './chain.js';

/** A head without the time of its commit. */
export interface StoredHead extends Omit<Head, 'nowMs' | 'minReader'> {
  /** The projection whose checkpoint it is; empty in a witnessed head. */
  readonly projection: string;
}

/** What is stored of a commit's head. @param projection that has folded the commit; empty for the witness */
export function storedHead(head: Omit<Head, 'nowMs' | 'minReader'>, projection = ''): StoredHead {
  const { journalId, partition, seq, hash, epoch } = head;
  return { journalId, partition, seq, hash, epoch, projection };
}

/** How heads are written and read. A codec that proves that a broker wrote them would wrap {@link plainHeads}. */
export interface HeadCodec {
  encode(head: StoredHead): Uint8Array;
  /** undefined: it is not a head of this partition. */
  decode(bytes: Uint8Array, partition: Partition): StoredHead | undefined;
}

/** More than any head of ours has. */
const MOST_BYTES = 512;
const HASH_BYTES = 32;
const PROJECTION = /^[a-z]{0,32}$/;

export const plainHeads: HeadCodec = { encode: (head) => journal.Head.encode(head).finish(), decode };

/** Of projections. Version 0.1.0 had the checkpoint of `events` only, and wrote it as `{"seq":…,"hash":"…"}`. */
export const checkpointHeads: HeadCodec = {
  encode: plainHeads.encode,
  decode: (bytes, partition) => {
    const head = decode(bytes, partition) ?? decodeOld(bytes, partition);
    return head?.projection === '' ? undefined : head;
  },
};

function decode(bytes: Uint8Array, partition: Partition): StoredHead | undefined {
  const found = bytes.length <= MOST_BYTES ? tryRead(() => journal.Head.decode(bytes)) : undefined;
  if (found === undefined || found.partition !== partition) return undefined;
  const { journalId, seq, hash, epoch, projection } = found;
  if (parseJournalId(journalId) === undefined || !PROJECTION.test(projection)) return undefined;
  if (!isPosition(seq) || !isPosition(epoch) || hash.length !== HASH_BYTES) return undefined;
  return { journalId, partition, seq, hash: hash.slice(), epoch, projection };
}

const OLD_HASH = /^[0-9a-f]{64}$/;

function decodeOld(bytes: Uint8Array, partition: Partition): StoredHead | undefined {
  if (bytes.length > MOST_BYTES) return undefined;
  const found = tryRead(() => JSON.parse(Buffer.from(bytes).toString()) as { seq?: unknown; hash?: unknown } | null);
  const { seq, hash } = found ?? {};
  if (!isPosition(seq) || typeof hash !== 'string' || !OLD_HASH.test(hash)) return undefined;
  return { journalId: '', partition, seq, hash: Buffer.from(hash, 'hex'), epoch: 0, projection: 'events' };
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
