/**
 * Builds a namespace from a backup on a server that has none of that name. It can be repeated after any error and goes
 * on where it was. Until it has ended, no broker leads: see streams.ts. See docs/adr/0021.
 */
import type { NatsConnection } from '@nats-io/nats-core';
import { randomBytes } from 'node:crypto';
import { leaderId, type Namespace } from '../../protocols/ids.js';
import { subjects } from '../../protocols/subjects.js';
import { storedAt } from '../ack.js';
import { recordLocation } from '../archive/recorded.js';
import type { ArchiveStore } from '../archive/store.js';
import { readKeys } from '../backup/objects.js';
import type { Head } from '../chain.js';
import { connectNats, operating } from '../connect.js';
import { checkpointHeads, plainHeads, storedHead } from '../head.js';
import { placeHistory } from './history.js';
import { restorePartition, restoreSnapshot, type RestorePartitionOptions } from './partition.js';
import { planOf, type Content, type Plan, type PlanOptions } from './plan.js';
import { RestoredStreams } from './streams.js';

export interface RestoreOptions extends Omit<PlanOptions, 'from'> {
  /** With the user and password of brokers. */
  readonly url: string;
  /** That is made. */
  readonly namespace: Namespace;
  /** That the backup was made of. */
  readonly from: Namespace;
  /** Where the archive of the restored namespace is to be. */
  readonly archive?: ArchiveStore | undefined;
  readonly replicas?: number;
  /** Discards what an earlier restore has made that did not end. */
  readonly startOver?: boolean;
  readonly reason: string;
  readonly release: string;
  readonly nowMs: () => number;
  readonly onPlan?: (plan: Plan) => void;
  /** In positions of the journals. */
  readonly onProgress?: (partition: number, seq: number) => void;
  /** Called before every write to the server; for tests, which throw here. */
  readonly writing?: (what: string) => void;
}

export interface RestoredPartition {
  readonly partition: number;
  /** The first commit in the stream, and the last one that was restored. */
  readonly firstSeq: number;
  readonly seq: number;
  readonly hash: string;
  /** Of the snapshot that was restored. */
  readonly snapshotSeq: number | undefined;
}

export interface Restored {
  readonly backup: number;
  /** Only those with commits. */
  readonly partitions: readonly RestoredPartition[];
  /** Where commits are that the streams did not get. Commands find it; brokers must be given it to archive there. */
  readonly archive: string | undefined;
  readonly hasKeys: boolean;
}

/** @throws RepriseError */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const plan = await planOf(options);
  options.onPlan?.(plan);
  const nc = await connectNats({ url: options.url, name: 'reprise restore', reconnect: true });
  try {
    return await new Restore(options, plan, nc).run();
  } finally {
    await nc.close();
  }
}

const WRITE_MS = 10_000;

class Restore {
  private readonly partition: Omit<RestorePartitionOptions, 'onProgress'>;
  private readonly writing: (what: string) => void;

  constructor(
    private readonly options: RestoreOptions,
    private readonly plan: Plan,
    private readonly nc: NatsConnection,
  ) {
    const { url, namespace: ns, reason, release, nowMs, writing = () => {} } = options;
    const backup = `${plan.backup.number} of ${new Date(plan.backup.takenMs).toISOString()}`;
    const restoring = { backup, reason, release, leaderId: leaderId(randomBytes(10)), nowMs: nowMs() };
    this.writing = writing;
    this.partition = { url, nc, ns, restoring, writing };
  }

  async run(): Promise<Restored> {
    const { plan, options, writing } = this;
    const { namespace: ns, store, archive, replicas = 1 } = options;
    const making = { ns, partitions: plan.partitions.length, replicas, id: plan.id, writing };
    const streams = await RestoredStreams.open(this.nc, making);
    if (options.startOver) await streams.discard();
    await streams.look();
    const location = await placeHistory(plan, { ns, store, archive });
    await streams.begin(plan.partitions.map(({ content }) => content?.firstSeq ?? 1));
    const restored: RestoredPartition[] = [];
    for (const { content } of plan.partitions) if (content) restored.push(await this.restorePartition(content));
    const hasKeys = await this.restoreKeys();
    if (location !== undefined) {
      writing('record the archive');
      await recordLocation(this.nc, ns, location);
    }
    await streams.finish();
    return { backup: plan.backup.number, partitions: restored, archive: location, hasKeys };
  }

  private async restorePartition(content: Content): Promise<RestoredPartition> {
    const { partition, seq, hash } = content.head;
    const onProgress = (at: number): void => this.options.onProgress?.(partition, at);
    const options = { ...this.partition, onProgress };
    const head = await restorePartition(content, options);
    await restoreSnapshot(content, options);
    await this.know(content.head, head);
    return {
      partition, firstSeq: content.firstSeq, seq, hash: Buffer.from(hash).toString('hex'),
      snapshotSeq: content.snapshot?.manifest.seq,
    };
  }

  /**
   * The witness knows the end. The facts of what was restored were published before it was lost, so the projection that
   * publishes them begins behind.
   */
  private async know(restored: Head, head: Head): Promise<void> {
    const { ns } = this.partition;
    const { partition } = head;
    const events = storedHead(restored, 'events');
    await this.put(subjects.witness(ns, partition), plainHeads.encode(storedHead(head)));
    await this.put(subjects.checkpoint(ns, partition, 'events'), checkpointHeads.encode(events));
  }

  /** Also those of a run before: the same key twice is the same key. @returns false if the backup has none */
  private async restoreKeys(): Promise<boolean> {
    const { keys } = this.plan.backup;
    if (keys === null) return false;
    for (const key of await readKeys(this.options.store, keys)) await this.put(subjects.keys(this.partition.ns), key);
    return true;
  }

  private async put(subject: string, bytes: Uint8Array): Promise<void> {
    this.writing(`put ${subject}`);
    try {
      storedAt(await this.nc.request(subject, bytes, { timeout: WRITE_MS }));
    } catch (error) {
      throw operating(error, `Writing to ${subject} failed`);
    }
  }
}
