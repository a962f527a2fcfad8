/**
 * A leader: the core of a partition driven by real time, with its commits written to the journal one at a time. While
 * one is in flight the next is gathered. Nothing is said before the commit it depends on is acknowledged.
 */
import { reject, RepriseError, type Rejection } from '../../protocols/errors.js';
import type { LeaderId, Partition } from '../../protocols/ids.js';
import type { Head } from '../../streams/chain.js';
import { headerAfter } from '../../streams/commit.js';
import { randomSalts } from '../../streams/salts.js';
import type { Appended, Journal } from '../../streams/journal.js';
import type { Archive } from '../../actors/job/archive.js';
import type { Batch } from '../core/batch.js';
import type { Follower } from '../../streams/committed.js';
import type { PartitionCore } from '../core/core.js';
import { isRunning } from '../../actors/job/job.js';
import type { Asker, Effect, JobAnswer, LeaseGrant } from '../core/effects.js';
import type { Command } from '../core/inputs.js';
import { JournalTime } from './journal-time.js';
import { archiveReply, jobsReply, pulledReply, release, viewReply, type Bytes, type Releasing } from './release.js';
import { answer } from './reply.js';
import { Waiters } from './waiters.js';

const TICK_MS = 50;

export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Monotonic milliseconds. */
  monoMs(): number;
  /** From [0, 1). */
  draw(): number;
}

export interface Leadership {
  readonly core: PartitionCore;
  readonly journal: Journal;
  readonly head: Head;
  readonly leaderId: LeaderId;
  readonly bytes: Bytes & { put(seq: number, commit: Uint8Array): void };
  readonly archive: Archive;
  readonly followers: readonly Follower[];
  readonly clock: Clock;
  /** How long this leader may still take itself for the only one, by its own clock. */
  leaseValidForMs(): number;
  onHead(head: Head): void;
  /** The wall clock and the journal's time have come apart, by so many milliseconds; 0: together again. */
  onApart(apartMs: number): void;
}

/** Why a leader ended. `pending`: the commit whose fate must be settled first. */
export type Lost =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'refused'; readonly why: 'fenced' | 'full' | 'other'; readonly message: string }
  | { readonly kind: 'ambiguous'; readonly message: string; readonly pending: Pending | undefined }
  | { readonly kind: 'broken'; readonly error: unknown };

export interface Pending {
  readonly bytes: Uint8Array;
  readonly expectedSeq: number;
  readonly batch: Batch;
}

export class Leader {
  readonly lost: Promise<Lost>;
  head: Head;
  private readonly waiters: Waiters;
  private readonly time: JournalTime;
  private readonly salts = randomSalts();
  private isApart = false;
  private isAsking = false;
  private readonly ticking: NodeJS.Timeout;
  private inFlight: Pending | undefined;
  private scheduled = false;
  private ended: Lost | undefined;
  private readonly end: (lost: Lost) => void;
  private idle: (() => void) | undefined;

  constructor(private readonly leadership: Leadership) {
    this.head = leadership.head;
    let end: (lost: Lost) => void = () => {};
    this.lost = new Promise((resolve) => (end = resolve));
    this.end = end;
    this.waiters = new Waiters((to, answers) => this.tellJobs(to, answers));
    this.time = new JournalTime(leadership.head.nowMs, leadership.clock.monoMs());
    leadership.core.lead(leadership.clock.monoMs());
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    void leadership.journal.closed.then(() => this.lose({ kind: 'ambiguous', message: 'the connection was lost', pending: this.inFlight }));
  }

  get partition(): Partition {
    return this.leadership.core.state.partition;
  }

  get epoch(): number {
    return this.head.epoch;
  }

  /** For how long a command is known again that is sent once more. */
  get commandWindowMs(): number {
    const { state, nowMs } = this.leadership.core;
    return state.commands.windowMs(nowMs);
  }

  handle(command: Command): void {
    if (this.ended) return answer(command.to, { kind: 'refused', rejection: notLeader });
    this.step(command);
  }

  /** Stops taking commands, writes what was decided, and ends. */
  async stop(): Promise<void> {
    if (this.ended) return;
    clearInterval(this.ticking);
    while (!this.ended && (this.inFlight || this.scheduled)) await new Promise<void>((done) => (this.idle = done));
    this.lose({ kind: 'stopped' });
  }

  /** For the host, when it has settled a pending commit as written: its words may be said after all. */
  releaseSettled({ batch, bytes }: Pending, head: Head): void {
    this.leadership.bytes.put(batch.seq, bytes);
    this.release(batch, head);
    this.waiters.tellAll();
  }

  private step(input: Command | { kind: 'tick' }): void {
    const { clock, core } = this.leadership;
    try {
      const monoMs = clock.monoMs();
      core.step(input, { nowMs: this.time.read(clock.nowMs(), monoMs), monoMs, draw: clock.draw(), salts: this.salts });
    } catch (error) {
      // A broken invariant: the state can no longer be trusted, so the host folds it again from the journal.
      if (input.kind !== 'tick') answer(input.to, { kind: 'refused', rejection: reject('UNKNOWN', `internal error: ${String(error)}`) });
      return this.lose({ kind: 'broken', error });
    }
    if (!this.scheduled && !this.inFlight) this.schedule();
  }

  private tick(): void {
    this.waiters.expire(this.leadership.clock.monoMs(), (id) => {
      const job = this.leadership.core.state.jobs.get(id);
      return job && this.leadership.core.answerOf(job);
    });
    this.step({ kind: 'tick' });
    this.lookAtClock();
  }

  private lookAtClock(): void {
    const { time } = this;
    if (time.isApart !== this.isApart) {
      this.isApart = time.isApart;
      this.leadership.onApart(time.isApart ? time.apartMs : 0);
    }
    if (time.isToBeChecked(this.leadership.clock.monoMs()) && !this.isAsking) void this.checkClock();
  }

  /** The server's clock decides. */
  private async checkClock(): Promise<void> {
    const { clock, journal } = this.leadership;
    this.isAsking = true;
    const serverMs = await journal.end().then((end) => end.serverMs, () => undefined);
    this.time.checked(serverMs, clock.nowMs(), clock.monoMs());
    this.isAsking = false;
  }

  /** After everything that has arrived by now: it shares the commit. */
  private schedule(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.write();
    });
  }

  /**
   * Sends the next commit on its way, if there is one. The words of the one before are said right behind it, so that
   * the server syncs while we talk: microtasks run in order, and the client sends in one that it has queued by then.
   */
  private write(tellBefore?: () => void): void {
    if (this.ended || this.inFlight) return;
    let batch = this.leadership.core.take();
    if (batch?.events.length) {
      this.append(batch);
      if (tellBefore) queueMicrotask(tellBefore);
      return;
    }
    tellBefore?.();
    for (; batch; batch = this.leadership.core.take()) {
      if (batch.events.length > 0) return this.append(batch);
      this.sayWithoutCommit(batch);
    }
    this.idle?.();
  }

  private append(batch: Batch): void {
    const { leaderId, journal } = this.leadership;
    if (batch.seq !== this.head.seq + 1) {
      return this.lose({ kind: 'broken', error: new RepriseError('FOLD_DIVERGED', `batch ${batch.seq} does not follow head ${this.head.seq}`) });
    }
    const header = headerAfter(this.head, { leaderId, epoch: this.epoch }, batch.nowMs);
    const pending = { bytes: batch.body.commit(header), expectedSeq: this.head.seq, batch };
    this.inFlight = pending;
    append(journal, pending).then(
      (appended) => this.appended(appended),
      (error: unknown) => this.lose({ kind: 'ambiguous', message: String(error), pending }),
    );
  }

  private appended(appended: Appended): void {
    const pending = this.inFlight;
    if (pending === undefined || this.ended) return;
    if (appended.kind === 'ambiguous') return this.lose({ kind: 'ambiguous', message: appended.message, pending });
    if (appended.kind === 'refused') return this.lose({ kind: 'refused', why: appended.why, message: appended.message });
    this.inFlight = undefined;
    this.advance(pending);
    this.write(() => this.tell(pending));
  }

  private advance({ bytes, batch }: Pending): void {
    this.head = { ...this.head, seq: batch.seq, hash: batch.body.hashOf(bytes), nowMs: batch.nowMs };
    this.leadership.bytes.put(batch.seq, bytes);
  }

  /** The words of a commit: whoever waits first, then the followers, in one turn, before anybody can ask them. */
  private tell({ batch, bytes }: Pending): void {
    const { head } = this;
    this.release(batch, head);
    try {
      for (const follower of this.leadership.followers) follower.follow({ ...head, bytes, events: batch.events });
    } catch (error) {
      // A follower that knows another commit at this position; thrown from here it would end the process.
      this.lose({ kind: 'broken', error });
    }
    this.leadership.onHead(head);
  }

  /** No commit vouches for these words; only the lease does, with a margin. */
  private sayWithoutCommit(batch: Batch): void {
    if (this.leadership.leaseValidForMs() > 0) return this.release(batch, this.head);
    for (const effect of batch.effects) if (effect.kind !== 'ended') answer(effect.to, { kind: 'refused', rejection: notLeader });
  }

  private release(batch: Batch, head: Head): void {
    const releasing = this.releasing(head);
    for (const effect of batch.effects) this.say(effect, releasing);
  }

  private say(effect: Effect, releasing: Releasing): void {
    switch (effect.kind) {
      case 'jobs': return release(effect, jobsReply(releasing, effect.answers));
      case 'wait': return this.waiters.add(effect.to, effect.answers, this.leadership.clock.monoMs() + effect.waitMs);
      case 'ended': return this.waiters.ended(effect.job);
      case 'view': return release(effect, viewReply(releasing, effect));
      case 'archive': return release(effect, archiveReply(releasing, effect.jobId));
      case 'pulled': return release(effect, pulledReply(releasing, effect));
      case 'registered': return answer(effect.to, { kind: 'registered', epoch: this.epoch, session: effect.session, proof: effect.proof });
      case 'drained': return answer(effect.to, { kind: 'drained', epoch: this.epoch, status: effect.status });
      case 'refused': return answer(effect.to, { kind: 'refused', rejection: effect.rejection });
      default: return effect satisfies never;
    }
  }

  private tellJobs(to: Asker, answers: readonly JobAnswer[]): void {
    release({ to }, jobsReply(this.releasing(this.head), answers));
  }

  private releasing(head: Head): Releasing {
    const { bytes, archive } = this.leadership;
    return { bytes, archive, position: { partition: this.partition, seq: head.seq, hash: head.hash, epoch: head.epoch }, unsent: this.unsent };
  }

  /** It has not been handed over, so its time has not begun. */
  private readonly unsent = ({ job, attempt }: LeaseGrant): void => {
    const { core, clock } = this.leadership;
    if (isRunning(job) && job.attempt === attempt) core.sessions.renew(job, clock.monoMs());
  };

  /** Ends. What was decided but never sent is gone with the state, so everybody who waits for it is told so. */
  private lose(lost: Lost): void {
    if (this.ended) return;
    this.ended = lost;
    clearInterval(this.ticking);
    const rejection = lost.kind === 'refused' && lost.why === 'full' ? reject('JOURNAL_FULL', `the journal takes no more: ${lost.message}`) : notLeader;
    // Of a commit in flight only its own end is certain; a state that broke meanwhile says nothing about it.
    if (this.inFlight && lost.kind !== 'ambiguous') refuseAll(this.inFlight.batch, lost.kind === 'refused' ? rejection : unknown);
    for (const batch of this.leadership.core.abandon()) refuseAll(batch, rejection);
    this.waiters.tellAll();
    this.idle?.();
    this.end(lost);
  }
}

const unknown = reject('UNKNOWN', 'the leader ended before the commit was acknowledged');
const notLeader = reject('NOT_LEADER', 'this broker does not lead the partition (any more)');

export function refuseAll(batch: Batch, rejection: Rejection): void {
  for (const effect of batch.effects) if (effect.kind !== 'ended') answer(effect.to, { kind: 'refused', rejection });
}

/** A journal whose connection is gone throws at once; that is one more way of not knowing. */
const append = async (journal: Journal, { bytes, expectedSeq }: Pending): Promise<Appended> => journal.append(bytes, expectedSeq);
