/**
 * Where durable projections have come to, in a key-value bucket; written at most once a second and at a clean stop, and
 * only after what they did until then has reached the server.
 */
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace, Partition } from '../protocols/ids.js';
import { streams } from '../protocols/subjects.js';
import type { Checkpoint } from './projection.js';

const WRITE_EVERY_MS = 1_000;

export class Checkpoints {
  private readonly dirty = new Map<string, Checkpoint>();
  private readonly written = new Map<string, Checkpoint>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly kv: KV,
    private readonly arrived: () => Promise<void>,
  ) {}

  /** @param arrived resolves when everything published so far has reached the server */
  static async open(nc: NatsConnection, ns: Namespace, arrived: () => Promise<void>): Promise<Checkpoints> {
    return new Checkpoints(await new Kvm(nc).open(streams.checkpoints(ns)), arrived);
  }

  async read(partition: Partition, projections: readonly string[]): Promise<Map<string, Checkpoint>> {
    const found = new Map<string, Checkpoint>();
    for (const projection of projections) {
      const entry = await this.kv.get(keyOf(partition, projection));
      if (entry?.operation !== 'PUT') continue;
      const { seq, hash } = entry.json<{ seq: number; hash: string }>();
      found.set(projection, { seq, hash: Buffer.from(hash, 'hex') });
      this.written.set(keyOf(partition, projection), { seq, hash: Buffer.from(hash, 'hex') });
    }
    return found;
  }

  /** What a projection goes back to when nobody knows what became of its latest work. */
  lastWritten(partition: Partition, projection: string): Checkpoint | undefined {
    return this.written.get(keyOf(partition, projection));
  }

  note(partition: Partition, projection: string, checkpoint: Checkpoint): void {
    this.dirty.set(keyOf(partition, projection), checkpoint);
    this.timer ??= setTimeout(() => void this.flush(), WRITE_EVERY_MS).unref();
  }

  /** A checkpoint that could not be written is written later: until then more facts are published a second time. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const entries = [...this.dirty];
    this.dirty.clear();
    for (const [key, { seq, hash }] of entries) {
      try {
        await this.arrived();
        await this.kv.put(key, JSON.stringify({ seq, hash: Buffer.from(hash).toString('hex') }));
        this.written.set(key, { seq, hash });
      } catch {
        if (!this.dirty.has(key)) this.dirty.set(key, { seq, hash });
      }
    }
  }
}

const keyOf = (partition: Partition, projection: string): string => `${partition}.${projection}`;
