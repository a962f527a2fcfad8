/** The object store of a namespace: objects with metadata, each written and read as a whole. */
import { createHash } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Objm, setSha256Backend, type ObjectInfo, type ObjectStore } from '@nats-io/obj';
import { z } from 'zod';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { tryRead } from '../../protocols/try-read.js';
import { operating } from '../connect.js';
import { readStream } from '../ordered.js';

// The client's own takes ten times as long.
setSha256Backend('native');

const CHUNK_BYTES = 256 * 1024;
/** Before the hash of an object, in what the client writes. */
const DIGEST = 'SHA-256=';

export type Metadata = Readonly<Record<string, string>>;

export interface ListedObject {
  readonly name: string;
  /** As stored. */
  readonly bytes: number;
  readonly metadata: Metadata | undefined;
}

export interface ObjectPlace {
  list(): Promise<readonly ListedObject[]>;
  put(name: string, metadata: Metadata, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Of an object that is there. @returns undefined if it is gone since */
  update(name: string, metadata: Metadata): Promise<ListedObject | undefined>;
  /** As they come; the last one may be followed by an error. @throws RepriseError SNAPSHOT_BROKEN if it is not there */
  chunks(name: string): Promise<AsyncIterable<Uint8Array>>;
  /** @throws RepriseError SNAPSHOT_BROKEN if it is not there, or not what was written */
  get(name: string): Promise<Buffer>;
  remove(name: string): Promise<void>;
}

export class Objects implements ObjectPlace {
  private opened: Promise<ObjectStore> | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
  ) {}

  /** Read as a stream: the client's own list never ends if the connection breaks meanwhile. */
  async list(): Promise<ListedObject[]> {
    const bucket = streams.snapshots(this.ns);
    const stream = `OBJ_${bucket}`;
    const objects = new Map<string, ListedObject>();
    try {
      const jsm = await jetstreamManager(this.nc, { checkAPI: false });
      const { state: { last_seq: untilSeq } } = await jsm.streams.info(stream);
      const reading = { stream, fromSeq: 1, untilSeq, subject: `$O.${bucket}.M.>` };
      for await (const { bytes } of readStream(this.nc, reading)) {
        const info = infoIn(bytes);
        if (info?.deleted) objects.delete(info.name);
        else if (info) objects.set(info.name, { name: info.name, bytes: info.size, metadata: info.metadata });
      }
    } catch (error) {
      throw operating(error, 'Listing the snapshots failed');
    }
    return [...objects.values()];
  }

  async put(name: string, metadata: Metadata, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const stream = ReadableStream.from(body instanceof Uint8Array ? [body] : body) as ReadableStream<Uint8Array>;
    await this.trying('Writing a snapshot failed', (store) =>
      store.put({ name, metadata: { ...metadata }, options: { max_chunk_size: CHUNK_BYTES } }, stream));
  }

  async update(name: string, metadata: Metadata): Promise<ListedObject | undefined> {
    await this.trying('Marking a snapshot as verified failed', (store) =>
      store.update(name, { name, metadata: { ...metadata } }));
    const info = await this.trying('Reading a snapshot failed', (store) => store.info(name));
    return info ? { name, bytes: info.size, metadata: info.metadata } : undefined;
  }

  /**
   * Read as a stream is, a few MiB ahead of the reader: the client's own sends the whole object at once, however slow
   * the reader, goes on when he has stopped, and waits for ever for chunks that are lost.
   */
  async chunks(name: string): Promise<AsyncIterable<Uint8Array>> {
    const info = await this.trying('Reading a snapshot failed', (store) => store.info(name));
    if (info === null || info.deleted) throw broken(name, 'it is not there any more');
    return this.chunksOf(info);
  }

  private async *chunksOf({ name, nuid, chunks, digest, revision }: ObjectInfo): AsyncGenerator<Uint8Array> {
    const bucket = streams.snapshots(this.ns);
    const reading = { stream: `OBJ_${bucket}`, fromSeq: 1, untilSeq: revision, subject: `$O.${bucket}.C.${nuid}` };
    const hashed = createHash('sha256');
    let read = 0;
    try {
      if (chunks > 0) {
        for await (const { bytes } of readStream(this.nc, reading)) {
          hashed.update(bytes);
          read += 1;
          yield bytes;
          if (read === chunks) break;
        }
      }
    } catch (error) {
      // Nobody would lead while the server delivers everything but this.
      if (error instanceof RepriseError && error.code === 'TIMED_OUT') throw broken(name, error.message);
      throw error;
    }
    if (read < chunks) throw broken(name, `nothing more of it came after ${read} of ${chunks} chunks`);
    if (hashed.digest('base64url') === digest.slice(DIGEST.length).replace(/=+$/, '')) return;
    throw broken(name, 'it has another hash than when it was written');
  }

  async get(name: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of await this.chunks(name)) chunks.push(chunk);
    } catch (error) {
      throw error instanceof RepriseError ? error : broken(name, messageOf(error));
    }
    return Buffer.concat(chunks);
  }

  async remove(name: string): Promise<void> {
    const bucket = streams.snapshots(this.ns);
    await this.trying('Removing a snapshot failed', async (store) => {
      await store.delete(name);
      // The client leaves a note that it is deleted. Names do not come again, so the notes would become more for ever.
      const filter = `$O.${bucket}.M.${Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
      await (await jetstreamManager(this.nc, { checkAPI: false })).streams.purge(`OBJ_${bucket}`, { filter });
    });
  }

  private async trying<T>(doing: string, act: (store: ObjectStore) => Promise<T>): Promise<T> {
    try {
      return await act(await this.store());
    } catch (error) {
      throw operating(error, doing);
    }
  }

  private store(): Promise<ObjectStore> {
    const opened = (this.opened ??= new Objm(jetstream(this.nc)).open(streams.snapshots(this.ns), false));
    // Another call may have opened it anew meanwhile.
    opened.catch(() => (this.opened = this.opened === opened ? undefined : this.opened));
    return opened;
  }
}

const infoShape = z.object({
  name: z.string(), size: z.number(), deleted: z.boolean().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

/** What the client writes of an object. @returns undefined for anything else */
function infoIn(bytes: Uint8Array): z.infer<typeof infoShape> | undefined {
  return infoShape.safeParse(tryRead(() => JSON.parse(Buffer.from(bytes).toString()) as unknown)).data;
}

export const broken = (name: string, why: string): RepriseError =>
  new RepriseError('SNAPSHOT_BROKEN', `The snapshot ${name} cannot be used: ${why}.`);
