/** In the process of the archiver: the partitions that its broker leads, each with a connection of its own. */
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { openArchive } from '../../streams/archive/archive.js';
import { openStore } from '../../streams/archive/location.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import type { Head } from '../../streams/chain.js';
import { openJournal } from '../../streams/jetstream.js';
import type { Journal } from '../../streams/journal.js';
import { Archiver } from './archiver.js';
import type { Begin, FromArchiver } from './messages.js';

type Report = (message: FromArchiver) => void;

export class Partitions {
  private readonly led = new Map<Partition, AbortController>();
  private store: Promise<ArchiveStore> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly begin: Begin,
    private readonly report: Report,
  ) {}

  lead(partition: Partition): void {
    this.follow(partition);
    const ended = new AbortController();
    this.led.set(partition, ended);
    void this.run(partition, ended.signal);
  }

  follow(partition: Partition): void {
    this.led.get(partition)?.abort();
    this.led.delete(partition);
  }

  private async run(partition: Partition, signal: AbortSignal): Promise<void> {
    const { policy: { firstRetryMs, lastRetryMs, pollMs } } = this.begin;
    const one = new OnePartition(this.begin, partition, () => this.opened(), signal, this.report);
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const failed = await this.inTurn(() => one.step());
      if (!signal.aborted) this.report(failed ?? { kind: 'well', partition });
      await pause(failed ? retryMs : pollMs, signal);
      retryMs = failed ? Math.min(lastRetryMs, retryMs * 2) : firstRetryMs;
    }
    await one.close();
  }

  /** One partition after the other: a segment takes some memory while it is made. */
  private inTurn(step: () => Promise<FromArchiver | undefined>): Promise<FromArchiver | undefined> {
    const done = this.turn.then(step);
    this.turn = done;
    return done;
  }

  private opened(): Promise<ArchiveStore> {
    this.store ??= openStore(this.begin.location);
    this.store.catch(() => (this.store = undefined));
    return this.store;
  }
}

class OnePartition {
  private opened: { readonly journal: Journal; readonly archiver: Archiver } | undefined;

  constructor(
    private readonly begin: Begin,
    private readonly partition: Partition,
    private readonly store: () => Promise<ArchiveStore>,
    private readonly signal: AbortSignal,
    private readonly report: Report,
  ) {}

  /** An error of the store leaves the connection open, and keeps what was read over it. @returns an error */
  async step(): Promise<FromArchiver | undefined> {
    const { partition, signal } = this;
    if (signal.aborted) return undefined;
    try {
      this.opened ??= await this.open();
      await this.opened.archiver.step();
      return undefined;
    } catch (error) {
      const code = error instanceof RepriseError ? error.code : 'SERVER_FAILED';
      return { kind: 'failed', partition, code, message: messageOf(error) };
    }
  }

  async close(): Promise<void> {
    await this.opened?.journal.close();
  }

  private async open(): Promise<NonNullable<OnePartition['opened']>> {
    const { begin: { url, ns, policy }, partition, signal } = this;
    const journal = await openJournal({ url, ns, partition });
    void journal.closed.then(() => (this.opened = undefined));
    const archiver = new Archiver({
      journal, policy,
      openArchive: async (journalId) => openArchive(await this.store(), ns, partition, journalId, { cacheBytes: 0 }),
      monoMs: () => performance.now(),
      goesOn: () => !signal.aborted,
      onArchived: (head) => this.archived(head),
    });
    return { journal, archiver };
  }

  private archived({ journalId, seq, hash }: Head): void {
    const { partition, signal } = this;
    const head = { journalId, seq, hash: Buffer.from(hash).toString('hex') };
    if (!signal.aborted) this.report({ kind: 'archived', partition, head });
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal }).catch(() => undefined);
