/**
 * Snapshots of a namespace's partitions, in an object store on the server. An object is written, read back and compared
 * before it counts. Whatever is not a snapshot of ours is skipped.
 */
import { hash } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Objm, setSha256Backend, type ObjectStore } from '@nats-io/obj';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { operating } from '../connect.js';
import { blocksOf, partsIn, type ReadPart, type StatePart } from './blocks.js';
import { manifestIn, metadataOf, type Manifest } from './manifest.js';

// The client's own takes ten times as long.
setSha256Backend('native');

/** How many of a partition are kept. */
export const SNAPSHOTS_KEPT = 3;
const CHUNK_BYTES = 256 * 1024;
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
  private opened: Promise<ObjectStore> | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
  ) {}

  /** Those of a partition, newest first. Of the same position the one with the higher epoch first. */
  async list(partition: Partition): Promise<StoredSnapshot[]> {
    const store = await this.store();
    const objects = await this.trying('Listing the snapshots failed', () => store.list());
    const found = objects.flatMap(({ name, metadata, size }): StoredSnapshot[] => {
      const manifest = manifestIn(metadata);
      return manifest?.partition === partition ? [{ ...manifest, name, bytes: size }] : [];
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
    return await this.put(manifest, [bytes]);
  }

  private async put(
    manifest: Omit<Manifest, 'isVerified'>, body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<StoredSnapshot> {
    const { partition, journalId, seq, epoch, takenMs } = manifest;
    const name = `${partition}/${journalId}/${String(seq).padStart(SEQ_DIGITS, '0')}-${epoch}-${takenMs}`;
    const unverified: Manifest = { ...manifest, isVerified: false };
    const store = await this.store();
    await this.trying('Writing a snapshot failed', async () => {
      const options = { max_chunk_size: CHUNK_BYTES };
      const stream = ReadableStream.from(body) as ReadableStream<Uint8Array>;
      const { size } = await store.put({ name, metadata: metadataOf(unverified), options }, stream);
      return size;
    });
    await this.verify(name, unverified);
    const verified: Manifest = { ...manifest, isVerified: true };
    await this.trying('Marking a snapshot as verified failed', () =>
      store.update(name, { name, metadata: metadataOf(verified) }));
    const info = await this.trying('Reading a snapshot failed', () => store.info(name));
    return { ...verified, name, bytes: info?.size ?? 0 };
  }

  /** All parts. @throws RepriseError SNAPSHOT_BROKEN if they are not those that were written */
  async read(name: string, manifest: Manifest): Promise<Map<string, Buffer>> {
    const parts = new Map<string, Buffer>();
    await this.check(name, manifest, ({ name: of, bytes }) => void parts.set(of, bytes));
    return parts;
  }

  /** Reads it, and compares it with its manifest. @throws RepriseError SNAPSHOT_BROKEN */
  async verify(name: string, manifest: Manifest): Promise<void> {
    await this.check(name, manifest, () => undefined);
  }

  async remove(name: string): Promise<void> {
    const store = await this.store();
    await this.trying('Removing a snapshot failed', () => store.delete(name));
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

  /** As it is stored. @throws RepriseError SNAPSHOT_BROKEN */
  async bytesOf(name: string): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of await this.chunksOf(name)) chunks.push(chunk);
    } catch (error) {
      throw broken(name, messageOf(error));
    }
    return Buffer.concat(chunks);
  }

  private async chunksOf(name: string): Promise<AsyncIterable<Uint8Array>> {
    const store = await this.store();
    const object = await this.trying('Reading a snapshot failed', () => store.get(name));
    if (object === null) throw broken(name, 'it is not there any more');
    return object.data as unknown as AsyncIterable<Uint8Array>;
  }

  private async *partsOf(name: string): AsyncGenerator<ReadPart> {
    const chunks = await this.chunksOf(name);
    try {
      yield* partsIn(chunks);
    } catch (error) {
      throw broken(name, messageOf(error));
    }
  }

  private store(): Promise<ObjectStore> {
    const open = async (): Promise<ObjectStore> => {
      try {
        return await new Objm(jetstream(this.nc)).open(streams.snapshots(this.ns), false);
      } catch (error) {
        this.opened = undefined;
        throw operating(error, 'Opening the store of snapshots failed');
      }
    };
    return (this.opened ??= open());
  }

  private async trying<T>(doing: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw operating(error, doing);
    }
  }
}

const broken = (name: string, why: string): RepriseError =>
  new RepriseError('SNAPSHOT_BROKEN', `The snapshot ${name} cannot be used: ${why}.`);
