/** Reads one segment: its tables, blocks and index. Everything is compared with its hash before it is believed. */
import { hash } from 'node:crypto';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import { sameBytes } from '../chain.js';
import type { Stored } from '../journal.js';
import { positionsIn } from './actors-index.js';
import { hashOfBlock, readTable, type Block, type BlocksRef } from './blocks.js';
import type { BlockCache } from './block-cache.js';
import { decompress } from './compression.js';
import { broken, type Manifest } from './manifest.js';
import { readRecord } from './record.js';
import type { ArchiveStore } from './store.js';
import { ByteReader } from './varints.js';

/** One block of both objects. */
export interface BlockPair {
  readonly facts: Block;
  readonly contents: Block;
}

export interface RawPair {
  readonly facts: Uint8Array;
  readonly contents: Uint8Array;
}

/** An entry of the cache beside its bytes. */
const ENTRY_COST = 200;

export class SegmentReader {
  constructor(
    private readonly store: ArchiveStore,
    readonly manifest: Manifest,
    private readonly cache: BlockCache,
  ) {}

  async read(seq: number): Promise<Stored | undefined> {
    const blocks = await this.blocks();
    const pair = blocks.findLast(({ facts }) => facts.firstSeq <= seq);
    if (pair === undefined) return undefined;
    // Contents are replaced under another name.
    const key = `${this.manifest.facts.blocks.name} ${this.manifest.contents.name} ${pair.facts.firstSeq}`;
    const sizeOf = (commits: readonly Stored[]): number =>
      commits.reduce((sum, { bytes }) => sum + bytes.length + ENTRY_COST, 0);
    const commits = await this.cache.get(key, () => this.commits(pair), sizeOf);
    return commits.find((commit) => commit.seq === seq);
  }

  /** The positions of commits that may have events of an actor, in order. @param actor see `hashOfActor` */
  async positionsOf(actor: number): Promise<number[]> {
    const { index, firstSeq } = this.manifest.facts;
    const bytes = await this.cache.get(index.name, () => this.index(), (read) => read.length + ENTRY_COST);
    return this.readable(index.name, () => positionsIn(bytes, actor)).map((position) => firstSeq + position);
  }

  async blocks(): Promise<readonly BlockPair[]> {
    const { facts: { blocks: facts }, contents } = this.manifest;
    const [ofFacts, ofContents] = [await this.table(facts), await this.table(contents)];
    const pairs = ofFacts.map((each, nth) => ({ facts: each, contents: ofContents[nth] }));
    const isPaired = ofFacts.length === ofContents.length && pairs.every(({ facts: one, contents: other }) =>
      one.firstSeq === other?.firstSeq && one.commits === other.commits);
    if (!isPaired) throw broken(contents.name, `its blocks are not those of ${facts.name}`);
    return pairs as BlockPair[];
  }

  /** All commits of a block. */
  async commits(pair: BlockPair): Promise<readonly Stored[]> {
    const raw = await this.raw(pair);
    return this.readable(this.manifest.facts.blocks.name, () => commitsIn(pair, raw), pair.facts.firstSeq);
  }

  async raw({ facts, contents }: BlockPair): Promise<RawPair> {
    const read = [this.block(this.manifest.facts.blocks, facts), this.block(this.manifest.contents, contents)] as const;
    const [ofFacts, ofContents] = await Promise.all(read);
    return { facts: ofFacts, contents: ofContents };
  }

  /** @returns the compressed bytes of a block */
  async compressed({ name }: BlocksRef, { at, bytes, hash: wanted, firstSeq }: Block): Promise<Uint8Array> {
    if (bytes === 0) return new Uint8Array(0);
    const read = await this.part(name, at, at + bytes);
    if (!sameBytes(hashOfBlock(read), wanted)) throw this.unreadable(name, 'a block was changed', firstSeq);
    return read;
  }

  private async block(ref: BlocksRef, block: Block): Promise<Uint8Array> {
    const compressed = await this.compressed(ref, block);
    try {
      return await decompress(compressed, block.rawBytes);
    } catch (error) {
      throw this.unreadable(ref.name, messageOf(error), block.firstSeq);
    }
  }

  private async table(ref: BlocksRef): Promise<readonly Block[]> {
    const { name, bytes, tableBytes, tableSha256 } = ref;
    const load = async (): Promise<readonly Block[]> => {
      const encoded = await this.part(name, bytes - tableBytes, bytes);
      if (hash('sha256', encoded) !== tableSha256) throw broken(name, 'its table was changed');
      return this.readable(name, () => readTable(encoded));
    };
    return await this.cache.get(`${name} table`, load, (blocks) => blocks.length * ENTRY_COST);
  }

  private async index(): Promise<Uint8Array> {
    const { name, bytes, sha256 } = this.manifest.facts.index;
    const read = await this.part(name, 0, bytes);
    if (hash('sha256', read) !== sha256) throw broken(name, 'it was changed');
    return read;
  }

  private async part(name: string, from: number, to: number): Promise<Uint8Array> {
    const read = await this.store.get(name, { from, to });
    if (read === undefined) throw broken(name, 'it is missing');
    if (read.length !== to - from) throw broken(name, 'it is too short');
    return read;
  }

  private readable<T>(name: string, read: () => T, position?: number): T {
    try {
      return read();
    } catch (error) {
      throw this.unreadable(name, messageOf(error), position);
    }
  }

  private unreadable(name: string, why: string, position: number | undefined): RepriseError {
    const where = position === undefined ? '' : ` (block of position ${position})`;
    const message = `The archive is broken at ${name}${where}: ${why}.`;
    return new RepriseError('ARCHIVE_BROKEN', message, { cause: { object: name, position } });
  }
}

/** @throws RangeError if they are no blocks */
function commitsIn({ facts: { firstSeq, commits } }: BlockPair, raw: RawPair): Stored[] {
  const [facts, contents] = [new ByteReader(raw.facts), new ByteReader(raw.contents)];
  const found: Stored[] = [];
  let [seq, prevHash]: [number, Uint8Array | undefined] = [firstSeq, undefined];
  for (let nth = 0; nth < commits; nth += 1) {
    seq += facts.varint();
    const { bytes, hash: hashed } = readRecord(facts, contents, prevHash);
    found.push({ seq, bytes });
    prevHash = hashed;
  }
  if (!facts.isAtEnd || !contents.isAtEnd) throw new RangeError('there is more than the commits of the table');
  return found;
}
