/** Reads contents: puts them back into the bodies of a decoded commit, checks their hashes, and removes them. */
import { hash } from 'node:crypto';
import { RepriseError } from '../protocols/errors.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';
import { contentHash, SALT_BYTES, wholeBody, type ContentRef } from './content.js';
import { EncodedCommit } from './encoded-commit.js';

export interface ReadCommit {
  readonly commit: journal.Commit;
  readonly encoded: EncodedCommit;
}

/**
 * The bodies are whole, except for content that was removed. Contents are not compared with their hashes.
 * @throws Error if the bytes are not a commit
 */
export function readCommit(bytes: Uint8Array): ReadCommit {
  const commit = decodeLeniently(journal.Commit, bytes);
  const encoded = new EncodedCommit(bytes);
  for (const [index, event] of commit.events.entries()) {
    const content = event.content && encoded.content(index);
    if (content) event.body = wholeBody(event.body ?? NONE, event.content?.field ?? 0, content);
  }
  return { commit, encoded };
}

export const decodeCommit = (bytes: Uint8Array): journal.Commit => readCommit(bytes).commit;

/** @throws RangeError if the bytes are not a commit */
export const commitHash = (bytes: Uint8Array): Uint8Array => hashOfPart(bytes, new EncodedCommit(bytes).hashedBytes);

export function hashOfPart(bytes: Uint8Array, hashedBytes: number): Uint8Array {
  return hash('sha256', bytes.subarray(0, hashedBytes), 'buffer');
}

/** Hash and size of an event's content. @returns undefined if the event has no content outside its body */
export function contentRefOf({ content }: Pick<journal.Event.$Properties, 'content'>): ContentRef | undefined {
  return content ? { hash: Buffer.from(content.hash ?? NONE).toString('latin1'), size: content.size ?? 0 } : undefined;
}

export interface RemovedContent {
  /** Of the event within its commit. */
  readonly index: number;
  /** In bytes, before the removal. */
  readonly size: number;
}

export interface CheckedContents {
  readonly removed: readonly RemovedContent[];
  /** What was changed; undefined if all contents that are present are as they were written. */
  readonly changed: string | undefined;
}

/** Compares every content of a commit with its hash: it is whole, was removed, or was changed. */
export function checkContents(encoded: EncodedCommit): CheckedContents {
  const removed: RemovedContent[] = [];
  let changed = encoded.problem;
  for (let index = 0; index < encoded.eventCount; index += 1) {
    const found = checkContent(encoded, index);
    if (found === 'changed') changed ??= `the content of event ${index} does not match its hash`;
    if (found === 'removed') removed.push({ index, size: encoded.leaf(index)?.size ?? 0 });
  }
  return { removed, changed };
}

/** `none`: the event has no content outside its body. */
export function checkContent(encoded: EncodedCommit, index: number): 'none' | 'whole' | 'removed' | 'changed' {
  const leaf = encoded.leaf(index);
  const salted = encoded.saltedContent(index);
  if (salted === undefined) return leaf ? 'removed' : 'none';
  if (leaf === undefined || salted.length !== leaf.size + SALT_BYTES) return 'changed';
  return contentRefOf({ content: leaf })?.hash === contentHash(salted) ? 'whole' : 'changed';
}

/** @throws RepriseError JOURNAL_BROKEN for content that was changed */
export function checkWritten(encoded: EncodedCommit, seq: number, index: number): void {
  if (checkContent(encoded, index) !== 'changed') return;
  const message = `The content of event ${seq}.${index} does not match its hash: it was changed.`;
  throw new RepriseError('JOURNAL_BROKEN', message, { cause: { position: seq } });
}

/**
 * A commit without the contents of some of its events. Its hash stays the same.
 * @throws RepriseError INVALID_ARGUMENT for an event without content, or whose content cannot be removed
 */
export function removeContents(bytes: Uint8Array, events: Iterable<number>): Uint8Array {
  const encoded = new EncodedCommit(bytes);
  const removed = new Set(events);
  for (const index of removed) {
    if (encoded.leaf(index)) continue;
    throw new RepriseError(
      'INVALID_ARGUMENT',
      `The content of event ${index} cannot be removed: it has none, or the hash of its commit covers it (version 1).`,
    );
  }
  return encoded.without(removed);
}

const NONE = new Uint8Array(0);
