/**
 * A known head as it is kept: the position and hash of a commit that was seen, by a leader or by a projection. Pure.
 * Streams take in messages of strangers, so every byte is judged here, and what is no head of ours counts for nothing.
 */
import { parseJournalId, type Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import type { Head } from './chain.js';

/** All but the time. */
export interface KeptHead extends Omit<Head, 'nowMs'> {
  /** Whose checkpoint it is; empty in a witnessed head. */
  readonly projection: string;
}

/** What is kept of a commit's head. @param projection that has come so far; none if it is a leader who has seen it */
export function keptHead({ journalId, partition, seq, hash, epoch }: Omit<Head, 'nowMs'>, projection = ''): KeptHead {
  return { journalId, partition, seq, hash, epoch, projection };
}

/** How heads are written and read. Whoever wants a proof that brokers wrote them wraps {@link plainHeads}. */
export interface HeadCodec {
  encode(head: KeptHead): Uint8Array;
  /** undefined: it is not ours. */
  decode(bytes: Uint8Array, partition: Partition): KeptHead | undefined;
}

/** Far more than any head of ours has. */
const MOST_BYTES = 512;
const HASH_BYTES = 32;
const PROJECTION = /^[a-z]{0,32}$/;

export const plainHeads: HeadCodec = { encode: (head) => journal.Head.encode(head).finish(), decode };

/** Heads of projections. Version 0.1.0 wrote `{"seq":…,"hash":"…"}`, and only the checkpoint of `events`. */
export const checkpointHeads: HeadCodec = {
  encode: plainHeads.encode,
  decode: (bytes, partition) => {
    const head = decode(bytes, partition) ?? decodeOld(bytes, partition);
    return head?.projection === '' ? undefined : head;
  },
};

function decode(bytes: Uint8Array, partition: Partition): KeptHead | undefined {
  const found = bytes.length <= MOST_BYTES ? attempt(() => journal.Head.decode(bytes)) : undefined;
  if (found === undefined || found.partition !== partition) return undefined;
  const { journalId, seq, hash, epoch, projection } = found;
  if (parseJournalId(journalId) === undefined || !PROJECTION.test(projection)) return undefined;
  if (!isPosition(seq) || !isPosition(epoch) || hash.length !== HASH_BYTES) return undefined;
  return { journalId, partition, seq, hash: hash.slice(), epoch, projection };
}

const OLD_HASH = /^[0-9a-f]{64}$/;

function decodeOld(bytes: Uint8Array, partition: Partition): KeptHead | undefined {
  if (bytes.length > MOST_BYTES) return undefined;
  const found = attempt(() => JSON.parse(Buffer.from(bytes).toString()) as { seq?: unknown; hash?: unknown } | null);
  const { seq, hash } = found ?? {};
  if (!isPosition(seq) || typeof hash !== 'string' || !OLD_HASH.test(hash)) return undefined;
  return { journalId: '', partition, seq, hash: Buffer.from(hash, 'hex'), epoch: 0, projection: 'events' };
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
