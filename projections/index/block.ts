/**
 * A sorted run is a file of blocks of 4096 bytes, each with its own checksum: reading one entry checks what it reads,
 * and opening a file of any size reads its header and fence only. Numbers are in the byte order of the machine, which
 * the magic number shows.
 *
 * Block 0 is the header; then come the blocks of entries, sorted by id; then the fence: the first word of every
 * block's first id, kept in memory, so that one read finds an entry.
 */
import { crc32 } from 'node:zlib';
import { WORDS } from './entry.js';

export const BLOCK_BYTES = 4096;
export const BLOCK_WORDS = BLOCK_BYTES / 4;
export const PER_BLOCK = 170;
const COUNT = PER_BLOCK * WORDS;
const NUMBER = COUNT + 1;
const RUN = COUNT + 2;
const CHECKSUM = COUNT + 3;

const MAGIC = 0x52504958;
const VERSION = 1;

/** A file of the index that cannot be used. The index is made again from the journal. */
export class BrokenIndex extends Error {
  override readonly name = 'BrokenIndex';
}

const bytesOf = (words: Uint32Array, at: number, length: number): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset + 4 * at, length);

/** @param at of the block's first word */
export function sealBlock(words: Uint32Array, at: number, run: number, number: number, count: number): void {
  words[at + COUNT] = count;
  words[at + NUMBER] = number;
  words[at + RUN] = run;
  words[at + CHECKSUM] = crc32(bytesOf(words, at, 4 * CHECKSUM));
}

/** @returns how many entries are in the block @throws BrokenIndex */
export function checkBlock(words: Uint32Array, at: number, run: number, number: number): number {
  const sum = crc32(bytesOf(words, at, 4 * CHECKSUM));
  const count = words[at + COUNT]!;
  if (sum !== words[at + CHECKSUM] || words[at + NUMBER] !== number || words[at + RUN] !== run || count > PER_BLOCK) {
    throw new BrokenIndex(`block ${number} of run ${run} is damaged`);
  }
  return count;
}

export interface Header {
  readonly run: number;
  readonly entries: number;
  readonly blocks: number;
  /** Checksum of the fence. */
  readonly fence: number;
}

export const fenceSum = (fence: Uint32Array): number => crc32(bytesOf(fence, 0, 4 * fence.length));

export function encodeHeader({ run, entries, blocks, fence }: Header): Uint32Array {
  const words = new Uint32Array(BLOCK_WORDS);
  words.set([MAGIC, VERSION, entries % 2 ** 32, Math.floor(entries / 2 ** 32), blocks, fence]);
  sealBlock(words, 0, run, 0, 0);
  return words;
}

/** @throws BrokenIndex also for a file of another version or machine */
export function decodeHeader(words: Uint32Array, run: number): Header {
  if (words[0] !== MAGIC || words[1] !== VERSION) throw new BrokenIndex(`run ${run} is of another version`);
  checkBlock(words, 0, run, 0);
  return { run, entries: words[2]! + words[3]! * 2 ** 32, blocks: words[4]!, fence: words[5]! };
}
