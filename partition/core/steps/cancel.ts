/** CancelJob → JobCancelled, or JobCancelRequested when a worker must be told to stop first. */
import { reject } from '../../../protocols/errors.js';
import { decideCancel } from '../../../actors/job/job.decide.js';
import { isRunning, type Job } from '../../../actors/job/job.js';
import { COMMANDS } from '../commands.js';
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { notice } from '../sessions.js';
import { answerPull } from './answer-pull.js';
import { describe, findJob } from './find.js';

export function cancelJob(core: PartitionCore, { to, target, reason, commandId, by }: Extract<Command, { kind: 'cancel' }>): void {
  const found = findJob(core, target);
  if (found === undefined) return core.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
  const known = commandId === '' ? undefined : core.state.commands.get(commandId);
  const before = known && known.atMs + COMMANDS.ms >= core.nowMs ? known : undefined;
  const jobId = found.kind === 'job' ? found.job.id : found.jobId;
  if (before && (before.type !== 'CancelJob' || before.id !== jobId)) {
    return core.refuse(to, reject('COMMAND_CONFLICT', `commandId ${commandId} was used for a ${before.type} of ${before.id}`));
  }
  if (found.kind === 'archived') return core.effect({ kind: 'jobs', to, answers: [{ kind: 'archived', jobId: found.jobId, duplicate: true, cancel: true }] });
  const event = decideCancel(found.job, reason);
  if (event === 'repeated') return core.effect({ kind: 'jobs', to, answers: [core.answerOf(found.job, true)] });
  if ('code' in event) return core.refuse(to, event);
  core.makeRoom();
  const job = core.emitJob(found.job, event, { commandId, type: 'CancelJob', by });
  core.effect({ kind: 'jobs', to, answers: [core.answerOf(job)] });
  if (isRunning(job)) tellItsWorker(core, job);
}

/** An open pull is the quickest way to the worker; without one, its next pull or heartbeat is told. */
function tellItsWorker(core: PartitionCore, job: Job): void {
  const session = job.session === '' ? undefined : core.sessions.get(job.session);
  if (session?.pull === undefined) return;
  core.sessions.noteStop(job.id);
  answerPull(core, session, { ...notice(), cancel: [core.tokens.of(job)] });
}
