/**
 * Stores a segment: its objects first, each read back and compared, then its manifest. After a crash between any two
 * steps there is the segment, or there are objects that no manifest names,
 * which the next write of that position removes.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { sameBytes } from '../chain.js';
import type { Built, ObjectRef } from './blocks.js';
import {
  broken, decodeManifest, encodeManifest, hashOfFacts, manifestName, objectsOf, prefixOf,
  type JournalName, type Manifest,
} from './manifest.js';
import type { Segment } from './segment-writer.js';
import type { ArchiveStore } from './store.js';

const READ_BYTES = 1024 * 1024;

export type Written =
  | { readonly kind: 'written'; readonly manifest: Manifest }
  /** Another archiver was faster: its segment of that position counts. */
  | { readonly kind: 'taken'; readonly manifest: Manifest };

/** Can be repeated after any error. @throws RepriseError ARCHIVE_UNREACHABLE or ARCHIVE_BROKEN */
export async function writeSegment(store: ArchiveStore, { journal, manifest, objects }: Segment): Promise<Written> {
  const prefix = prefixOf(journal, manifest.facts.firstSeq);
  const name = manifestName(prefix);
  if ((await store.get(name)) === undefined) {
    for (const object of objects) await putCompared(store, object);
    await store.create(name, [encodeManifest(manifest)]);
  }
  const stored = await readManifest(store, name);
  await sweep(store, journal, stored);
  const isOurs = hashOfFacts(stored.facts) === hashOfFacts(manifest.facts);
  return { kind: isOurs ? 'written' : 'taken', manifest: stored };
}

/** Puts another manifest in the place of one, with other contents. Can be repeated after any error. */
export async function replaceContents(
  store: ArchiveStore, journal: JournalName, manifest: Manifest, contents: Built,
): Promise<void> {
  const name = manifestName(prefixOf(journal, manifest.facts.firstSeq));
  await putCompared(store, contents);
  const bytes = encodeManifest(manifest);
  await store.put(name, [bytes]);
  const stored = await store.get(name);
  if (stored === undefined || !sameBytes(stored, bytes)) throw broken(name, 'it is not what was written');
  // A broker that led before may have swept it, before the manifest named it.
  if ((await differs(store, contents.ref)) !== undefined) await putCompared(store, contents);
  await sweep(store, journal, manifest);
}

/** Removes the objects of a position that its manifest does not name. */
export async function sweep(store: ArchiveStore, journal: JournalName, manifest: Manifest): Promise<void> {
  const prefix = prefixOf(journal, manifest.facts.firstSeq);
  const named = new Set([manifestName(prefix), ...objectsOf(manifest)]);
  for (const name of await store.list(prefix)) if (!named.has(name)) await store.remove(name);
}

export async function readManifest(store: ArchiveStore, name: string): Promise<Manifest> {
  const bytes = await store.get(name);
  if (bytes === undefined) throw broken(name, 'it is missing');
  return decodeManifest(name, bytes);
}

async function putCompared(store: ArchiveStore, { ref, parts }: Built): Promise<void> {
  await store.put(ref.name, parts);
  const why = await differs(store, ref);
  if (why !== undefined) throw broken(ref.name, `after it was written, ${why}`);
}

/** Compares an object with its size and hash. @returns what is wrong with it */
export async function differs(store: ArchiveStore, { name, bytes, sha256 }: ObjectRef): Promise<string | undefined> {
  const whole = createHash('sha256');
  // One byte more than there should be, so that an object that is longer is found.
  for (let from = 0; from <= bytes; from += READ_BYTES) {
    const to = Math.min(from + READ_BYTES, bytes + 1);
    const part = await store.get(name, { from, to });
    if (part === undefined) return 'it is missing';
    if (part.length !== Math.min(to, bytes) - from) return `it does not have ${bytes} bytes`;
    whole.update(part);
    await setImmediate();
  }
  return whole.digest('hex') === sha256 ? undefined : 'it does not have the hash that the manifest names';
}
