/**
 * The core of a partition: it decides commands one after another, folds what it decided at once, and gathers it in
 * batches. It does no I/O and knows no clock; a broker, a test and a simulator drive it alike.
 */
import type { JobId, Partition, WorkerId } from '../../protocols/ids.js';
import type { Rejection } from '../../protocols/errors.js';
import type { Keyring } from '../../protocols/keyring.js';
import type { journal } from '../../protocols/messages.js';
import { LIMITS } from '../../protocols/limits.js';
import { JOB_EVENTS, type JobEvent } from '../../actors/job/job.events.js';
import { isRunning, type Job } from '../../actors/job/job.js';
import { WORKER_EVENTS, type WorkerEvent } from '../../actors/worker/worker.js';
import { Batch, EventWriter } from './batch.js';
import { answerOf, type Asker, type Effect, type JobAnswer } from './effects.js';
import { foldCommit, foldJob, foldWorker, type Cause, type Folding } from './fold.js';
import { Indexes } from './indexes.js';
import type { Input, Moment } from './inputs.js';
import { Sessions, WorkerSession } from './sessions.js';
import { beginCommit, newState, Policies, type PartitionState } from './state.js';
import { Tokens } from './tokens.js';
import { awaitJob } from './steps/await.js';
import { cancelJob } from './steps/cancel.js';
import { getJob } from './steps/get.js';
import { heartbeat } from './steps/heartbeat.js';
import { offerJobs } from './steps/offer.js';
import { pull } from './steps/pull.js';
import { drainWorker, registerWorker } from './steps/register.js';
import { reportAttempts } from './steps/report.js';
import { submitJobs } from './steps/submit.js';
import { tick } from './steps/tick.js';

/** Events that may wait for the journal before submits are refused; reports and cancels never are. */
const MOST_PENDING_EVENTS = 20_000;
/** After a change of leader workers register again when their next pull is refused, which is at most one pull away. */
const WORKERS_KNOWN_MS = LIMITS.pullExpiresMs + 1_000;

export class PartitionCore implements Folding {
  readonly state: PartitionState;
  readonly indexes = new Indexes();
  readonly policies = new Policies();
  readonly sessions = new Sessions();
  readonly tokens: Tokens;
  /** Of the batch that has events and is open; there is one at most. */
  private readonly writer = new EventWriter();
  moment: Moment = { nowMs: 0, monoMs: 0, draw: 0, salts: this.writer.salts };
  private readonly sealed: Batch[] = [];
  private open: Batch | undefined;
  private pendingEvents = 0;
  /** From when on it is known which workers there are, on the monotonic clock. */
  private workersKnownMonoMs = Infinity;

  constructor(
    partition: Partition,
    /** Signs tokens of leases. */
    keyring: Keyring,
    /** Of a commit: 512 KiB, or less where the server's max_payload is less. */
    private readonly maxCommitBytes: number = LIMITS.commitBytes,
  ) {
    this.state = newState(partition);
    this.tokens = new Tokens(keyring);
  }

  /** Folds a commit that lies in the journal. */
  replay(commit: journal.Commit, seq: number): void {
    foldCommit(this, commit, seq);
  }

  /** Leadership begins: workers that the journal knows may pull at once. */
  lead(monoMs: number): void {
    this.workersKnownMonoMs = monoMs + WORKERS_KNOWN_MS;
    for (const { id, session, types, queues, status } of this.state.workers.values()) {
      const known = new WorkerSession(id, session, types, queues);
      known.heardMonoMs = monoMs;
      known.draining = status === 'draining';
      this.sessions.add(known);
    }
  }

  step(input: Input, moment: Moment): void {
    this.moment = moment;
    this.writer.salts = moment.salts;
    switch (input.kind) {
      case 'submit': return submitJobs(this, input);
      case 'pull': return pull(this, input);
      case 'report': return reportAttempts(this, input);
      case 'heartbeat': return heartbeat(this, input);
      case 'get': return getJob(this, input);
      case 'await': return awaitJob(this, input);
      case 'cancel': return cancelJob(this, input);
      case 'register': return registerWorker(this, input);
      case 'drain': return drainWorker(this, input);
      case 'tick': return tick(this);
      default: return input satisfies never;
    }
  }

  /** The next batch to be written, after ready jobs were offered to waiting pulls; undefined when there is nothing. */
  take(): Batch | undefined {
    if (this.sealed.length === 0) {
      offerJobs(this);
      this.seal();
    }
    const batch = this.sealed.shift();
    if (batch) this.pendingEvents -= batch.events.length;
    return batch;
  }

  /** Everything that was decided and not taken: the state is about to be thrown away, so nothing more is decided. */
  abandon(): Batch[] {
    return [...this.sealed.splice(0), ...(this.open ? [this.open] : [])];
  }

  get overloaded(): boolean {
    return this.pendingEvents > MOST_PENDING_EVENTS;
  }

  /** The time that a decision made now will be recorded with. */
  get nowMs(): number {
    return this.open?.events.length ? this.open.nowMs : Math.max(this.state.nowMs, this.moment.nowMs);
  }

  /** A job as a reply tells of it now. */
  answerOf(job: Readonly<Job>, duplicate = false): JobAnswer & { kind: 'job' } {
    return answerOf(job, duplicate, this.lacksWorker(job));
  }

  /** Whether a job is ready and no worker that is registered now can do it. */
  lacksWorker(job: Readonly<Job>): boolean {
    return job.status === 'ready' && this.moment.monoMs >= this.workersKnownMonoMs && !this.sessions.canServe(this.indexes.lines.lineOf(job));
  }

  effect(effect: Effect): void {
    (this.open ??= this.newBatch()).effects.push(effect);
  }

  refuse(to: Asker, rejection: Rejection): void {
    this.effect({ kind: 'refused', to, rejection });
  }

  /** Makes sure that the next decision, with `bytes` of payload, lies in one commit as a whole. */
  makeRoom(bytes = 0): void {
    if (this.open?.hasRoom(bytes) === false) this.seal();
  }

  /** @param of the job, or the id of one to be */
  emitJob(of: Job | JobId, event: JobEvent, cause: Cause): Job {
    const batch = this.batchForEvent();
    const index = batch.events.length;
    const [id, before] = typeof of === 'string' ? [of, undefined] : [of.id, of];
    const job = foldJob(this, id, before, event, { seq: batch.seq, index, nowMs: batch.nowMs, place: this.state.submitted }, cause);
    batch.add('job', id, event.type, cause, JOB_EVENTS[event.type], event.body);
    if (!isRunning(job)) this.sessions.forget(id);
    if (job.endedMs > 0) batch.effects.push({ kind: 'ended', job });
    this.pendingEvents += 1;
    return job;
  }

  emitWorker(id: WorkerId, event: WorkerEvent, cause: Cause): void {
    const batch = this.batchForEvent();
    foldWorker(this, id, event, batch.nowMs);
    batch.add('worker', id, event.type, cause, WORKER_EVENTS[event.type], event.body);
    this.pendingEvents += 1;
  }

  /** A batch gets its sequence and its time with its first event: until then it is only words. */
  private batchForEvent(): Batch {
    const open = (this.open ??= this.newBatch());
    if (open.events.length > 0) return open;
    const begun = new Batch(this.state.seq + 1, Math.max(this.state.nowMs, this.moment.nowMs), this.maxCommitBytes, this.writer);
    begun.effects.push(...open.effects);
    beginCommit(this.state, begun.seq, begun.nowMs);
    this.open = begun;
    return begun;
  }

  private newBatch(): Batch {
    return new Batch(this.state.seq, this.state.nowMs, this.maxCommitBytes, this.writer);
  }

  private seal(): void {
    if (this.open === undefined) return;
    this.open.close();
    this.sealed.push(this.open);
    this.open = undefined;
  }
}
