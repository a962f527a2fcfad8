/** SubmitJob → JobSubmitted (and JobDelayed), unless its key or command id was seen before. */
import { createHash } from 'node:crypto';
import { reject, type Rejection } from '../../../protocols/errors.js';
import type { JobId } from '../../../protocols/ids.js';
import { decideSubmit, type SubmitJob } from '../../../actors/job/job.decide.js';
import type { JobAnswer } from '../effects.js';
import type { Command } from '../inputs.js';
import type { PartitionCore } from '../core.js';
import { COMMANDS } from '../commands.js';
import { keyName, MEMORY } from '../state.js';

type Submit = Extract<Command, { kind: 'submit' }>;

export function submitJobs(core: PartitionCore, command: Submit): void {
  if (core.overloaded) return core.refuse(command.to, reject('OVERLOADED', 'too many events wait for the journal'));
  const answers: JobAnswer[] = [];
  const cause = { commandId: '', type: 'SubmitJob', by: command.by };
  for (const entry of command.jobs) {
    answers.push('code' in entry ? { kind: 'refused', rejection: entry } : submitJob(core, entry.id, entry.job, cause));
  }
  if (command.waitMs === undefined) core.effect({ kind: 'jobs', to: command.to, answers });
  else core.effect({ kind: 'wait', to: command.to, answers, waitMs: command.waitMs });
}

function submitJob(core: PartitionCore, id: JobId, job: SubmitJob, sharedCause: { commandId: string; type: string; by: string }): JobAnswer {
  const repeatable = job.key !== '' || job.commandId !== '';
  const fingerprint = repeatable ? fingerprintOf(job) : undefined;
  if (fingerprint) {
    const before = seenBefore(core, job, Buffer.from(fingerprint).toString('hex'));
    if (before) return before;
  }
  core.makeRoom(job.payload.length + labelBytes(job));
  const cause = job.commandId === '' ? sharedCause : { ...sharedCause, commandId: job.commandId };
  const [submitted, delayed] = decideSubmit(job, fingerprint, core.nowMs, core.policies.shared(job.policy));
  const made = core.emitJob(id, submitted!, cause);
  return core.answerOf(delayed ? core.emitJob(made, delayed, cause) : made);
}

/** The command id is asked first: it names this very request, the key only what the request is about. */
function seenBefore(core: PartitionCore, job: SubmitJob, fingerprint: string): JobAnswer | undefined {
  const { state } = core;
  const command = job.commandId === '' ? undefined : state.commands.get(job.commandId);
  if (command && command.atMs + COMMANDS.ms >= core.nowMs) {
    if (command.type !== 'SubmitJob' || command.fingerprint !== fingerprint) {
      return refused(reject('COMMAND_CONFLICT', `commandId ${job.commandId} was used for another ${command.type}`));
    }
    return duplicate(core, command.id as JobId);
  }
  if (job.key === '') return undefined;
  const name = keyName(job.queue, job.key);
  const past = state.pastKeys.get(name);
  const entry = state.keys.get(name) ?? (past && past.untilMs >= core.nowMs ? past : undefined);
  if (entry) {
    if (entry.fingerprint !== fingerprint) return refused(reject('KEY_CONFLICT', `key ${job.key} is taken by ${entry.jobId}, which has another type or payload`));
    return duplicate(core, entry.jobId);
  }
  return state.keys.size >= MEMORY.keys ? refused(reject('KEYS_EXHAUSTED', `the partition remembers ${MEMORY.keys} keys`)) : undefined;
}

function duplicate(core: PartitionCore, jobId: JobId): JobAnswer {
  const job = core.state.jobs.get(jobId);
  return job ? core.answerOf(job, true) : { kind: 'archived', jobId, duplicate: true };
}

const refused = (rejection: Rejection): JobAnswer => ({ kind: 'refused', rejection });

function fingerprintOf(job: SubmitJob): Uint8Array {
  return createHash('sha256').update(`${job.type}\n${job.contentType}\n`).update(job.payload).digest();
}

function labelBytes(job: SubmitJob): number {
  return job.labels ? JSON.stringify(job.labels).length : 0;
}
