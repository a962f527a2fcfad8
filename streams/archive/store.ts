/**
 * Where an archive is kept: named objects that are written as a whole. Two implementations pass one conformance suite:
 * `folder-store.ts` and `s3-store.ts`. Every failure of a store is a RepriseError ARCHIVE_UNREACHABLE.
 */
import { messageOf, RepriseError } from '../../protocols/errors.js';

/** In bytes; `to` is not included. Both lie within the object. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export interface ArchiveStore {
  /** For messages. It holds no credentials. */
  readonly location: string;
  /** Writes an object, or replaces it. It is durable afterwards. A reader sees the whole object or the one before. */
  put(name: string, parts: readonly Uint8Array[]): Promise<void>;
  /** As {@link put}, unless there is an object of that name. @returns whether it was written */
  create(name: string, parts: readonly Uint8Array[]): Promise<boolean>;
  /** @returns undefined if there is no such object; fewer bytes than asked for if the object is shorter */
  get(name: string, range?: ByteRange): Promise<Uint8Array | undefined>;
  /** The names that begin with a text, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /** Nothing happens if there is no such object. */
  remove(name: string): Promise<void>;
  close(): void;
}

const NAME_PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const MOST_NAME_BYTES = 512;

/** Names are relative paths. No part begins with a dot, so none leads out of a folder or names a temporary file. */
export const isObjectName = (name: string): boolean =>
  name.length <= MOST_NAME_BYTES && name.split('/').every((part) => NAME_PART.test(part));

/** @throws RepriseError INVALID_ARGUMENT */
export function checkName(name: string): void {
  if (isObjectName(name)) return;
  throw new RepriseError('INVALID_ARGUMENT', `${JSON.stringify(name.slice(0, 64))} is no name of an archived object.`);
}

/** A prefix is a name of which the end is missing, also as a whole. @throws RepriseError INVALID_ARGUMENT */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkName(prefix.endsWith('/') ? `${prefix}x` : prefix);
}

export function unreachable(doing: string, error: unknown): RepriseError {
  if (error instanceof RepriseError) return error;
  return new RepriseError('ARCHIVE_UNREACHABLE', `${doing} failed: ${messageOf(error)}.`, { cause: error });
}
