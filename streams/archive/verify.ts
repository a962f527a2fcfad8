/** Checks an archive from end to end: every object, the chain of segments, the chain of commits, and every content. */
import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { Chain, type Accepted } from '../chain.js';
import { checkContents } from '../contents.js';
import type { Stored } from '../journal.js';
import { ActorsIndexWriter, hashOfActor } from './actors-index.js';
import { BlockCache } from './block-cache.js';
import {
  checkFollows, decodeManifest, folderOf, headBefore, isManifestName, objectsOf, type JournalName, type Manifest,
} from './manifest.js';
import { SegmentReader } from './segment-reader.js';
import type { ArchiveStore } from './store.js';
import { differs } from './write-segment.js';

export type Verified =
  | {
    readonly kind: 'finding';
    readonly object: string;
    /** Of the commit, or of the first one of a block; undefined if the object as a whole is wrong. */
    readonly position: number | undefined;
    readonly what: string;
  }
  /** After all findings of the segment. */
  | {
    readonly kind: 'segment';
    readonly firstSeq: number;
    readonly lastSeq: number;
    readonly commits: number;
    /** Contents that are there and are what was written. */
    readonly contents: number;
    readonly removed: number;
  }
  /** An object that no manifest names: of a write that did not end. It does no harm. */
  | { readonly kind: 'unnamed'; readonly object: string };

type Finding = Extract<Verified, { kind: 'finding' }>;

const finding = (object: string, what: string, position?: number): Finding =>
  ({ kind: 'finding', object, position, what });

/** @throws RepriseError ARCHIVE_UNREACHABLE. Everything that is wrong with the archive itself is a finding. */
export async function* verifyArchive(store: ArchiveStore, journal: JournalName): AsyncGenerator<Verified> {
  const names = await store.list(folderOf(journal));
  const named = new Set<string>();
  let previous: Manifest | undefined;
  for (const name of names.filter(isManifestName)) {
    named.add(name);
    const manifest = await readable(store, name);
    if ('kind' in manifest) {
      yield manifest;
      // What follows says by its hash of the segment before that one is missing; that is no second finding.
      previous = undefined;
      continue;
    }
    for (const each of objectsOf(manifest)) named.add(each);
    const wrong = order(journal, name, previous, manifest);
    if (wrong !== undefined) yield wrong;
    previous = manifest;
    yield* verifySegment(store, name, manifest);
  }
  for (const object of names) if (!named.has(object)) yield { kind: 'unnamed', object };
}

async function readable(store: ArchiveStore, name: string): Promise<Manifest | Finding> {
  const bytes = await store.get(name);
  try {
    return bytes === undefined ? finding(name, 'it is missing') : decodeManifest(name, bytes);
  } catch (error) {
    return finding(name, messageOf(error));
  }
}

function order(
  journal: JournalName, name: string, previous: Manifest | undefined, manifest: Manifest,
): Finding | undefined {
  try {
    checkFollows(journal, previous, manifest);
    return undefined;
  } catch (error) {
    return finding(name, messageOf(error), manifest.facts.firstSeq);
  }
}

async function* verifySegment(store: ArchiveStore, name: string, manifest: Manifest): AsyncGenerator<Verified> {
  const { facts, contents } = manifest;
  for (const object of [facts.blocks, facts.index, contents]) {
    const what = await differs(store, object);
    if (what !== undefined) yield finding(object.name, what);
  }
  const segment = new SegmentReader(store, manifest, new BlockCache(0));
  const sums = new Sums(manifest);
  try {
    for (const block of await segment.blocks()) {
      try {
        for (const commit of await segment.commits(block)) yield* sums.add(commit);
      } catch (error) {
        yield finding(facts.blocks.name, messageOf(error), block.facts.firstSeq);
        sums.isWhole = false;
      }
      await setImmediate();
    }
  } catch (error) {
    yield finding(facts.blocks.name, messageOf(error), facts.firstSeq);
    sums.isWhole = false;
  }
  yield* await sums.differences(name);
  yield { kind: 'segment', firstSeq: facts.firstSeq, lastSeq: facts.lastSeq, ...sums.total };
}

/** What a segment's manifest and index should say, from its commits. */
class Sums {
  readonly total = { commits: 0, contents: 0, removed: 0 };
  /** Without one of its blocks the rest cannot be compared with the manifest. */
  isWhole = true;
  private readonly chain: Chain;
  private readonly index = new ActorsIndexWriter();
  private events = 0;
  private rawBytes = 0;
  private first: { readonly seq: number; readonly nowMs: number } | undefined;

  constructor(private readonly manifest: Manifest) {
    this.chain = new Chain(manifest.facts.partition as Partition, headBefore(manifest));
  }

  *add(commit: Stored): Generator<Finding> {
    const { blocks, firstSeq } = this.manifest.facts;
    let accepted: Accepted | undefined;
    try {
      accepted = this.isWhole ? this.chain.accept(commit) : undefined;
    } catch (error) {
      this.isWhole = false;
      yield finding(blocks.name, messageOf(error), commit.seq);
    }
    if (accepted?.kind === 'foreign') yield finding(blocks.name, `this is no commit: ${accepted.why}`, commit.seq);
    if (accepted?.kind !== 'commit') return;
    const { commit: decoded, encoded } = accepted;
    this.first ??= { seq: commit.seq, nowMs: decoded.nowMs };
    this.total.commits += 1;
    this.events += decoded.events.length;
    this.rawBytes += commit.bytes.length;
    for (const { kind, id } of decoded.events) {
      this.index.add(hashOfActor(kind ?? '', id ?? ''), Math.max(0, commit.seq - firstSeq));
    }
    const { removed, changed } = checkContents(encoded);
    if (changed !== undefined) yield finding(this.manifest.contents.name, changed, commit.seq);
    this.total.removed += removed.length;
    this.total.contents += decoded.events.filter((event) => event.content).length - removed.length;
  }

  async differences(name: string): Promise<readonly Finding[]> {
    const { facts, contents } = this.manifest;
    const { chain: { head }, first, total, events } = this;
    if (!this.isWhole) return [];
    const pairs: readonly (readonly [string, unknown, unknown])[] = [
      ['firstSeq', facts.firstSeq, first?.seq], ['lastSeq', facts.lastSeq, head?.seq],
      ['firstMs', facts.firstMs, first?.nowMs], ['lastMs', facts.lastMs, head?.nowMs],
      ['headHash', facts.headHash, head && Buffer.from(head.hash).toString('hex')], ['epoch', facts.epoch, head?.epoch],
      ['commits', facts.commits, total.commits], ['events', facts.events, events],
      ['contents', facts.contents, total.contents + total.removed], ['removed', contents.removed, total.removed],
    ];
    const wrong = pairs.filter(([, said, found]) => said !== found)
      .map(([field, said, found]) => finding(name, `${field} is ${said}, but ${found} of its commits`));
    // What was removed before the segment was written was not counted.
    if (this.rawBytes > facts.rawBytes || (total.removed === 0 && this.rawBytes !== facts.rawBytes)) {
      wrong.push(finding(name, `rawBytes is ${facts.rawBytes}, but ${this.rawBytes} of its commits`));
    }
    if (hash('sha256', await this.index.finish()) !== facts.index.sha256) {
      wrong.push(finding(facts.index.name, 'it is not the index of these commits'));
    }
    return wrong;
  }
}
