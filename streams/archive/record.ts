/**
 * One commit as an archive has it: facts (the part that the hash covers) and contents, apart. Hashes that follow from
 * the rest are left out of the facts, as they cannot be compressed: the hash of the commit before, and that of each
 * content. A content that is removed leaves its hash behind, so the facts never change and the chain stands.
 *
 *     facts      flags, length and bytes of the hashed part, in which hashes that are left out are zeros
 *     contents   of each hash that is left out of a leaf: the length of the salted content, or 0 if it was removed;
 *                then of each the salt or the hash; then of each the content
 *                or, of a commit that is kept as it is, length and bytes of all that follows the hashed part
 */
import { hash } from 'node:crypto';
import {
  CONTENT_EVENT_TAG, CONTENT_SALTED_TAG, contentHash, CONTENTS, SALT_BYTES, varintBytes,
} from '../content.js';
import { EncodedCommit } from '../encoded-commit.js';
import { HASH_BYTES, layoutOf, type Layout, type ReadLayout } from './layout.js';
import { ByteReader, ByteWriter } from './varints.js';

const WITHOUT_LEAVES = 1;
const WITHOUT_PREV_HASH = 2;
const CONTENTS_TAG = (CONTENTS << 3) | 2;

/** A content: salted, or what is left of it. */
interface Item {
  readonly event: number;
  /** Salt and content; undefined if it was removed. */
  readonly salted: Uint8Array | undefined;
  /** Hash of the salted content, one character a byte. Only if it was removed, or is to be compared. */
  readonly hash: string;
}

/** @param prevHash of the commit before, if a reader will have it */
export function writeRecord(
  bytes: Uint8Array, layout: ReadLayout, prevHash: Uint8Array | undefined, facts: ByteWriter, contents: ByteWriter,
): void {
  const { hashedBytes, leaves, prevHashAt } = layout;
  const items = itemsOf(bytes, layout);
  // What cannot be built again exactly is kept as it is: content that was changed, or that is encoded in another way.
  const isBuilt = layout.problem === undefined && isSame(bytes, layout, items);
  const withoutPrev = prevHash !== undefined && prevHashAt !== undefined;
  facts.varint((isBuilt ? WITHOUT_LEAVES : 0) | (withoutPrev ? WITHOUT_PREV_HASH : 0));
  facts.varint(hashedBytes);
  const from = facts.size;
  facts.put(bytes.subarray(0, hashedBytes));
  if (withoutPrev) facts.clear(from + prevHashAt, from + prevHashAt + HASH_BYTES);
  if (isBuilt) for (const { hashAt } of leaves) facts.clear(from + hashAt, from + hashAt + HASH_BYTES);
  if (isBuilt) writeItems(items, contents);
  else contents.delimited(bytes.subarray(hashedBytes));
}

export interface Rebuilt {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

/** @param prevHash of the commit before @throws RangeError if this is no record */
export function readRecord(facts: ByteReader, contents: ByteReader, prevHash: Uint8Array | undefined): Rebuilt {
  const flags = facts.varint();
  const hashed = Buffer.from(facts.delimited());
  const layout = layoutOf(hashed);
  if ((flags & WITHOUT_PREV_HASH) !== 0) {
    if (layout.prevHashAt === undefined || prevHash === undefined) throw new RangeError('the hash before is missing');
    hashed.set(prevHash, layout.prevHashAt);
  }
  if ((flags & WITHOUT_LEAVES) === 0) return rebuilt(hashed, contents.delimited());
  const items = readItems(layout, contents);
  items.forEach((item, nth) => hashed.write(hashOfItem(item), layout.leaves[nth]!.hashAt, 'latin1'));
  return rebuilt(hashed, encodeContents(items));
}

function rebuilt(hashed: Uint8Array, beside: Uint8Array): Rebuilt {
  const bytes = beside.length === 0 ? hashed : Buffer.concat([hashed, beside]);
  return { bytes, hash: hash('sha256', hashed, 'buffer') };
}

/** Copies a record of contents without those of some events. */
export function rewriteContents(
  commit: Uint8Array, contents: ByteReader, isKeptAsIs: boolean, removed: ReadonlySet<number>, into: ByteWriter,
): void {
  if (isKeptAsIs) {
    contents.delimited();
    const rest = new EncodedCommit(commit).without(removed);
    into.delimited(rest.subarray(layoutOf(rest).hashedBytes));
    return;
  }
  const items = readItems(layoutOf(commit), contents);
  writeItems(items.map((item) => (
    removed.has(item.event) ? { event: item.event, salted: undefined, hash: hashOfItem(item) } : item)), into);
}

/** Goes over a record of facts. @returns whether the commit is kept as it is */
export function skipFacts(facts: ByteReader): boolean {
  const flags = facts.varint();
  facts.delimited();
  return (flags & WITHOUT_LEAVES) === 0;
}

function itemsOf(bytes: Uint8Array, { leaves, salted }: ReadLayout): Item[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return leaves.map(({ hashAt, event }, nth) =>
    ({ event, salted: salted[nth], hash: view.toString('latin1', hashAt, hashAt + HASH_BYTES) }));
}

/** Whether {@link readRecord} makes the same bytes of it. */
function isSame(bytes: Uint8Array, { hashedBytes }: Layout, items: readonly Item[]): boolean {
  // Its contents are well-formed, so they are encoded in another way only if they are longer.
  if (items.reduce((sum, item) => sum + encodedBytes(item), 0) !== bytes.length - hashedBytes) return false;
  return items.every(({ salted, hash: leaf }) => salted === undefined || contentHash(salted) === leaf);
}

const hashOfItem = ({ salted, hash: left }: Item): string => (salted === undefined ? left : contentHash(salted));

const indexBytes = (event: number): number => (event === 0 ? 0 : 1 + varintBytes(event));
const insideBytes = (event: number, salted: Uint8Array): number =>
  indexBytes(event) + 1 + varintBytes(salted.length) + salted.length;

function encodedBytes({ event, salted }: Item): number {
  if (salted === undefined) return 0;
  const inside = insideBytes(event, salted);
  return 1 + varintBytes(inside) + inside;
}

/** The same bytes as a ContentWriter makes. */
function encodeContents(items: readonly Item[]): Uint8Array {
  const writer = new ByteWriter(items.reduce((sum, item) => sum + encodedBytes(item), 0));
  for (const { event, salted } of items) {
    if (salted === undefined) continue;
    writer.varint(CONTENTS_TAG);
    writer.varint(insideBytes(event, salted));
    if (event > 0) {
      writer.varint(CONTENT_EVENT_TAG);
      writer.varint(event);
    }
    writer.varint(CONTENT_SALTED_TAG);
    writer.delimited(salted);
  }
  return writer.take();
}

function writeItems(items: readonly Item[], into: ByteWriter): void {
  for (const { salted } of items) into.varint(salted?.length ?? 0);
  // What cannot be compressed lies together.
  for (const { salted, hash: left } of items) {
    if (salted === undefined) into.put(Buffer.from(left, 'latin1'));
    else into.putPart(salted, 0, SALT_BYTES);
  }
  for (const { salted } of items) if (salted !== undefined) into.putPart(salted, SALT_BYTES, salted.length);
}

function readItems({ leaves }: Layout, contents: ByteReader): Item[] {
  const lengths = leaves.map(() => contents.varint());
  const firsts = lengths.map((length) => contents.take(length === 0 ? HASH_BYTES : SALT_BYTES));
  return leaves.map(({ event }, nth): Item => {
    const [length, first] = [lengths[nth]!, firsts[nth]!];
    if (length === 0) return { event, salted: undefined, hash: Buffer.from(first).toString('latin1') };
    if (length < SALT_BYTES) throw new RangeError(`a content of ${length} bytes has no salt`);
    return { event, salted: Buffer.concat([first, contents.take(length - SALT_BYTES)]), hash: '' };
  });
}
