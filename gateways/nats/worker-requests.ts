/** Requests of workers, decoded from either form and held to the limits. */
import type { Outcome } from '../../actors/job/job.decide.js';
import type { Failure } from '../../actors/job/job.js';
import type { RejectedInput, Report } from '../../actors/inputs.js';
import type { RegisterWorker } from '../../actors/worker/worker.js';
import type { Identity } from '../../protocols/proofs.js';
import { parsePartition, partitionOfJob, parseToken, type Partition, type Token } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { worker } from '../../protocols/messages.js';
import { wellFormed } from '../../protocols/utf8.js';
import { atMost, Invalid, jobType, payload, queueName, text, tokenOf, tokenParts, validated, whole, within } from '../../protocols/bounds.js';
import { contentType } from './job-requests.js';

/** @param identity of the session that the worker proved, or that was drawn for it */
export function registerRequest(message: worker.RegisterWorker, identity: Identity): RegisterWorker {
  if (message.types.length === 0) throw new Invalid('INVALID_ARGUMENT', 'types must name at least one job type');
  return {
    workerId: identity.workerId,
    session: identity.session,
    types: [...new Set(atMost('types', message.types, LIMITS.typesPerWorker).map(jobType))],
    queues: [...new Set(atMost('queues', message.queues, LIMITS.queuesPerWorker).map(queueName))],
    capacity: whole('capacity', message.capacity, 1, LIMITS.free),
    software: text('software', message.software, 128),
  };
}

export function partitionIn(value: number, partitions: number): Partition {
  const partition = parsePartition(value);
  if (partition === undefined || value >= partitions) throw new Invalid('WRONG_PARTITION', `partition ${value} does not exist; there are ${partitions}`);
  return partition;
}

export function tokens(name: string, list: readonly string[], partition: Partition, most: number): Token[] {
  return atMost(name, list, most).map((each) => ofPartition(tokenOf(each), partition));
}

function ofPartition(token: Token, partition: Partition): Token {
  if (partitionOfJob(parseToken(token)!.jobId) === partition) return token;
  throw new Invalid('WRONG_PARTITION', `token ${token} is not of partition ${partition}`);
}

/** Each report is checked by itself: one that cannot be taken is told so, the others count. */
export function reports(list: readonly worker.Report.$Properties[], partition: Partition): (Report | RejectedInput)[] {
  return atMost('reports', list, LIMITS.pullReports).map((each) => {
    const message = each as worker.Report;
    const report = validated((): Report => {
      const parts = tokenParts(message.token);
      if (partitionOfJob(parts.jobId) !== partition) throw new Invalid('WRONG_PARTITION', `token ${message.token} is not of partition ${partition}`);
      return { token: message.token as Token, ...parts, outcome: outcome(message) };
    });
    return 'code' in report ? { token: message.token.slice(0, 64), rejection: report } : report;
  });
}

function outcome(message: worker.Report): Outcome {
  switch (message.outcome) {
    case 'ok':
      return { kind: 'ok', result: payload('result', message.result), contentType: contentType(message.contentType) };
    case 'retry': {
      const afterMs = message.retryAfterMs ?? undefined;
      return { kind: 'retry', failure: failure(message), afterMs: afterMs === undefined ? undefined : whole('retryAfterMs', afterMs, 0, LIMITS.delayMs) };
    }
    case 'fail':
      return { kind: 'fail', failure: failure(message) };
    case 'cancelled':
      return { kind: 'cancelled' };
    default:
      throw new Invalid('INVALID_ARGUMENT', `outcome must be ok, retry, fail or cancelled, not ${JSON.stringify(message.outcome.slice(0, 32))}`);
  }
}

/** Messages and stacks are free text of somebody else's code: made to fit rather than refused. */
function failure({ failure: given }: worker.Report): Failure {
  const code = text('failure.code', given?.code || 'PERFORMER_ERROR', 128);
  const message = cut(given?.message ?? '', LIMITS.failureMessageBytes);
  return given?.stack ? { code, message, stack: cut(given.stack, LIMITS.failureStackBytes) } : { code, message };
}

/** Half of a surrogate pair has no UTF-8 form, and a cut may make one. */
const cut = (value: string, most: number): string => wellFormed(value.length > most ? `${value.slice(0, most)}…` : value);

export function progress(list: readonly worker.Progress.$Properties[]): { token: Token; fraction: number; message: string }[] {
  return atMost('progress', list, LIMITS.free).map((each) => ({
    token: tokenOf(each.token ?? ''), fraction: within('progress.fraction', each.fraction ?? 0, 0, 1), message: text('progress.message', each.message ?? '', LIMITS.reasonBytes),
  }));
}
