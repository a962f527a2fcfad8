/** Decides again what an event of a job records: with the functions that decided it, from what the journal says. */
import type { Rejection } from '../../protocols/errors.js';
import type { job as messages } from '../../protocols/messages.js';
import { decidedAgain, type Again, type Recorded } from '../recorded.js';
import type { Job } from './job.js';
import {
  decideCancel, decideDelay, decideDiscard, decideDue, decideGiveUp, decideLease, decideReclaim, decideReport,
  decideReprioritize, decideRetry, decideSubmit, decideUnworkable,
  type Chance, type Outcome,
} from './job.decide.js';
import type { JobBodies, JobEvent } from './job.events.js';
import { commandOf } from './job.submit.js';
import { readTaken, SILENT, TIMED_OUT } from './taken.js';

type AttemptEnded = Extract<JobEvent, { type: 'JobRetryScheduled' | 'JobFailed' | 'JobCancelled' }>;
type Decided = JobEvent | Rejection | 'repeated' | undefined;

/** The recorded random number. `isMissing` if a rule needs one and none is recorded. */
class RecordedChance implements Chance {
  isMissing = false;

  constructor(
    readonly nowMs: number,
    private readonly drawn: number | undefined,
  ) {}

  get draw(): number {
    if (this.drawn === undefined) this.isMissing = true;
    return this.drawn ?? 0;
  }
}

/** How many failed jobs of its queue are kept is a setting of that, which the event says. */
export function decideJobAgain(job: Readonly<Job> | undefined, recorded: Recorded<JobEvent>): Again<JobEvent> {
  const again = decide(job, recorded);
  if (again.kind !== 'decided' || again.event.type !== 'JobFailed' || recorded.event.type !== 'JobFailed') return again;
  const { kept } = recorded.event.body;
  return decidedAgain<JobEvent>({ ...again.event, body: { ...again.event.body, kept: kept ?? 0 } });
}

function decide(job: Readonly<Job> | undefined, recorded: Recorded<JobEvent>): Again<JobEvent> {
  const { event, nowMs, taken } = recorded;
  if (event.type === 'JobSubmitted') {
    const command = commandOf(event.body, recorded.cause.commandId, nowMs);
    return decidedAgain(decideSubmit(command, event.body.fingerprint, nowMs)[0]);
  }
  // All of a job that had left the state was read from outside, and is in the event.
  if (job === undefined && event.type === 'JobRetried') return decidedAgain<JobEvent>(event);
  if (job === undefined) return { kind: 'undecided', why: 'the job does not exist' };
  const chance = new RecordedChance(nowMs, taken?.draw);
  switch (event.type) {
    case 'JobDelayed':
      return decidedAgain(decideDelay({ delayMs: 0, runAtMs: event.body.dueMs }, nowMs));
    case 'JobBecameReady':
    case 'JobExpired':
      return cameTo(decideDue(job, chance), chance);
    case 'JobLeased':
      return leaseAgain(job, event.body, nowMs);
    case 'JobCompleted': {
      const { attempt, lease, result, contentType } = event.body;
      return cameTo(decideReport(job, attempt, lease, { kind: 'ok', result, contentType }, chance), chance);
    }
    case 'JobReturned': {
      const { attempt, lease } = event.body;
      return cameTo(decideReport(job, attempt, lease, { kind: 'returned' }, chance), chance);
    }
    case 'JobUnworkable':
      return decidedAgain(decideUnworkable(job, event.body.failure.message));
    case 'JobReclaimed':
      return cameTo(decideReclaim(job, chance), chance);
    case 'JobCancelRequested':
      return cameTo(decideCancel(job, event.body.reason), chance);
    case 'JobCancelled':
      if (job.status !== 'running') return cameTo(decideCancel(job, event.body.failure.message), chance);
      return endAgain(job, event, readTaken(taken), chance);
    case 'JobFailed':
      if (recorded.cause.type === 'RepairActor') return decidedAgain(decideGiveUp(job, event.body.failure.message));
      return endAgain(job, event, readTaken(taken), chance);
    case 'JobRetryScheduled':
      return endAgain(job, event, readTaken(taken), chance);
    case 'JobRetried': {
      const { stored, payload, contentType, fingerprint } = event.body;
      const edited = stored ? undefined : { bytes: payload, contentType };
      return cameTo(decideRetry(job, { payload: edited, fingerprint }, nowMs), chance);
    }
    case 'JobReprioritized':
      return cameTo(decideReprioritize(job, event.body.priority), chance);
    case 'JobDiscarded':
      return cameTo(decideDiscard(job, event.body.failure.message), chance);
    default:
      return event satisfies never;
  }
}

function cameTo(decided: Decided, chance: RecordedChance): Again<JobEvent> {
  if (chance.isMissing) return { kind: 'unrecorded', missing: 'the number drawn' };
  if (decided === 'repeated') return { kind: 'undecided', why: 'it was done before' };
  if (decided !== undefined && 'code' in decided) return { kind: 'undecided', why: decided.message };
  return decidedAgain(decided);
}

function leaseAgain(job: Readonly<Job>, body: JobBodies['JobLeased'], nowMs: number): Again<JobEvent> {
  const { workerId, session, pullSeq, capabilities, buckets, share } = body;
  return decidedAgain(decideLease(job, { workerId, session, pullSeq, capabilities }, nowMs, { buckets, share }));
}

function endAgain(
  job: Readonly<Job>, event: AttemptEnded, input: messages.DecisionInput, chance: RecordedChance,
): Again<JobEvent> {
  if (input.ended === SILENT) return cameTo(decideReclaim(job, chance), chance);
  if (input.ended === TIMED_OUT) return cameTo(decideDue(job, chance), chance);
  const outcome = outcomeOf(event, input);
  if (outcome === undefined) return { kind: 'unrecorded', missing: 'how the attempt ended' };
  const lease = event.type === 'JobCancelled' ? job.lease : event.body.lease;
  return cameTo(decideReport(job, event.body.attempt, lease, outcome, chance), chance);
}

function outcomeOf({ type, body }: AttemptEnded, input: messages.DecisionInput): Outcome | undefined {
  // The text of a failure that gave way to a cancel is not kept.
  const failure = type === 'JobCancelled' ? { code: input.failureCode, message: '' } : body.failure;
  switch (input.ended) {
    case 'retry': {
      const slows = type === 'JobRetryScheduled' ? body.slowed?.scope : undefined;
      return { kind: 'retry', failure, afterMs: input.retryAfterMs ?? undefined, slows };
    }
    case 'fail': return { kind: 'fail', failure };
    case 'cancelled': return { kind: 'cancelled' };
    case 'returned': return { kind: 'returned' };
    default: return undefined;
  }
}
