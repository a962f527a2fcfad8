/**
 * The manifest of a segment: what it holds, and the name, size and hash of each of its objects. It is written last: a
 * segment exists when its manifest exists. `facts` never changes and names the manifest before by the hash of its own
 * `facts`; `contents` is replaced when contents are removed.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { Head } from '../chain.js';

/** Of the format of archives. */
export const VERSION = 1;

const seq = z.int().min(0);
const hex = z.string().regex(/^([0-9a-f]{64})?$/);
const object = z.strictObject({ name: z.string(), bytes: seq, sha256: hex });
const blocks = object.extend({ tableBytes: seq, tableSha256: hex });

const facts = z.strictObject({
  version: z.int().min(1), namespace: z.string(), partition: seq, journalId: z.string(),
  firstSeq: seq, lastSeq: seq,
  /** Of the commit before the first one: 0 and empty if there is none. */
  prevSeq: seq, prevHash: hex,
  /** Hash of the last commit. */
  headHash: hex,
  /** Of the last commit. */
  epoch: seq, minReader: seq,
  firstMs: seq, lastMs: seq,
  commits: seq, events: seq,
  /** Contents that were removed before are counted. */
  contents: seq,
  /** Of all commits, as they were in the journal. */
  rawBytes: seq,
  blocks, index: object,
  /** Hash of the facts of the manifest before; empty in the first. */
  previous: hex,
});
const manifest = z.strictObject({
  facts,
  contents: blocks.extend({
    /** Of `facts.contents`. */
    removed: seq,
  }),
  /** Of facts and contents as they are encoded here. */
  sha256: hex,
});

export type SegmentFacts = z.infer<typeof facts>;
export type SegmentContents = z.infer<typeof manifest>['contents'];
export interface Manifest {
  readonly facts: Readonly<SegmentFacts>;
  readonly contents: Readonly<SegmentContents>;
}

const MANIFEST = '.manifest.json';
const SEQ_DIGITS = 16;

/** Whose journal an archive is of. */
export interface JournalName {
  readonly namespace: string;
  readonly journalId: string;
  readonly partition: Partition;
}

export const folderOf = ({ namespace, journalId, partition }: JournalName): string =>
  `${namespace}/${journalId}/${partition}/`;

/** All names of the objects of a segment begin with it. */
export const prefixOf = (journal: JournalName, firstSeq: number): string =>
  `${folderOf(journal)}${String(firstSeq).padStart(SEQ_DIGITS, '0')}.`;

/** The same name for the same bytes, so that no write changes an object that somebody else's manifest names. */
export const objectName = (prefix: string, what: 'facts' | 'index' | 'contents', sha256: string): string =>
  `${prefix}${what}.${sha256.slice(0, 16)}`;

export const manifestName = (prefix: string): string => `${prefix}${MANIFEST.slice(1)}`;
export const isManifestName = (name: string): boolean => name.endsWith(MANIFEST);
export const objectsOf = ({ facts: of, contents }: Manifest): string[] =>
  [of.blocks.name, of.index.name, contents.name];

/** With the fields in one order, which the hashes depend on. */
export const manifestOf = (of: SegmentFacts, contents: SegmentContents): Manifest =>
  ({ facts: facts.parse(of), contents: manifest.shape.contents.parse(contents) });

export const hashOfFacts = (of: SegmentFacts): string => hash('sha256', JSON.stringify(of));

export function encodeManifest({ facts: of, contents }: Manifest): Uint8Array {
  const sha256 = hash('sha256', JSON.stringify([of, contents]));
  return Buffer.from(`${JSON.stringify({ facts: of, contents, sha256 }, undefined, 1)}\n`);
}

/** @throws RepriseError ARCHIVE_BROKEN for anything but the bytes of {@link encodeManifest}; JOURNAL_TOO_NEW */
export function decodeManifest(name: string, bytes: Uint8Array): Manifest {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(bytes).toString());
    const version = Number((decoded as { facts?: { version?: unknown } } | null)?.facts?.version);
    if (version > VERSION) throw tooNew(name, version);
    const { facts: of, contents } = manifest.parse(decoded);
    if (Buffer.compare(bytes, encodeManifest({ facts: of, contents })) !== 0) throw new RangeError('it was changed');
    return { facts: of, contents };
  } catch (error) {
    if (error instanceof RepriseError) throw error;
    throw broken(name, `it is no manifest: ${messageOf(error)}`);
  }
}

function tooNew(name: string, version: number): RepriseError {
  const message = `The archive at ${name} has version ${version}; this version of Reprise reads ${VERSION}.`;
  return new RepriseError('JOURNAL_TOO_NEW', message, { cause: { object: name } });
}

export function broken(name: string, why: string): RepriseError {
  return new RepriseError('ARCHIVE_BROKEN', `The archive is broken at ${name}: ${why}.`, { cause: { object: name } });
}

/** Where the chain stands after a segment. */
export function headOfSegment({ facts: of }: Manifest): Head {
  const { journalId, partition, lastSeq, headHash, epoch, lastMs, minReader } = of;
  const head = { journalId, partition: partition as Partition, seq: lastSeq, hash: Buffer.from(headHash, 'hex') };
  return { ...head, epoch, nowMs: lastMs, minReader };
}

/** Where the chain stands before a segment, without time and epoch. @returns undefined at the beginning of a journal */
export function headBefore({ facts: { journalId, partition, prevSeq, prevHash } }: Manifest): Head | undefined {
  if (prevSeq === 0) return undefined;
  const hashed = Buffer.from(prevHash, 'hex');
  return { journalId, partition: partition as Partition, seq: prevSeq, hash: hashed, epoch: 0, nowMs: 0, minReader: 0 };
}

/** @throws RepriseError ARCHIVE_BROKEN unless a segment of that journal follows the one before */
export function checkFollows(journal: JournalName, previous: Manifest | undefined, next: Manifest): void {
  const { facts: of } = next;
  const name = manifestName(prefixOf(journal, of.firstSeq));
  const isOurs = of.namespace === journal.namespace && of.journalId === journal.journalId &&
    of.partition === journal.partition;
  if (!isOurs) throw broken(name, 'it belongs to another journal');
  if (of.firstSeq <= of.prevSeq || of.lastSeq < of.firstSeq) throw broken(name, 'its positions are in no order');
  if (previous === undefined) {
    if (of.previous !== '') throw broken(name, 'the segment before it is missing');
    return;
  }
  if (of.previous === hashOfFacts(previous.facts) && of.prevSeq === previous.facts.lastSeq &&
    of.prevHash === previous.facts.headHash) return;
  throw broken(name, `it does not follow the segment that ends at ${previous.facts.lastSeq}`);
}
