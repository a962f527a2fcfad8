/** Writes a sorted run: to a temporary file, synced, and renamed when it is complete. Blocks the thread. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { BLOCK_BYTES, BLOCK_WORDS, encodeHeader, fenceSum, PER_BLOCK, sealBlock, type Header } from './block.js';
import { ID_HIGH, WORDS } from './entry.js';

const BUFFERED_BLOCKS = 64;

/** Called after every change of a file. Throws to give up. */
export type OnChange = () => void;

export class RunWriter {
  private readonly buffer = new Uint32Array(BUFFERED_BLOCKS * BLOCK_WORDS);
  private fence = new Uint32Array(64);
  private readonly temporary: string;
  private readonly file: number;
  private isOpen = true;
  private entries = 0;
  /** Of the file, the header included. */
  private blocks = 1;
  private buffered = 0;
  private inBlock = 0;

  constructor(
    private readonly path: string,
    private readonly run: number,
    private readonly onChange: OnChange,
  ) {
    this.temporary = `${path}.tmp`;
    this.file = openSync(this.temporary, 'w');
  }

  /** Entries must come in the order of their ids, each id once. */
  add(words: Uint32Array, at: number): void {
    const to = this.buffered * BLOCK_WORDS + this.inBlock * WORDS;
    if (this.inBlock === 0) this.noteFirst(words[at + ID_HIGH]!);
    for (let i = 0; i < WORDS; i += 1) this.buffer[to + i] = words[at + i]!;
    this.inBlock += 1;
    this.entries += 1;
    if (this.inBlock === PER_BLOCK) this.endBlock();
  }

  finish(): Header {
    if (this.inBlock > 0) this.endBlock();
    this.flush();
    const blocks = this.blocks - 1;
    const fence = this.fence.subarray(0, blocks);
    this.write(fence, this.blocks * BLOCK_BYTES);
    const header = { run: this.run, entries: this.entries, blocks, fence: fenceSum(fence) };
    this.write(encodeHeader(header), 0);
    fsyncSync(this.file);
    this.close();
    renameSync(this.temporary, this.path);
    this.onChange();
    return header;
  }

  abandon(): void {
    this.close();
    rmSync(this.temporary, { force: true });
  }

  /** Once: the number may be that of another file by then. */
  private close(): void {
    if (this.isOpen) closeSync(this.file);
    this.isOpen = false;
  }

  private noteFirst(high: number): void {
    const nth = this.blocks + this.buffered - 1;
    if (nth === this.fence.length) {
      const larger = new Uint32Array(2 * nth);
      larger.set(this.fence);
      this.fence = larger;
    }
    this.fence[nth] = high;
  }

  private endBlock(): void {
    const at = this.buffered * BLOCK_WORDS;
    this.buffer.fill(0, at + this.inBlock * WORDS, at + BLOCK_WORDS);
    sealBlock(this.buffer, at, this.run, this.blocks + this.buffered, this.inBlock);
    this.inBlock = 0;
    this.buffered += 1;
    if (this.buffered === BUFFERED_BLOCKS) this.flush();
  }

  private flush(): void {
    this.write(this.buffer.subarray(0, this.buffered * BLOCK_WORDS), this.blocks * BLOCK_BYTES);
    this.blocks += this.buffered;
    this.buffered = 0;
  }

  private write(words: Uint32Array, position: number): void {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at, bytes.length - at, position + at);
    this.onChange();
  }
}

/** @param fill adds the entries @throws what `fill` throws, or an error of the file system; no file is left then */
export function writeRun(path: string, run: number, onChange: OnChange, fill: (writer: RunWriter) => void): Header {
  const writer = new RunWriter(path, run, onChange);
  try {
    fill(writer);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
