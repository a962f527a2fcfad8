/** Merges sorted runs into one. Every block that is read is checked, so damage is never copied into a good file. */
import { closeSync, openSync, readSync } from 'node:fs';
import { BLOCK_BYTES, BLOCK_WORDS, checkBlock, BrokenIndex } from './block.js';
import { combineInto, compareIds, WORDS } from './entry.js';
import type { RunWriter } from './write-run.js';

export interface MergeInput {
  readonly path: string;
  readonly run: number;
  readonly blocks: number;
}

const BUFFERED_BLOCKS = 64;

class Cursor {
  readonly words = new Uint32Array(BUFFERED_BLOCKS * BLOCK_WORDS);
  at = 0;
  private readonly file: number;
  /** Of the file; the header is block 0. */
  private nextBlock = 1;
  private bufferedFrom = 1;
  private left = 0;

  constructor(private readonly input: MergeInput) {
    this.file = openSync(input.path, 'r');
  }

  /** Goes to the next entry. @returns whether there is one */
  next(): boolean {
    this.at += WORDS;
    this.left -= 1;
    return this.left > 0 || this.nextEntries();
  }

  close(): void {
    closeSync(this.file);
  }

  private nextEntries(): boolean {
    const { run, blocks } = this.input;
    if (this.nextBlock > blocks) return false;
    const within = (this.nextBlock - this.bufferedFrom) % BUFFERED_BLOCKS;
    if (within === 0) this.read();
    this.at = within * BLOCK_WORDS;
    this.left = checkBlock(this.words, this.at, run, this.nextBlock);
    this.nextBlock += 1;
    return this.left > 0;
  }

  private read(): void {
    const length = Math.min(BUFFERED_BLOCKS, this.input.blocks + 1 - this.nextBlock) * BLOCK_BYTES;
    const bytes = new Uint8Array(this.words.buffer);
    for (let done = 0; done < length;) {
      const got = readSync(this.file, bytes, done, length - done, this.nextBlock * BLOCK_BYTES + done);
      if (got === 0) throw new BrokenIndex(`run ${this.input.run} is shorter than its header says`);
      done += got;
    }
    this.bufferedFrom = this.nextBlock;
  }
}

/** @throws BrokenIndex */
export function mergeInto(writer: RunWriter, inputs: readonly MergeInput[]): void {
  const opened: Cursor[] = [];
  try {
    for (const input of inputs) opened.push(new Cursor(input));
    const cursors = opened.filter((cursor) => cursor.next());
    const entry = new Uint32Array(WORDS);
    while (cursors.length > 0) {
      const least = cursors[leastOf(cursors)]!;
      entry.set(least.words.subarray(least.at, least.at + WORDS));
      for (let nth = cursors.length - 1; nth >= 0; nth -= 1) {
        const cursor = cursors[nth]!;
        if (compareIds(cursor.words, cursor.at, entry, 0) !== 0) continue;
        if (cursor !== least) combineInto(entry, 0, cursor.words, cursor.at);
        if (!cursor.next()) cursors.splice(nth, 1);
      }
      writer.add(entry, 0);
    }
  } finally {
    for (const cursor of opened) cursor.close();
  }
}

function leastOf(cursors: readonly Cursor[]): number {
  let least = 0;
  for (let nth = 1; nth < cursors.length; nth += 1) {
    const [a, b] = [cursors[nth]!, cursors[least]!];
    if (compareIds(a.words, a.at, b.words, b.at) < 0) least = nth;
  }
  return least;
}
