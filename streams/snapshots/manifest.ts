/** What is known of a snapshot without reading it. Kept in the metadata of its object. */
import { z } from 'zod';
import type { Head } from '../chain.js';
import type { Partition } from '../../protocols/ids.js';
import { tryRead } from '../../protocols/try-read.js';

/** Of the parts and their layout. A snapshot with a higher one is passed over. */
export const SNAPSHOT_VERSION = 1;

const position = z.int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const snapshotShape = z.object({
  version: z.int().min(1),
  /** The head that the state is folded to. */
  journalId: z.string().regex(/^[0-9a-hjkmnp-tv-z]{16}$/),
  partition: z.int().min(0),
  seq: position,
  hash: sha256,
  epoch: position,
  nowMs: z.number(),
  minReader: z.int().min(0),
  /** Of the names and hashes of all parts. */
  stateHash: sha256,
  parts: z.int().min(1),
  /** By kind: the versions of its events. */
  events: z.record(z.string(), z.record(z.string(), z.int())),
  release: z.string().max(64),
  /** Wall clock of the broker that took it, Unix milliseconds. */
  takenMs: z.number(),
  /** It was read back and was what had been written. Only then it counts. */
  isVerified: z.boolean(),
});

export type Manifest = z.infer<typeof snapshotShape>;

const KEY = 'reprise';

export const metadataOf = (manifest: Manifest): Record<string, string> => ({ [KEY]: JSON.stringify(manifest) });

/** @returns undefined if it is not the metadata of a snapshot */
export function manifestIn(metadata: Readonly<Record<string, string>> | undefined): Manifest | undefined {
  return snapshotShape.safeParse(tryRead(() => JSON.parse(metadata?.[KEY] ?? 'null') as unknown)).data;
}

/** The head of the journal that a snapshot's state is folded to. */
export function headOfSnapshot({ journalId, partition, seq, hash, epoch, nowMs, minReader }: Manifest): Head {
  const [of, bytes] = [partition as Partition, Buffer.from(hash, 'hex')];
  return { journalId, partition: of, seq, hash: bytes, epoch, nowMs, minReader };
}
