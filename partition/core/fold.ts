/**
 * Folding: one event changes the state and its indexes. The leader folds what it has just decided with the same
 * functions that replay folds the journal with, so the two cannot part.
 */
import type { JobId, WorkerId } from '../../protocols/ids.js';
import { RepriseError } from '../../protocols/errors.js';
import { journal } from '../../protocols/messages.js';
import { jobChart } from '../../actors/job/job.chart.js';
import { applyJob, type Where } from '../../actors/job/job.apply.js';
import type { Job, Policy } from '../../actors/job/job.js';
import { JOB_EVENTS, type JobEvent } from '../../actors/job/job.events.js';
import { applyWorker, WORKER_EVENTS, workerChart, type WorkerEvent } from '../../actors/worker/worker.js';
import type { Chart } from '../../actors/chart.js';
import { decodeEvent } from '../../actors/kind.js';
import type { Indexes } from './indexes.js';
import { beginCommit, keyName, MEMORY, type PartitionState, type Policies } from './state.js';

export interface Folding {
  readonly state: PartitionState;
  readonly indexes: Indexes;
  readonly policies: Policies;
}

/** The part of a cause that the fold remembers. */
export interface Cause {
  readonly commandId: string;
  readonly type: string;
  readonly by: string;
}

/** Folds a commit of the journal. @throws RepriseError FOLD_DIVERGED, JOURNAL_TOO_NEW */
export function foldCommit(folding: Folding, commit: journal.Commit, seq: number): void {
  const { state } = folding;
  beginCommit(state, seq, commit.nowMs);
  state.journalId = commit.journalId as PartitionState['journalId'];
  commit.events.forEach((event, index) => {
    const where = { seq, index, nowMs: commit.nowMs, place: state.submitted };
    foldStored(folding, event as journal.Event, where);
  });
}

function foldStored(folding: Folding, event: journal.Event, where: Where): void {
  const cause: Cause = { commandId: event.cause?.commandId ?? '', type: event.cause?.type ?? '', by: event.cause?.by ?? '' };
  const name = `event ${where.seq}.${where.index}, ${event.kind} ${event.id}`;
  switch (event.kind) {
    case 'job': {
      const id = event.id as JobId;
      foldJob(folding, id, folding.state.jobs.get(id), withSharedPolicy(decodeEvent(JOB_EVENTS, event, name), folding.policies), where, cause);
      return;
    }
    case 'worker':
      foldWorker(folding, event.id as WorkerId, decodeEvent(WORKER_EVENTS, event, name), where.nowMs);
      return;
    case 'partition':
      if (event.type !== 'LeaderStarted') break;
      folding.state.epoch = journal.LeaderStarted.decode(event.body).epoch;
      return;
  }
  throw new RepriseError('JOURNAL_TOO_NEW', `event ${event.kind}/${event.type} at ${where.seq}.${where.index} is unknown to this version`);
}

/** @param job undefined for the first event of one */
export function foldJob(folding: Folding, id: JobId, job: Job | undefined, event: JobEvent, where: Where, cause: Cause): Job {
  const { state, indexes } = folding;
  follow(jobChart, id, job?.status ?? 'absent', event.type, event.body.status, where);
  if (job) indexes.leave(job);
  const changed = applyJob(job, event, id, where);
  indexes.enter(changed);
  if (job === undefined) {
    state.submitted += 1;
    state.jobs.set(id, changed);
    if (changed.totalDueMs > 0) indexes.watchTotal(changed);
    if (changed.key !== '') rememberKey(state, keyName(changed.queue, changed.key), id, event);
  }
  if (cause.commandId !== '' && !state.commands.has(cause.commandId)) {
    state.commands.add(cause.commandId, cause.type, id, event.type === 'JobSubmitted' ? event.body.fingerprint : undefined, where.nowMs);
  }
  if (changed.endedMs > 0) {
    state.ended.push([id, changed.endedMs]);
    if (changed.key !== '') retireKey(state, keyName(changed.queue, changed.key), changed.endedMs);
  }
  return changed;
}

export function foldWorker(folding: Folding, id: WorkerId, event: WorkerEvent, nowMs: number): void {
  const { workers } = folding.state;
  const worker = workers.get(id);
  follow(workerChart, id, worker?.status ?? 'absent', event.type, event.body.status, { seq: folding.state.seq, index: -1 });
  const changed = applyWorker(worker, { ...event, id, nowMs });
  if (changed.status === 'gone') workers.delete(id);
  else workers.set(id, changed);
}

function follow(chart: Chart, id: string, from: string, event: string, to: string, where: { seq: number; index: number }): void {
  const leads = chart.next(from, event);
  if (leads === to) return;
  throw new RepriseError(
    'FOLD_DIVERGED',
    `${id}: ${event} at ${where.seq}.${where.index} names status ${to}, but from ${from} the chart leads to ${leads ?? 'nowhere'}`,
  );
}

function rememberKey(state: PartitionState, name: string, jobId: JobId, event: JobEvent): void {
  state.pastKeys.delete(name);
  state.keys.set(name, { jobId, fingerprint: fingerprintOf(event), untilMs: 0 });
}

function retireKey(state: PartitionState, name: string, endedMs: number): void {
  const entry = state.keys.get(name);
  if (entry === undefined) return;
  state.keys.delete(name);
  state.pastKeys.set(name, { ...entry, untilMs: endedMs + MEMORY.keyMs });
}

/** Of an event just decoded, whose body is ours to change; a copy would lose the defaults that its prototype holds. */
export function withSharedPolicy(event: JobEvent, policies: Policies): JobEvent {
  if (event.type === 'JobSubmitted') (event.body as { policy: Policy }).policy = policies.decoded(event.body.policy);
  return event;
}

function fingerprintOf(event: JobEvent): string {
  return event.type === 'JobSubmitted' ? Buffer.from(event.body.fingerprint ?? []).toString('hex') : '';
}
