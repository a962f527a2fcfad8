/** A sorted run that is open for look-ups. Its fence is in memory: one byte for 42 entries. */
import { open, type FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES, BLOCK_WORDS, BrokenIndex, checkBlock, decodeHeader, fenceSum, type Header } from './block.js';
import { compareToKey, entryAt, WORDS, type Entry, type Key } from './entry.js';

export class SortedRun {
  private constructor(
    readonly path: string,
    readonly header: Header,
    private readonly file: FileHandle,
    private readonly fence: Uint32Array,
  ) {}

  /** @throws BrokenIndex, also when the file cannot be read */
  static async open(path: string, run: number): Promise<SortedRun> {
    const file = await open(path, 'r').catch((error: Error) => {
      throw new BrokenIndex(error.message);
    });
    try {
      const header = decodeHeader(await read(file, 0, BLOCK_WORDS), run);
      const { size } = await file.stat();
      if (size !== (header.blocks + 1) * BLOCK_BYTES + 4 * header.blocks) {
        throw new BrokenIndex(`run ${run} has ${size} bytes`);
      }
      const fence = await read(file, (header.blocks + 1) * BLOCK_BYTES, header.blocks);
      if (fenceSum(fence) !== header.fence) throw new BrokenIndex(`the fence of run ${run} is damaged`);
      return new SortedRun(path, header, file, fence);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws BrokenIndex, also after {@link close} */
  async find(key: Key): Promise<Entry | undefined> {
    for (let block = this.lastNotAfter(key.high); block >= 0; block -= 1) {
      const words = await read(this.file, (block + 1) * BLOCK_BYTES, BLOCK_WORDS);
      const count = checkBlock(words, 0, this.header.run, block + 1);
      if (compareToKey(words, 0, key) <= 0) return within(words, count, key);
      // Several blocks may begin with the same word. The fence says no more, so the one before is read too.
    }
    return undefined;
  }

  /** Waits for reads that have begun. */
  close(): Promise<void> {
    return this.file.close();
  }

  /** The last block that does not begin after `high`, or -1. */
  private lastNotAfter(high: number): number {
    let [from, to] = [0, this.fence.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.fence[middle]! <= high) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }
}

function within(words: Uint32Array, count: number, key: Key): Entry | undefined {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const order = compareToKey(words, middle * WORDS, key);
    if (order === 0) return entryAt(words, middle * WORDS);
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return undefined;
}

async function read(file: FileHandle, position: number, length: number): Promise<Uint32Array> {
  const words = new Uint32Array(length);
  const bytes = new Uint8Array(words.buffer);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done).catch((error: Error) => {
      throw new BrokenIndex(error.message);
    });
    if (bytesRead === 0) throw new BrokenIndex('a run is shorter than its header says');
    done += bytesRead;
  }
  return words;
}
