/**
 * Snapshots of a namespace's partitions, among the objects of the namespace. A snapshot is written, read back and
 * compared before it counts. Whatever is not a snapshot of ours is skipped.
 */
import { hash } from 'node:crypto';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { blocksOf, partsIn, type ReadPart, type StatePart } from './blocks.js';
import { manifestIn, metadataOf, type Manifest } from './manifest.js';
import { broken, type ObjectPlace } from './objects.js';

/** How many of a partition are kept. */
export const SNAPSHOTS_KEPT = 3;
const SEQ_DIGITS = 16;

/** A snapshot in the store. */
export interface StoredSnapshot extends Manifest {
  readonly name: string;
  /** As stored. */
  readonly bytes: number;
}

/** How taking one ended. */
export type Taken =
  | { readonly kind: 'taken'; readonly snapshot: StoredSnapshot }
  | { readonly kind: 'failed'; readonly message: string };

export class SnapshotStore {
  constructor(private readonly objects: ObjectPlace) {}

  /** Those of a partition, newest first. Of the same position the one with the higher epoch first. */
  async list(partition: Partition): Promise<StoredSnapshot[]> {
    const found = (await this.objects.list()).flatMap(({ name, metadata, bytes }): StoredSnapshot[] => {
      const manifest = manifestIn(metadata);
      return manifest?.partition === partition ? [{ ...manifest, name, bytes }] : [];
    });
    return found.sort((a, b) => b.seq - a.seq || b.epoch - a.epoch || b.takenMs - a.takenMs);
  }

  /** Writes a snapshot, reads it back, and marks it as verified. @throws RepriseError SNAPSHOT_BROKEN if it differs */
  async write(manifest: Omit<Manifest, 'isVerified'>, parts: readonly StatePart[]): Promise<StoredSnapshot> {
    return await this.put(manifest, blocksOf(parts));
  }

  /**
   * As {@link write}, of bytes that {@link bytesOf} gave, perhaps on another server.
   * @throws RepriseError SNAPSHOT_BROKEN if they are not those of the manifest
   */
  async writeBytes(manifest: Omit<Manifest, 'isVerified'>, bytes: Uint8Array): Promise<StoredSnapshot> {
    return await this.put(manifest, bytes);
  }

  /** As it is stored. @throws RepriseError SNAPSHOT_BROKEN */
  async bytesOf(name: string): Promise<Uint8Array> {
    return await this.objects.get(name);
  }

  /** All parts. @throws RepriseError SNAPSHOT_BROKEN if they are not those that were written */
  async read(name: string, manifest: Manifest): Promise<Map<string, Buffer>> {
    const parts = new Map<string, Buffer>();
    await this.check(name, manifest, ({ name: of, bytes }) => void parts.set(of, alone(bytes)));
    return parts;
  }

  /** Reads it, and compares it with its manifest. @throws RepriseError SNAPSHOT_BROKEN */
  async verify(name: string, manifest: Manifest): Promise<void> {
    await this.check(name, manifest, () => undefined);
  }

  async remove(name: string): Promise<void> {
    await this.objects.remove(name);
  }

  private async put(
    manifest: Omit<Manifest, 'isVerified'>, body: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<StoredSnapshot> {
    const { partition, journalId, seq, epoch, takenMs } = manifest;
    const name = `${partition}/${journalId}/${String(seq).padStart(SEQ_DIGITS, '0')}-${epoch}-${takenMs}`;
    const unverified: Manifest = { ...manifest, isVerified: false };
    await this.objects.put(name, metadataOf(unverified), body);
    await this.verify(name, unverified);
    const verified: Manifest = { ...manifest, isVerified: true };
    const marked = await this.objects.update(name, metadataOf(verified));
    return { ...verified, name, bytes: marked?.bytes ?? 0 };
  }

  private async check(name: string, { stateHash, parts }: Manifest, keep: (part: ReadPart) => void): Promise<void> {
    const all: Buffer[] = [];
    for await (const part of this.partsOf(name)) {
      all.push(Buffer.from(`${part.name}\n`), hash('sha256', part.bytes, 'buffer'));
      keep(part);
    }
    if (all.length !== 2 * parts) throw broken(name, `it has ${all.length / 2} parts of ${parts}`);
    const found = hash('sha256', Buffer.concat(all), 'hex');
    if (found !== stateHash) throw broken(name, 'its parts have another hash than its manifest says');
  }

  private async *partsOf(name: string): AsyncGenerator<ReadPart> {
    try {
      yield* partsIn(await this.objects.chunks(name));
    } catch (error) {
      throw error instanceof RepriseError ? error : broken(name, messageOf(error));
    }
  }
}

/** In memory of its own, so that nothing else is kept with it. */
function alone(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}
