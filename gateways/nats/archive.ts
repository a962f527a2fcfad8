/** The archive as a broker uses it: it writes what it leads, and reads what the journals no longer hold. */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { JournalSize } from '../../partition/archiver/alarm.js';
import { Archiving } from '../../partition/archiver/archiving.js';
import type { ArchivePolicy, RetentionOrder } from '../../partition/archiver/messages.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams } from '../../protocols/subjects.js';
import { ArchivePlace } from '../../streams/archive/behind.js';
import { fullLocation, recordedLocation, recordLocation } from '../../streams/archive/recorded.js';
import { openJournal } from '../../streams/jetstream.js';
import type { Journal } from '../../streams/journal.js';
import { readingThrough } from '../../streams/reading-through.js';

export interface BrokerArchiveOptions {
  readonly control: NatsConnection;
  readonly url: string;
  readonly ns: Namespace;
  /** Where what this broker leads is archived. Without it nothing is. */
  readonly location: string | undefined;
  readonly policy: Partial<ArchivePolicy> | undefined;
  readonly log: Logger;
}

export class BrokerArchive {
  private constructor(
    private readonly options: BrokerArchiveOptions,
    private readonly place: ArchivePlace,
    private readonly archiving: Archiving | undefined,
    /** Whether the namespace has an archive, of this broker or of others. */
    private readonly exists: boolean,
  ) {}

  /** @throws RepriseError INVALID_ARGUMENT */
  static async open(options: BrokerArchiveOptions): Promise<BrokerArchive> {
    const { control, url, ns, policy, log } = options;
    const location = options.location === undefined ? undefined : fullLocation(options.location);
    const recorded = await recordedLocation(control, ns);
    const place = new ArchivePlace(ns, async () => location ?? (await recordedLocation(control, ns)));
    if (location === undefined) {
      const hint = 'Give --archive to every broker of a namespace.';
      if (recorded) log.warn({ archive: recorded, hint }, 'what this broker leads is not archived');
      return new BrokerArchive(options, place, undefined, recorded !== undefined);
    }
    if (recorded !== undefined && recorded !== location) {
      log.warn({ archive: location, before: recorded }, 'the archive is elsewhere now');
    }
    await recordLocation(control, ns, location).catch((error: unknown) =>
      log.warn({ archive: location, err: error }, 'commands will not find the archive without --archive'));
    const sizeOf = (partition: Partition): Promise<JournalSize> => sizeOfJournal(control, ns, partition);
    return new BrokerArchive(options, place, new Archiving({ url, ns, location, log, policy, sizeOf }), true);
  }

  /** With the archive behind it. */
  async openJournal(partition: Partition): Promise<Journal> {
    const { url, ns } = this.options;
    return readingThrough(await openJournal({ url, ns, partition }), (journal) => this.place.behind(journal));
  }

  /** For the host of a partition. @returns undefined if the namespace has no archive */
  archived(partition: Partition): (() => ReturnType<Archiving['archived']>) | undefined {
    return this.exists ? () => this.archiving?.archived(partition) : undefined;
  }

  /** Of the process that archives. */
  get pid(): number | undefined {
    return this.archiving?.pid;
  }

  lead(partition: Partition, retention: () => Promise<RetentionOrder>): void {
    this.archiving?.lead(partition, retention);
  }

  follow(partition: Partition): void {
    this.archiving?.follow(partition);
  }

  async close(): Promise<void> {
    await this.archiving?.stop();
    await this.place.close();
  }
}

async function sizeOfJournal(control: NatsConnection, ns: Namespace, partition: Partition): Promise<JournalSize> {
  const jsm = await jetstreamManager(control, { checkAPI: false });
  const { state, config } = await jsm.streams.info(streams.journal(ns, partition));
  const { storage, limits } = await jsm.getAccountInfo();
  const { last_seq: lastSeq, messages, bytes } = state;
  const most = [config.max_bytes, limits.max_storage > 0 ? bytes + limits.max_storage - storage : 0];
  return { lastSeq, messages, bytes, mostBytes: Math.min(...most.map((each) => (each > 0 ? each : Infinity))) };
}
