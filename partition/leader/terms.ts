/** How a term of leadership begins: by a take-over of the journal, or by settling an ambiguous commit. */
import { randomBytes } from 'node:crypto';
import { messageOf, reject, RepriseError } from '../../protocols/errors.js';
import { journalId, leaderId, type LeaderId } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import type { Journal } from '../../streams/journal.js';
import { settle } from '../../streams/settle.js';
import type { SnapshotStore } from '../../streams/snapshots/store.js';
import { takeOver, type KnownHead, type TakenOver, type TakeOverOptions } from '../../streams/takeover.js';
import type { PartitionCore } from '../core/core.js';
import { Fold, type FoldOptions } from './journal-fold.js';
import { refuseAll, type Leader, type PendingCommit } from './leader.js';
import type { Clock } from './leader-time.js';

export interface TermsOptions extends FoldOptions {
  readonly broker: string;
  readonly clock: Clock;
  /** undefined: none are taken, and every fold begins at the beginning of the journal. */
  readonly snapshots?: SnapshotStore | undefined;
  /** Heads that the journal must contain. Called at every take-over, before the journal is read. */
  knownHeads(journal: Journal): Promise<readonly KnownHead[]>;
  /** The newest head that this broker itself knows. */
  lastHead(): Head | undefined;
}

/** The state and the journal after a successful take-over. */
export interface Term {
  readonly core: PartitionCore;
  readonly journal: Journal;
  readonly head: Head;
  readonly leaderId: LeaderId;
  /** Bytes of the commits after the snapshot that the fold began with. */
  readonly foldedBytes: number;
}

export class Terms {
  constructor(private readonly options: TermsOptions) {}

  /** @returns undefined if another broker leads */
  async takeOver(journal: Journal): Promise<Term | undefined> {
    const started = this.options.clock.monoMs();
    try {
      const { fold, options } = await this.beginFold(journal);
      return await this.begin(await takeOver(journal, options), fold, started);
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Settles an ambiguous commit by the barrier, then sends its replies or refuses its requests. */
  async settle(leader: Leader, journal: Journal, pending: PendingCommit): Promise<Term | undefined> {
    const { log, partition } = this.options;
    const started = this.options.clock.monoMs();
    try {
      const { fold, options } = await this.beginFold(journal, pending.expectedSeq);
      const { written, takenOver } = await settle(journal, pending, options);
      log.warn({ partition, seq: pending.expectedSeq + 1, written }, 'an ambiguous commit was settled');
      const term = await this.begin(takenOver, fold, started);
      if (!written) refuseAll(pending.batch, reject('NOT_LEADER', 'the commit was not recorded'));
      else if (term) leader.releaseSettled(pending, term.head);
      else refuseAll(pending.batch, reject('UNKNOWN', 'recorded, but another broker leads now'));
      return term;
    } catch (error) {
      const why = messageOf(error);
      const message = `the commit was not acknowledged, and settling whether it was written failed: ${why}`;
      refuseAll(pending.batch, reject('UNKNOWN', message));
      await journal.close();
      throw error;
    }
  }

  private async begin(result: TakenOver, fold: Fold, started: number): Promise<Term | undefined> {
    const { log, partition } = this.options;
    if (result.kind === 'deposed') {
      log.info({ partition, why: result.why }, 'another broker leads');
      await result.journal.close();
      return undefined;
    }
    const { head, journal } = result;
    const { core, foldedBytes, snapshot } = fold;
    fold.alarm(head.epoch);
    const tookMs = Math.round(this.options.clock.monoMs() - started);
    const { epoch, seq } = head;
    log.info({ partition, epoch, seq, snapshotSeq: snapshot?.seq, actors: actorsOf(core), tookMs }, 'leading');
    return { core, journal, head, leaderId: result.leaderId as LeaderId, foldedBytes };
  }

  /**
   * The snapshot is read and known heads are asked for at once: nobody leads meanwhile.
   * @param upToSeq a later snapshot is not used: the commit after this position must be read
   */
  private async beginFold(journal: Journal, upToSeq = Infinity): Promise<{ fold: Fold; options: TakeOverOptions }> {
    const { snapshots, knownHeads } = this.options;
    const fold = new Fold(this.options);
    const [known] = await Promise.all([knownHeads(journal), snapshots && fold.resume(snapshots, upToSeq)]);
    return { fold, options: await this.takeOverOptions(journal, fold, known) };
  }

  /**
   * Where the journal is read from: at the snapshot, or earlier if a projection needs what is before it. Jobs do not
   * wait for that: if it cannot be read, projections go on from the snapshot.
   */
  private async beginning(journal: Journal, { begin, snapshot }: Fold): Promise<Head | undefined> {
    if (snapshot === undefined || begin?.seq === snapshot.seq) return begin;
    const { log, partition, followers } = this.options;
    const nextSeq = (begin?.seq ?? 0) + 1;
    let why = 'it is in no archive';
    try {
      if (nextSeq >= (await journal.end()).firstSeq || (await journal.read(nextSeq))) return begin;
    } catch (error) {
      if (!(error instanceof RepriseError) || error.code !== 'ARCHIVE_UNREACHABLE') throw error;
      why = error.message;
    }
    log.error({ partition, fromSeq: nextSeq, upToSeq: snapshot.seq, why }, 'projections lack a part of the journal');
    for (const follower of followers) follower.skipTo(snapshot);
    return snapshot;
  }

  private async takeOverOptions(
    journal: Journal, fold: Fold, heads: readonly KnownHead[],
  ): Promise<TakeOverOptions> {
    const { options } = this;
    const last = options.lastHead();
    const known = [...heads];
    if (last) known.push({ ...last, from: 'this broker' });
    if (fold.snapshot) known.push({ ...fold.snapshot, from: 'a snapshot' });
    fold.known = known;
    return {
      known, begin: await this.beginning(journal, fold), broker: options.broker,
      journalId: () => journalId(randomBytes(10)),
      leaderId: () => leaderId(randomBytes(10)),
      nowMs: () => options.clock.nowMs(),
      onCommit: (commit, seq, bytes, head) => fold.commit(commit, seq, bytes, head),
      onForeign: (seq, why) => fold.skip(seq, why),
    };
  }
}

const actorsOf = ({ state }: PartitionCore): Record<string, number> =>
  Object.fromEntries([...state.cast].map(([name, { seen }]) => [name, seen]));
