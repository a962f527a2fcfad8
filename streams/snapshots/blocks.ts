/**
 * The body of a snapshot: its parts, one behind the other, in compressed blocks. A block is about 256 KiB before it is
 * compressed, so that writing it keeps nobody waiting, and is compressed in the thread pool.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

/** Part of a state: its bytes as they were when the state was frozen. */
export interface StatePart {
  readonly name: string;
  bytes(): Buffer;
  /** SHA-256 of the bytes. */
  hash(): Buffer;
}

const BLOCK_BYTES = 256 * 1024;
/** Of one part: a page of a kind's rows is far smaller, but a list may be long. */
const MOST_PART_BYTES = 1 << 30;
const MOST_BLOCK_BYTES = MOST_PART_BYTES + BLOCK_BYTES;
const NUMBER_BYTES = 4;
/** The fastest: pages of rows are mostly zeros and hashes. */
const LEVEL = 1;
const SAMPLE_BYTES = 16 * 1024;
const WORTH = 0.8;

/** At once, and not in turns of 16 KiB between this thread and the pool. */
const EXPANDING = { maxOutputLength: MOST_BLOCK_BYTES, chunkSize: 2 * BLOCK_BYTES };

const compress = promisify(deflateRaw);
const expand = promisify(inflateRaw);

/** Each block behind its length. */
export async function* blocksOf(parts: Iterable<StatePart>): AsyncGenerator<Buffer> {
  let block: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    const body = part.bytes();
    if (body.length > MOST_PART_BYTES) throw new RangeError(`the part ${part.name} has ${body.length} bytes`);
    block.push(...delimited(Buffer.from(part.name)), ...delimited(body));
    bytes += body.length;
    if (bytes < BLOCK_BYTES) continue;
    yield* compressed(block);
    [block, bytes] = [[], 0];
  }
  if (block.length > 0) yield* compressed(block);
}

/** Hashes and ids are not worth compressing, and take the longest: a sample tells. */
async function* compressed(block: readonly Buffer[]): AsyncGenerator<Buffer> {
  const whole = Buffer.concat(block);
  const sample = whole.subarray(0, SAMPLE_BYTES);
  const level = (await compress(sample, { level: LEVEL })).length > WORTH * sample.length ? 0 : LEVEL;
  yield* delimited(await compress(whole, { level, chunkSize: BLOCK_BYTES }));
}

function delimited(bytes: Buffer): [Buffer, Buffer] {
  const length = Buffer.allocUnsafe(NUMBER_BYTES);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}

export interface ReadPart {
  readonly name: string;
  /** A view of its block. A reader that keeps it must copy it. */
  readonly bytes: Buffer;
}

/** @throws RangeError, or an error of zlib, if these are not the bytes of blocks */
export async function* partsIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ReadPart> {
  let rest = Buffer.alloc(0);
  let more: Uint8Array[] = [];
  let needed = 0;
  let has = 0;
  for await (const chunk of chunks) {
    more.push(chunk);
    has += chunk.length;
    if (rest.length + has < needed) continue;
    rest = Buffer.concat([rest, ...more]);
    [more, has] = [[], 0];
    for (needed = endOf(rest, 0); needed <= rest.length; needed = endOf(rest, 0)) {
      const end = needed;
      yield* partsOf(await expand(rest.subarray(NUMBER_BYTES, end), EXPANDING));
      rest = rest.subarray(end);
    }
  }
  if (rest.length + has > 0) throw new RangeError('the last block is not whole');
}

function* partsOf(block: Buffer): Generator<ReadPart> {
  for (let at = 0; at < block.length; ) {
    const nameEnd = endOf(block, at);
    const end = endOf(block, nameEnd);
    if (end > block.length) throw new RangeError('a part is not whole');
    const name = block.toString('utf8', at + NUMBER_BYTES, nameEnd);
    yield { name, bytes: block.subarray(nameEnd + NUMBER_BYTES, end) };
    at = end;
  }
}

/** Where what begins with its length ends. @returns more than there are if not even the length is there */
const endOf = (bytes: Buffer, at: number): number =>
  (at + NUMBER_BYTES > bytes.length ? bytes.length + 1 : at + NUMBER_BYTES + bytes.readUInt32LE(at));
