/** Collects the commits of a segment into blocks, and compresses each full one in the thread pool. */
import type { CompressedBlock } from './blocks.js';
import { compress } from './compression.js';
import type { ReadLayout } from './layout.js';
import { writeRecord } from './record.js';
import { ByteWriter } from './varints.js';

/** A block of facts or of contents is full when it is this long, before compression. */
const BLOCK_BYTES = 256 * 1024;
/** Blocks that are compressed at the same time: the thread pool has other work, too. */
const AT_ONCE = 2;

export interface BothBlocks {
  readonly facts: CompressedBlock;
  readonly contents: CompressedBlock;
}

export class BlockWriter {
  private readonly facts = new ByteWriter(BLOCK_BYTES + BLOCK_BYTES / 4);
  private readonly contents = new ByteWriter();
  private readonly blocks: Promise<BothBlocks>[] = [];
  private firstSeq = 0;
  private lastSeq = 0;
  private commits = 0;

  constructor(private readonly blockBytes = BLOCK_BYTES) {}

  /** @param prevHash of the commit before */
  async add(seq: number, bytes: Uint8Array, layout: ReadLayout, prevHash: Uint8Array): Promise<void> {
    const isFirst = this.commits === 0;
    if (isFirst) this.firstSeq = this.lastSeq = seq;
    this.facts.varint(seq - this.lastSeq);
    // A block is read without the one before it.
    writeRecord(bytes, layout, isFirst ? undefined : prevHash, this.facts, this.contents);
    this.lastSeq = seq;
    this.commits += 1;
    if (Math.max(this.facts.size, this.contents.size) < this.blockBytes) return;
    this.seal();
    await this.blocks.at(-1 - AT_ONCE);
  }

  async finish(): Promise<readonly BothBlocks[]> {
    if (this.commits > 0) this.seal();
    return await Promise.all(this.blocks);
  }

  private seal(): void {
    const { firstSeq, commits } = this;
    const [facts, contents] = [this.facts.take(), this.contents.take()];
    this.commits = 0;
    const compressed = async (raw: Uint8Array): Promise<CompressedBlock> =>
      ({ firstSeq, commits, rawBytes: raw.length, bytes: await compress(raw) });
    const both = Promise.all([compressed(facts), compressed(contents)]);
    const block = both.then(([ofFacts, ofContents]): BothBlocks => ({ facts: ofFacts, contents: ofContents }));
    // Whoever awaits it gets the error; until then nobody does.
    block.catch(() => undefined);
    this.blocks.push(block);
  }
}
