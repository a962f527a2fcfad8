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
import type { Begin, FromArchiver, RetentionOrder } from './messages.js';
import { Retainer, type Retained } from './retainer.js';

/** For jobs that span segments. */
const RETAINER_CACHE_BYTES = 16 * 1024 * 1024;

type Report = (message: FromArchiver) => void;

/** While the broker leads a partition. */
interface Term {
  readonly ended: AbortController;
  /** The latest that no pass was made for. Not kept beyond the term: another leader may record longer times. */
  order: RetentionOrder | undefined;
}

export class Partitions {
  private readonly led = new Map<Partition, Term>();
  private store: Promise<ArchiveStore> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly begin: Begin,
    private readonly report: Report,
  ) {}

  lead(partition: Partition): void {
    this.follow(partition);
    const term: Term = { ended: new AbortController(), order: undefined };
    this.led.set(partition, term);
    void this.run(partition, term);
  }

  follow(partition: Partition): void {
    this.led.get(partition)?.ended.abort();
    this.led.delete(partition);
  }

  retain(partition: Partition, order: RetentionOrder): void {
    const term = this.led.get(partition);
    if (term !== undefined) term.order = order;
  }

  private async run(partition: Partition, term: Term): Promise<void> {
    const { policy: { firstRetryMs, lastRetryMs, pollMs } } = this.begin;
    const { ended: { signal } } = term;
    const one = new OnePartition(this.begin, partition, () => this.opened(), signal, this.report);
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const failed = await this.inTurn(() => one.step());
      if (!failed) await this.retainIn(one, term);
      if (!signal.aborted) this.report(failed ?? { kind: 'well', partition });
      await pause(failed ? retryMs : pollMs, signal);
      retryMs = failed ? Math.min(lastRetryMs, retryMs * 2) : firstRetryMs;
    }
    await one.close();
  }

  /** A segment in each turn, so that what other partitions have to archive does not wait for a pass. */
  private async retainIn(one: OnePartition, term: Term): Promise<void> {
    const { order } = term;
    term.order = undefined;
    if (order) for (let goesOn = true; goesOn;) goesOn = await this.inTurn(() => one.retain(order));
  }

  /** One partition after the other: a segment takes some memory while it is made. */
  private inTurn<T>(step: () => Promise<T>): Promise<T> {
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

  private retaining: { readonly journalId: string; readonly retainer: Retainer } | undefined;
  private pass: AsyncGenerator<Retained> | undefined;

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

  /** Applies retention to one segment more. @returns whether there may be more */
  async retain(order: RetentionOrder): Promise<boolean> {
    const { partition, signal, report } = this;
    if (signal.aborted) return false;
    try {
      this.pass ??= (await this.retainer(order.journalId)).pass(order);
      const { done, value } = await this.pass.next();
      if (!done) report({ kind: 'retained', partition, ...value });
      if (!done && !signal.aborted) return true;
    } catch (error) {
      this.retaining = undefined;
      const code = error instanceof RepriseError ? error.code : 'SERVER_FAILED';
      if (!signal.aborted) report({ kind: 'unretained', partition, code, message: messageOf(error) });
    }
    this.pass = undefined;
    return false;
  }

  private async retainer(journalId: string): Promise<Retainer> {
    const { begin: { ns }, partition, signal } = this;
    const store = await this.store();
    if (this.retaining?.journalId !== journalId) {
      const archive = await openArchive(store, ns, partition, journalId, { cacheBytes: RETAINER_CACHE_BYTES });
      this.retaining = { journalId, retainer: new Retainer({ store, archive, goesOn: () => !signal.aborted }) };
    }
    return this.retaining.retainer;
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
