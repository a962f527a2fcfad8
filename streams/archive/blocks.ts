/**
 * Facts and contents of a segment are objects of compressed blocks, followed by a table of them. Block n of both holds
 * the same commits. A block can be read alone: the table says where it lies, and its hash.
 */
import { createHash, hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ByteReader, ByteWriter } from './varints.js';

/** Of SHA-256. */
const BLOCK_HASH_BYTES = 16;

export interface Block {
  readonly firstSeq: number;
  readonly commits: number;
  /** Offset within the object. */
  readonly at: number;
  readonly bytes: number;
  /** Before compression. */
  readonly rawBytes: number;
  /** SHA-256 of the compressed bytes, the first 16 bytes of it. */
  readonly hash: Uint8Array;
}

/** What a manifest says of an object. */
export interface ObjectRef {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** An object of blocks. Its last bytes are the table. */
export interface BlocksRef extends ObjectRef {
  readonly tableBytes: number;
  readonly tableSha256: string;
}

/** An object that is not stored yet. */
export interface Built<Ref extends ObjectRef = ObjectRef> {
  readonly ref: Ref;
  readonly parts: readonly Uint8Array[];
}

export interface CompressedBlock {
  readonly firstSeq: number;
  readonly commits: number;
  readonly rawBytes: number;
  readonly bytes: Uint8Array;
}

/** @param nameOf gets the object's hash */
export async function buildBlocks(
  blocks: readonly CompressedBlock[], nameOf: (sha256: string) => string,
): Promise<Built<BlocksRef>> {
  const table = new ByteWriter();
  const parts: Uint8Array[] = [];
  const whole = createHash('sha256');
  let seq = 0;
  for (const { firstSeq, commits, rawBytes, bytes } of blocks) {
    table.varint(firstSeq - seq);
    for (const value of [commits, bytes.length, rawBytes]) table.varint(value);
    table.put(hashOfBlock(bytes));
    seq = firstSeq;
    parts.push(bytes);
    whole.update(bytes);
    // A segment has hundreds of blocks.
    await setImmediate();
  }
  const encoded = table.take();
  parts.push(encoded);
  const sha256 = whole.update(encoded).digest('hex');
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const tableSha256 = hash('sha256', encoded);
  return { ref: { name: nameOf(sha256), bytes, sha256, tableBytes: encoded.length, tableSha256 }, parts };
}

/** @throws RangeError if it is no table */
export function readTable(encoded: Uint8Array): Block[] {
  const reader = new ByteReader(encoded);
  const blocks: Block[] = [];
  let [seq, at] = [0, 0];
  while (!reader.isAtEnd) {
    seq += reader.varint();
    const [commits, bytes, rawBytes] = [reader.varint(), reader.varint(), reader.varint()];
    blocks.push({ firstSeq: seq, commits, at, bytes, rawBytes, hash: reader.take(BLOCK_HASH_BYTES) });
    at += bytes;
  }
  return blocks;
}

export const hashOfBlock = (bytes: Uint8Array): Uint8Array =>
  hash('sha256', bytes, 'buffer').subarray(0, BLOCK_HASH_BYTES);
