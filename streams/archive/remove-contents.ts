/** Removes contents from a segment: its object of contents is written anew. Its facts stay as they are. */
import { setImmediate } from 'node:timers/promises';
import { journal } from '../../protocols/messages.js';
import { decodeLeniently } from '../../protocols/lenient.js';
import { EncodedCommit } from '../encoded-commit.js';
import type { Stored } from '../journal.js';
import { BlockCache } from './block-cache.js';
import { buildBlocks, type CompressedBlock } from './blocks.js';
import { compress } from './compression.js';
import { manifestName, manifestOf, objectName, prefixOf, type JournalName, type Manifest } from './manifest.js';
import { rewriteContents, skipFacts } from './record.js';
import { SegmentReader, type BlockPair } from './segment-reader.js';
import type { ArchiveStore } from './store.js';
import { ByteReader, ByteWriter } from './varints.js';
import { readManifest, replaceContents, sweep } from './write-segment.js';

/** An event whose content is there. Its body is without it. */
export interface EventWithContent {
  readonly event: journal.Event;
  readonly seq: number;
  /** Within its commit. */
  readonly index: number;
}

/**
 * Can be repeated after any error. One call at a time for a segment.
 * @param firstSeq of the segment
 * @returns the manifest that the segment has now; `contents.removed` counts what was removed, before and now
 */
export async function removeArchivedContents(
  store: ArchiveStore, name: JournalName, firstSeq: number, which: (of: EventWithContent) => boolean,
): Promise<Manifest> {
  const prefix = prefixOf(name, firstSeq);
  const manifest = await readManifest(store, manifestName(prefix));
  const remover = new Remover(new SegmentReader(store, manifest, new BlockCache(0)), which);
  const blocks = await remover.blocks();
  if (remover.removed === 0) {
    // An earlier removal may have been interrupted before it removed what it had replaced.
    await sweep(store, name, manifest);
    return manifest;
  }
  const contents = await buildBlocks(blocks, (sha256) => objectName(prefix, 'contents', sha256));
  const changed = { ...contents.ref, removed: manifest.contents.removed + remover.removed };
  const next = manifestOf(manifest.facts, changed);
  await replaceContents(store, name, next, contents);
  return next;
}

class Remover {
  removed = 0;

  constructor(
    private readonly segment: SegmentReader,
    private readonly which: (of: EventWithContent) => boolean,
  ) {}

  async blocks(): Promise<readonly CompressedBlock[]> {
    const blocks: CompressedBlock[] = [];
    for (const pair of await this.segment.blocks()) {
      blocks.push(await this.block(pair));
      await setImmediate();
    }
    return blocks;
  }

  private async block(pair: BlockPair): Promise<CompressedBlock> {
    const { contents: { firstSeq, commits, rawBytes } } = pair;
    const found = await this.segment.commits(pair);
    const removals = found.map((commit) => this.removalsIn(commit));
    if (removals.every(({ size }) => size === 0)) {
      const bytes = await this.segment.compressed(this.segment.manifest.contents, pair.contents);
      return { firstSeq, commits, rawBytes, bytes };
    }
    const raw = await this.segment.raw(pair);
    const [facts, contents, into] = [new ByteReader(raw.facts), new ByteReader(raw.contents), new ByteWriter()];
    for (const [nth, { bytes }] of found.entries()) {
      facts.varint();
      rewriteContents(bytes, contents, skipFacts(facts), removals[nth]!, into);
    }
    const rewritten = into.take();
    return { firstSeq, commits, rawBytes: rewritten.length, bytes: await compress(rewritten) };
  }

  private removalsIn({ seq, bytes }: Stored): ReadonlySet<number> {
    const encoded = new EncodedCommit(bytes);
    const removals = new Set<number>();
    for (let index = 0; index < encoded.eventCount; index += 1) {
      if (encoded.saltedContent(index) === undefined) continue;
      const event = decodeLeniently(journal.Event, encoded.event(index) ?? new Uint8Array(0));
      if (this.which({ event, seq, index })) removals.add(index);
    }
    this.removed += removals.size;
    return removals;
  }
}
