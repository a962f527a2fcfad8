/** From a decoded request to the commands of partitions: which ones it goes to, and what each is asked. */
import { randomFillSync } from 'node:crypto';
import type { Command, Target } from '../../actors/inputs.js';
import type { Asker } from '../../actors/reply.js';
import { jobId, partitionOfJob, partitionOfQueue, type JobId, type Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { job, worker } from '../../protocols/messages.js';
import type { Identity } from '../../protocols/proofs.js';
import { text, whole } from '../../protocols/bounds.js';
import { submitRequest, target, waitMs, type SubmitRequest } from './job-requests.js';
import { partitionIn, progress, registerRequest, reports, tokens } from './worker-requests.js';

const CLIENT = 'client';

export function targetPartition(of: Target, partitions: number): Partition {
  const partition = 'jobId' in of ? partitionOfJob(of.jobId) : partitionOfQueue(of.queue, partitions);
  return partitionIn(partition, partitions);
}

export function getCommand(message: job.GetJob, to: Asker): Command & { kind: 'get' } {
  return { kind: 'get', to, target: target(message) };
}

export function awaitCommand(message: job.AwaitJob, to: Asker): Command & { kind: 'await' } {
  return { kind: 'await', to, target: target(message), waitMs: waitMs(message.waitMs) };
}

export function cancelCommand(message: job.CancelJob, to: Asker): Command & { kind: 'cancel' } {
  return {
    kind: 'cancel', to, target: target(message), reason: text('reason', message.reason, LIMITS.reasonBytes),
    commandId: text('commandId', message.commandId, LIMITS.commandIdBytes), by: CLIENT,
  };
}

export function registerCommand(message: worker.RegisterWorker, identity: Identity, to: Asker): Command {
  return { kind: 'register', to, worker: registerRequest(message, identity), proof: identity.proof };
}

export function drainCommand(message: worker.DrainWorker, { workerId, session }: Identity, to: Asker): Command {
  return { kind: 'drain', to, workerId, session, gone: message.gone };
}

export function pullCommand(message: worker.Pull, { workerId, session }: Identity, to: Asker, partition: Partition): Command {
  return {
    kind: 'pull', to, workerId, session,
    pullSeq: whole('pullSeq', message.pullSeq, 1, Number.MAX_SAFE_INTEGER), free: whole('free', message.free, 0, LIMITS.free),
    expiresMs: whole('expiresMs', message.expiresMs, 0, LIMITS.pullExpiresMs),
    held: tokens('held', message.held, partition, LIMITS.free), reports: reports(message.reports, partition),
  };
}

export function reportCommand(message: worker.ReportAttempts, { workerId, session }: Identity, to: Asker, partition: Partition): Command {
  return { kind: 'report', to, workerId, session, reports: reports(message.reports, partition) };
}

export function heartbeatCommand(message: worker.Heartbeat, { workerId, session }: Identity, to: Asker, partition: Partition): Command {
  return {
    kind: 'heartbeat', to, workerId, session,
    tokens: tokens('tokens', message.tokens, partition, LIMITS.free), progress: progress(message.progress),
  };
}

/** The jobs of a submit by partition, each with its place in the request. Those that were refused go nowhere. */
export function submitParts(message: job.SubmitJobs, partitions: number): { request: SubmitRequest; parts: ReadonlyMap<Partition, readonly number[]> } {
  const request = submitRequest(message);
  const parts = new Map<Partition, number[]>();
  request.jobs.forEach((each, nth) => {
    if ('code' in each) return;
    const partition = partitionOfQueue(each.queue, partitions);
    const part = parts.get(partition);
    if (part) part.push(nth);
    else parts.set(partition, [nth]);
  });
  return { request, parts };
}

export function submitCommand(request: SubmitRequest, nths: readonly number[] | undefined, to: Asker, partition: Partition): Command {
  const chosen = nths === undefined ? request.jobs : nths.map((nth) => request.jobs[nth]!);
  return {
    kind: 'submit', to, by: CLIENT, waitMs: request.waitMs,
    jobs: chosen.map((each) => ('code' in each ? each : { id: drawJobId(partition), job: each })),
  };
}

const POOL_BYTES = 10 * 400;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** Random bytes are drawn by the pool: one call to the generator for 400 ids. */
function drawJobId(partition: Partition): JobId {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const id = jobId(partition, pool, used);
  used += 10;
  return id;
}

