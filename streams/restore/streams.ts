/**
 * The streams of a namespace that is being restored. The journal of partition 0 is made first, with another number of
 * partitions in its metadata than any broker would accept, of this version or an older one. It gets the right number
 * last, in one step of the server: until then no broker leads, and the restore can go on or begin again.
 */
import { jetstreamManager, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import {
  checkpointsConfig, journalConfig, keysConfig, leadershipConfig, PARTITIONS, RESTORE, RESTORING, snapshotsConfig,
  witnessConfig,
} from '../configs.js';
import { isStreamNotFound, operating } from '../connect.js';

export interface Making {
  readonly ns: Namespace;
  readonly partitions: number;
  readonly replicas: number;
  /** Of the plan. */
  readonly id: string;
  /** Called before every write to the server. */
  readonly writing: (what: string) => void;
}

export class RestoredStreams {
  private constructor(private readonly jsm: JetStreamManager, private readonly making: Making) {}

  static async open(nc: NatsConnection, making: Making): Promise<RestoredStreams> {
    return new RestoredStreams(await jetstreamManager(nc, { checkAPI: false }), making);
  }

  /**
   * Writes nothing. @returns whether an earlier run has begun
   * @throws RepriseError NAMESPACE_EXISTS, RESTORE_UNFINISHED
   */
  async look(): Promise<boolean> {
    const { ns, id } = this.making;
    const found = await this.info(this.journalName(0));
    if (found === undefined) {
      const [other] = await this.others();
      if (other !== undefined) throw exists(ns, other);
      return false;
    }
    const { metadata = {} } = found.config;
    if (metadata[PARTITIONS] !== RESTORING) throw exists(ns, found.config.name);
    if (metadata[RESTORE] !== id) throw unfinished(ns);
    return true;
  }

  /** Makes those that are not there. @param firstSeq by partition */
  async begin(firstSeq: readonly number[]): Promise<void> {
    if (!(await this.look())) await this.makeJournal(0, firstSeq[0]!);
    for (let n = 1; n < firstSeq.length; n += 1) {
      if ((await this.info(this.journalName(n))) === undefined) await this.makeJournal(n, firstSeq[n]!);
    }
    for (const config of this.beside()) {
      if ((await this.info(config.name)) === undefined) await this.add(config);
    }
  }

  /** From here on brokers may lead. */
  async finish(): Promise<void> {
    const { ns, partitions, writing } = this.making;
    writing('finish');
    const metadata = { [PARTITIONS]: String(partitions) };
    try {
      await this.jsm.streams.update(streams.journal(ns, 0 as Partition), { metadata });
    } catch (error) {
      throw operating(error, 'Finishing the restore failed');
    }
  }

  /** Removes what an unfinished restore has made; the journal that says so goes last. */
  async discard(): Promise<void> {
    const { ns } = this.making;
    const found = await this.info(this.journalName(0));
    if (found === undefined) return;
    if (found.config.metadata?.[PARTITIONS] !== RESTORING) throw exists(ns, found.config.name);
    for (const name of [...(await this.others()), found.config.name]) {
      this.making.writing(`delete ${name}`);
      await this.jsm.streams.delete(name).catch((error: unknown) => {
        throw operating(error, `Deleting ${name} failed`);
      });
    }
  }

  private async makeJournal(n: number, firstSeq: number): Promise<void> {
    const { ns, partitions, replicas, id } = this.making;
    const config = journalConfig(ns, n, partitions, replicas);
    const metadata = n === 0 ? { [PARTITIONS]: RESTORING, [RESTORE]: id } : config.metadata;
    await this.add({ ...config, metadata, ...(firstSeq > 1 && { first_seq: firstSeq }) });
  }

  private async add(config: ReturnType<typeof journalConfig>): Promise<void> {
    this.making.writing(`make ${config.name}`);
    try {
      await this.jsm.streams.add(config);
    } catch (error) {
      throw operating(error, `Making the stream ${config.name} failed`);
    }
  }

  private beside(): ReturnType<typeof journalConfig>[] {
    const { ns, partitions, replicas } = this.making;
    return [
      witnessConfig(ns, partitions, replicas), checkpointsConfig(ns, replicas), keysConfig(ns, replicas),
      snapshotsConfig(ns, replicas), leadershipConfig(ns, replicas),
    ];
  }

  /** Streams of the namespace that are on the server, without the first journal. */
  private async others(): Promise<string[]> {
    const first = this.journalName(0);
    const ours = new Set(this.beside().map(({ name }) => name));
    const journal = new RegExp(`^${first.slice(0, -1)}\\d+$`);
    const found: string[] = [];
    try {
      for await (const name of this.jsm.streams.names()) {
        if (name !== first && (ours.has(name) || journal.test(name))) found.push(name);
      }
    } catch (error) {
      throw operating(error, 'Listing the streams failed');
    }
    return found;
  }

  private async info(name: string): Promise<StreamInfo | undefined> {
    try {
      return await this.jsm.streams.info(name);
    } catch (error) {
      if (isStreamNotFound(error)) return undefined;
      throw operating(error, `Looking for the stream ${name} failed`);
    }
  }

  private journalName = (n: number): string => streams.journal(this.making.ns, n as Partition);
}

function exists(ns: Namespace, stream: string): RepriseError {
  const hint = 'Restore into an empty server, or into another namespace with --namespace.';
  return new RepriseError('NAMESPACE_EXISTS', `The server has the namespace ${ns} already: ${stream}.`, { hint });
}

function unfinished(ns: Namespace): RepriseError {
  const message = `Another restore into the namespace ${ns} was begun and has not ended.`;
  const hint = 'Run that one again with the same options, or add --start-over to discard what it has made.';
  return new RepriseError('RESTORE_UNFINISHED', message, { hint });
}
