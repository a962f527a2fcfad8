/** Makes a segment of commits that follow each other. It is in memory until {@link writeSegment} stores it. */
import { hash } from 'node:crypto';
import { RepriseError } from '../../protocols/errors.js';
import { decodeLeniently } from '../../protocols/lenient.js';
import { journal } from '../../protocols/messages.js';
import { Chain, COMMIT_VERSION, READER, sameBytes, type Head } from '../chain.js';
import type { Stored } from '../journal.js';
import { ActorsIndexWriter, actorHash } from './actors-index.js';
import { buildBlocks, type Built, type ObjectRef } from './blocks.js';
import { BlockWriter, type BothBlocks } from './block-writer.js';
import { readLayout, type ReadLayout } from './layout.js';
import { manifestOf, objectName, prefixOf, VERSION, type JournalName, type Manifest } from './manifest.js';

export interface Segment {
  readonly journal: JournalName;
  readonly manifest: Manifest;
  /** Facts, index and contents. */
  readonly objects: readonly Built[];
}

export interface SegmentStart {
  readonly journal: JournalName;
  /** The commit before the first one; undefined at the beginning of the journal. */
  readonly head: Head | undefined;
  /** `hashOfFacts` of the manifest of the segment before; empty if there is none. */
  readonly previous: string;
}

type Header = Pick<journal.Commit, 'journalId' | 'epoch' | 'nowMs' | 'prevSeq' | 'prevHash' | 'minReader'>;

const NONE = new Uint8Array(0);

export class SegmentWriter {
  /** Of the commits so far, as they are in the journal. */
  rawBytes = 0;
  commits = 0;
  /** The last commit so far. */
  head: Head | undefined;
  private first: { readonly seq: number; readonly nowMs: number } | undefined;
  private events = 0;
  private contents = 0;
  private removed = 0;
  private readonly blocks: BlockWriter;
  private readonly index = new ActorsIndexWriter();

  constructor(
    private readonly start: SegmentStart,
    options: { readonly blockBytes?: number } = {},
  ) {
    this.head = start.head;
    this.blocks = new BlockWriter(options.blockBytes);
  }

  /**
   * Takes the next commit. One call at a time.
   * @returns false for a foreign message, which is not archived
   * @throws RepriseError JOURNAL_BROKEN or JOURNAL_TOO_NEW if it does not follow the chain
   */
  async add({ seq, bytes }: Stored): Promise<boolean> {
    const before = this.head;
    const actors: number[] = [];
    const layout = this.layoutOf(bytes, actors);
    const header = layout && (this.following(seq, bytes, layout) ?? this.accepted({ seq, bytes }));
    if (layout === undefined || header === undefined) return false;
    this.first ??= { seq, nowMs: header.nowMs };
    for (const actor of actors) this.index.add(actor, seq - this.first.seq);
    this.count(bytes, layout);
    const { epoch, nowMs, journalId } = header;
    // As in the chain: what a journal needs never falls.
    const minReader = Math.max(header.minReader, before?.minReader ?? 0);
    const hashed = hash('sha256', bytes.subarray(0, layout.hashedBytes), 'buffer');
    this.head = { journalId, partition: this.start.journal.partition, seq, hash: hashed, epoch, nowMs, minReader };
    await this.blocks.add(seq, bytes, layout, before?.hash ?? NONE);
    return true;
  }

  /** @throws RepriseError INVALID_ARGUMENT without commits */
  async finish(): Promise<Segment> {
    const { first, start: { journal: name } } = this;
    if (first === undefined) throw new RepriseError('INVALID_ARGUMENT', 'A segment has at least one commit.');
    const prefix = prefixOf(name, first.seq);
    const both = await this.blocks.finish();
    const build = (what: keyof BothBlocks) =>
      buildBlocks(both.map((block) => block[what]), (sha256) => objectName(prefix, what, sha256));
    const [facts, contents] = [await build('facts'), await build('contents')];
    const index = builtIndex(await this.index.finish(), prefix);
    const manifest = manifestOf(
      { ...this.summary(first), blocks: facts.ref, index: index.ref, previous: this.start.previous },
      { ...contents.ref, removed: this.removed },
    );
    return { journal: name, manifest, objects: [facts, index, contents] };
  }

  private summary(first: { readonly seq: number; readonly nowMs: number }) {
    const { start: { journal: name, head: before }, head, commits, events, contents, rawBytes } = this;
    return {
      version: VERSION, ...name, firstSeq: first.seq, lastSeq: head?.seq ?? 0,
      prevSeq: before?.seq ?? 0, prevHash: hexOf(before), headHash: hexOf(head), epoch: head?.epoch ?? 0,
      minReader: head?.minReader ?? 0,
      firstMs: first.nowMs, lastMs: head?.nowMs ?? 0, commits, events, contents, rawBytes,
    };
  }

  private count(bytes: Uint8Array, { eventCount, salted }: ReadLayout): void {
    this.rawBytes += bytes.length;
    this.commits += 1;
    this.events += eventCount;
    this.contents += salted.length;
    for (const content of salted) if (content === undefined) this.removed += 1;
  }

  /** @returns undefined if it is no commit */
  private layoutOf(bytes: Uint8Array, actors: number[]): ReadLayout | undefined {
    try {
      return readLayout(bytes, (...of) => void actors.push(actorHash(bytes, ...of)));
    } catch {
      return undefined;
    }
  }

  /** The usual case, at a tenth of the cost of a whole commit: only the header is decoded. */
  private following(seq: number, bytes: Uint8Array, layout: ReadLayout): Header | undefined {
    const { head } = this;
    const { headerBytes, eventCount, problem } = layout;
    if (head === undefined || eventCount === 0 || problem !== undefined) return undefined;
    const header = decodeHeader(bytes.subarray(0, headerBytes));
    const { partition, journalId } = this.start.journal;
    const follows = header !== undefined && header.partition === partition && header.journalId === journalId &&
      header.version <= COMMIT_VERSION && header.version > 0 && header.minReader <= READER &&
      header.prevSeq === head.seq && head.seq < seq && sameBytes(header.prevHash, head.hash);
    return follows ? header : undefined;
  }

  /** Everything else: foreign, or broken. */
  private accepted(stored: Stored): Header | undefined {
    const { partition, journalId } = this.start.journal;
    const accepted = new Chain(partition, this.head).accept(stored);
    return accepted.kind === 'commit' && accepted.commit.journalId === journalId ? accepted.commit : undefined;
  }
}

function decodeHeader(bytes: Uint8Array): journal.Commit | undefined {
  try {
    return decodeLeniently(journal.Commit, bytes);
  } catch {
    return undefined;
  }
}

const hexOf = (head: Head | undefined): string => (head === undefined ? '' : Buffer.from(head.hash).toString('hex'));

function builtIndex(bytes: Uint8Array, prefix: string): Built {
  const sha256 = hash('sha256', bytes);
  const ref: ObjectRef = { name: objectName(prefix, 'index', sha256), bytes: bytes.length, sha256 };
  return { ref, parts: [bytes] };
}
