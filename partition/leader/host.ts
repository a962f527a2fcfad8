/**
 * A broker's part in one partition: it waits for the leadership, takes over the journal, and leads. When leading ends,
 * for whatever reason, it folds everything again. There is no undo: a state in doubt is discarded.
 */
import { reject, RepriseError, type OperatingCode, type Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import type { Journal, Stored } from '../../streams/journal.js';
import type { Leadership } from '../../streams/leadership.js';
import type { Watermark } from '../../streams/watermarks.js';
import { Payloads } from '../../streams/payloads.js';
import { Carried } from '../../streams/snapshots/carried.js';
import type { ObjectPlace } from '../../streams/snapshots/objects.js';
import type { Archive } from '../../actors/job/archive.js';
import { COMMANDS } from '../core/command-ids.js';
import type { RetentionOrder } from '../archiver/messages.js';
import type { PartitionCore } from '../core/core.js';
import { newBroken } from '../core/failing.js';
import type { Deliver } from './courier.js';
import { alarms } from './alarms.js';
import { Leader, type Lost } from './leader.js';
import { retentionOf } from './retaining.js';
import { Snapshotter, type SnapshotPolicy } from './snapshotter.js';
import { Terms, type Term, type TermsOptions } from './terms.js';
import { truncating, type Led } from './truncating.js';
import type { TruncationPolicy, Truncator } from './truncator.js';
import { contentFields } from '../../actors/cast.js';
import type { Deliverables } from '../../actors/delivery.js';

export interface HostOptions extends Omit<TermsOptions, 'lastHead'> {
  readonly leadership: Leadership;
  archive(read: (seq: number) => Promise<Stored | undefined>): Archive;
  openJournal(): Promise<Journal>;
  readonly snapshotPolicy?: SnapshotPolicy | undefined;
  readonly truncationPolicy?: TruncationPolicy | undefined;
  /** Where contents are carried that outlive the journal's reach. */
  readonly objects?: ObjectPlace | undefined;
  /** The last position that is written to the archive and verified. Without an archive nothing is truncated. */
  readonly archived?: (() => Pick<Head, 'seq' | 'hash'> | undefined) | undefined;
  /** How far projections have come, and have saved it. */
  projections?(): readonly Watermark[];
  /** Commands that other partitions may send to this one. */
  readonly deliverables: Deliverables;
  readonly deliver: Deliver;
  onHead(head: Head): void;
  /** @param retention what it knows of it, when that is acknowledged */
  onLeading(leader: Leader, retention: () => Promise<RetentionOrder>): void;
  onFollowing(): void;
}

const POLL_MS = 200;
const YIELD_MS = 100;
const RENEW_MS = 400;
const WARN_EVERY_MS = 60_000;
const HALTED_RETRY_MS = 5_000;
/** Errors that going on would make worse: the partition halts until an operator has dealt with them. */
const HALTING: readonly string[] = [
  'JOURNAL_REGRESSED', 'JOURNAL_BROKEN', 'JOURNAL_TOO_NEW', 'JOURNAL_FULL', 'DISK_FULL', 'FOLD_DIVERGED',
  'ARCHIVE_BROKEN',
];

export class PartitionHost {
  leader: Leader | undefined;
  /** Why the partition has halted, if it has. */
  halted: RepriseError | undefined;
  private stopping = false;
  private lastHead: Head | undefined;
  private running: Promise<void> | undefined;
  private wake: (() => void) | undefined;
  private warnAgainMonoMs = 0;
  private readonly broken = newBroken();
  private readonly terms: Terms;

  constructor(private readonly options: HostOptions) {
    this.terms = new Terms({ ...options, lastHead: () => this.lastHead });
    this.ready = new Promise((done) => (this.resolveReady = done));
  }

  /** Resolves when the partition has a leader for the first time: this broker or another. */
  readonly ready: Promise<void>;
  private resolveReady: () => void = () => {};
  /** Whether another broker has the leadership, as far as this one knows. */
  isFollowing = false;

  /** The refusal of requests while neither this broker nor, as far as it knows, another one leads. */
  get whyNot(): Rejection {
    const { halted, options } = this;
    if (halted) return reject(halted.code as OperatingCode, halted.message);
    return reject('NOT_LEADER', `partition ${options.partition} has no leader here at the moment`);
  }

  get partition(): Partition {
    return this.options.partition;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake?.();
    await this.leader?.stop();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        this.isFollowing = !(await this.options.leadership.tryAcquire());
        if (this.isFollowing) this.resolveReady();
        if (this.isFollowing) await this.pause(POLL_MS);
        else await this.serve();
      } catch (error) {
        await this.failed(error);
      }
    }
  }

  /** From getting the leadership to losing it. Settling an ambiguous commit begins another epoch within it. */
  private async serve(): Promise<void> {
    const { leadership } = this.options;
    const renewing = setInterval(() => void this.renew(), RENEW_MS);
    try {
      let term = await this.terms.takeOver(await this.options.openJournal());
      while (term && !this.stopping) term = await this.lead(term);
      // Stopped between the take-over and leading.
      await term?.journal.close();
    } finally {
      clearInterval(renewing);
      if (this.stopping) await leadership.release().catch(() => {});
    }
  }

  private async renew(): Promise<void> {
    const { leadership, log, partition } = this.options;
    const held = await leadership.renew().catch(() => false);
    if (!held && leadership.validForMs() <= 0) {
      log.debug({ partition }, 'the leadership is not renewed; replies without a commit are withheld');
    }
    this.warnOfWindow();
  }

  /** Warns if there are more commands than can be recognized for the promised time. */
  private warnOfWindow(): void {
    const { clock, log, partition } = this.options;
    const windowMs = this.leader?.commandWindowMs ?? COMMANDS.ms;
    if (windowMs >= COMMANDS.ms || clock.monoMs() < this.warnAgainMonoMs) return;
    this.warnAgainMonoMs = clock.monoMs() + WARN_EVERY_MS;
    const hint = 'Use more queues on more partitions, or keys.';
    log.warn({ partition, windowMs, hint }, 'a repeated command is recognized for less than 10 minutes');
  }

  private async lead(term: Term): Promise<Term | undefined> {
    try {
      return await this.leadUntilLost(term);
    } catch (error) {
      // It may have been thrown before there was a leader.
      await term.journal.close();
      throw error;
    }
  }

  private async leadUntilLost({ core, journal, head, leaderId: id, foldedBytes }: Term): Promise<Term | undefined> {
    const { options } = this;
    this.halted = undefined;
    const snapshots = this.snapshotter(foldedBytes);
    const carried = await this.carried(core);
    const bytes = new Payloads((seq) => journal.read(seq), contentFields(options.kinds), carried);
    const leader = new Leader({
      core, journal, head, leaderId: id, bytes, archive: options.archive((seq) => journal.read(seq)),
      followers: options.followers, deliver: options.deliver, clock: options.clock, snapshots,
      receiving: { deliverables: options.deliverables, ...this.broken }, maxCommitBytes: options.maxCommitBytes,
      ...alarms(options.log, options.partition),
      validForMs: () => options.leadership.validForMs(), onHead: (next) => this.noteHead(next),
      onApart: (apartMs) => this.noteClock(apartMs),
    });
    const truncator = carried && this.truncator({ leader, core, journal, bytes }, carried);
    this.noteHead(head);
    this.leader = leader;
    this.resolveReady();
    options.onLeading(leader, () => retentionOf(leader, core));
    const lost = await leader.lost;
    this.leader = undefined;
    const ended = Promise.all([snapshots?.end(), truncator?.end()]);
    if (lost.kind === 'stopped') await ended;
    options.onFollowing();
    return this.afterwards(leader, journal, lost);
  }

  private async afterwards(leader: Leader, journal: Journal, lost: Lost): Promise<Term | undefined> {
    const { log, partition } = this.options;
    if (lost.kind === 'ambiguous' && lost.pending) return this.terms.settle(leader, journal, lost.pending);
    await journal.close();
    if (lost.kind === 'stopped') return undefined;
    log.warn({ partition, lost: lost.kind, why: whyLost(lost) }, 'leading ended; the state is folded again');
    if (lost.kind === 'refused' && lost.why === 'full') throw new RepriseError('JOURNAL_FULL', lost.message);
    if (lost.kind === 'broken' && isHalting(lost.error)) throw lost.error;
    // A random pause: two brokers that depose each other in step would otherwise go on for ever, without serving.
    await this.pause(lost.kind === 'broken' ? POLL_MS : YIELD_MS * this.options.clock.draw());
    return undefined;
  }

  private snapshotter(foldedBytes: number): Snapshotter | undefined {
    const { snapshots: store, snapshotPolicy: policy } = this.options;
    const snapshotter = store && new Snapshotter({ ...this.options, store, policy });
    snapshotter?.count(foldedBytes);
    return snapshotter;
  }

  /** What earlier truncations have carried. */
  private async carried({ state }: PartitionCore): Promise<Carried | undefined> {
    const { objects, partition } = this.options;
    const carried = objects && new Carried(objects, partition);
    if (state.truncated) await carried?.open(state.journalId);
    return carried;
  }

  private truncator(led: Led, carried: Carried): Truncator | undefined {
    const { archived, snapshots, projections = (): Watermark[] => [], truncationPolicy: policy } = this.options;
    if (!archived || !snapshots) return undefined;
    return truncating(led, { ...this.options, archived, snapshots, projections, carried, policy });
  }

  private noteHead(head: Head): void {
    this.lastHead = head;
    this.options.onHead(head);
  }

  private noteClock(apartMs: number): void {
    const { log, partition } = this.options;
    if (apartMs === 0) {
      return log.info({ partition }, 'the clock of this machine is within 10 s of the time of the journal again');
    }
    const how = apartMs > 0
      ? 'ahead of the time of the journal and is not followed'
      : 'behind the time of the journal, which goes on from where it is';
    const hint = 'Let NTP set the clocks of brokers and server; see docs/adr/0014.';
    log.error({ partition, apartMs: Math.round(apartMs), hint }, `the clock of this machine is ${how}`);
  }

  private async failed(error: unknown): Promise<void> {
    const { log, partition } = this.options;
    if (isHalting(error)) {
      this.halted = error;
      log.fatal({ partition, code: error.code, hint: error.hint, err: error }, 'the partition has halted');
      return this.pause(HALTED_RETRY_MS);
    }
    if (!this.stopping) log.warn({ partition, err: error }, 'could not lead; trying again');
    return this.pause(POLL_MS);
  }

  private pause(ms: number): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}

const isHalting = (error: unknown): error is RepriseError =>
  error instanceof RepriseError && HALTING.includes(error.code);

const whyLost = (lost: Lost): string => {
  if ('message' in lost) return lost.message;
  return lost.kind === 'broken' ? String(lost.error) : '';
};
