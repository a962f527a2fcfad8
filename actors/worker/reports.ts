/** Checks the lists in the requests of workers: tokens, and reports of finished attempts. */
import { z } from 'zod';
import { atMost, Invalid, payload, text, tokenOf, tokenParts, validated, whole } from '../../protocols/bounds.js';
import type { Rejection } from '../../protocols/errors.js';
import {
  parsePartition, parseToken, partitionOfJob,
  type Partition, type Session, type Token, type TokenParts, type WorkerId,
} from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { worker } from '../../protocols/messages.js';
import { bounded } from '../../protocols/utf8.js';
import { identityIn, type Context, type ToOne } from '../command.js';
import { contentFrom } from '../content-json.js';
import { contentShape, count, optionalText } from '../shapes.js';
import type { Outcome } from '../job/job.decide.js';
import { SLOW_SCOPES, type SlowScope } from '../job/slowed.js';
import { checkContentType } from '../job/job.submit.js';
import type { Failure } from '../job/job.js';

/** A report, with its token taken apart. */
export interface Report extends TokenParts {
  readonly token: Token;
  readonly outcome: Outcome;
  /** Of a retry: whose other jobs wait as long. */
  readonly scope?: SlowScope | undefined;
}

/** One report of several that is invalid. The others count. */
export interface RejectedReport {
  readonly token: string;
  readonly rejection: Rejection;
}

export const reportShape = z.strictObject({
  token: z.string(), outcome: z.string(), ...contentShape('result'), retryAfterMs: count.optional(),
  scope: optionalText,
  failure: z.strictObject({ code: optionalText, message: optionalText, stack: optionalText }).optional(),
});

export type JsonReport = Readonly<Record<string, unknown>>;

export function reportFromJson(given: JsonReport): worker.Report {
  const { result: _, resultBase64: __, ...rest } = given;
  const { bytes, contentType } = contentFrom('result', given);
  const message = worker.Report.create(rest as worker.Report.$Properties) as worker.Report;
  if (message.outcome === 'ok') message.result = bytes;
  if (contentType !== undefined) message.contentType = contentType;
  return message;
}

/** A request of a proved session to a partition that it names. */
export interface FromSession {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly partition: Partition;
}

export interface Reports extends FromSession {
  readonly reports: readonly (Report | RejectedReport)[];
}

export const TO_STATED: ToOne<FromSession> = { to: 'one', partitionOf: ({ partition }) => partition };

/** @throws Invalid WRONG_PARTITION */
export function checkSession(message: { readonly partition: number }, context: Context): FromSession {
  const { workerId, session } = identityIn(context);
  return { workerId, session, partition: checkPartition(message.partition, context.partitions) };
}

function checkPartition(value: number, partitions: number): Partition {
  const partition = parsePartition(value);
  if (partition === undefined || value >= partitions) {
    throw new Invalid('WRONG_PARTITION', `partition ${value} does not exist; there are ${partitions}`);
  }
  return partition;
}

export function checkTokens(name: string, list: readonly string[], partition: Partition): Token[] {
  return atMost(name, list, LIMITS.free).map((each) => {
    const token = tokenOf(each);
    if (partitionOfJob(parseToken(token)!.jobId) !== partition) throw ofAnother(token, partition);
    return token;
  });
}

const ofAnother = (token: string, partition: Partition): Invalid =>
  new Invalid('WRONG_PARTITION', `token ${token} is not of partition ${partition}`);

/** Each report is checked separately: an invalid one is rejected in the reply, and the others count. */
export function checkReports(
  list: readonly worker.Report.$Properties[], partition: Partition,
): (Report | RejectedReport)[] {
  return atMost('reports', list, LIMITS.pullReports).map((each) => {
    const message = each as worker.Report;
    const report = validated((): Report => {
      const parts = tokenParts(message.token);
      if (partitionOfJob(parts.jobId) !== partition) throw ofAnother(message.token, partition);
      return { token: message.token as Token, ...parts, outcome: outcome(message), scope: scopeOf(message) };
    });
    return 'code' in report ? { token: message.token.slice(0, 64), rejection: report } : report;
  });
}

function scopeOf({ scope, retryAfterMs }: worker.Report): SlowScope | undefined {
  if (!scope) return undefined;
  const found = SLOW_SCOPES.find((each) => each === scope);
  const rule = `scope must be ${SLOW_SCOPES.join(', ')}`;
  if (found === undefined) throw new Invalid('INVALID_ARGUMENT', `${rule}, not ${JSON.stringify(scope.slice(0, 32))}`);
  if (typeof retryAfterMs === 'number') return found;
  throw new Invalid('INVALID_ARGUMENT', 'scope needs retryAfterMs');
}

function outcome(message: worker.Report): Outcome {
  switch (message.outcome) {
    case 'ok': {
      const result = payload('result', message.result);
      return { kind: 'ok', result, contentType: checkContentType(message.contentType) };
    }
    case 'retry': {
      const afterMs = message.retryAfterMs ?? undefined;
      const checkedMs = afterMs === undefined ? undefined : whole('retryAfterMs', afterMs, 0, LIMITS.delayMs);
      return { kind: 'retry', failure: failure(message), afterMs: checkedMs };
    }
    case 'fail':
      return { kind: 'fail', failure: failure(message) };
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'returned':
      return { kind: 'returned' };
    default: {
      const given = JSON.stringify(message.outcome.slice(0, 32));
      throw new Invalid('INVALID_ARGUMENT', `outcome must be ok, retry, fail, cancelled or returned, not ${given}`);
    }
  }
}

/** Messages and stacks are free text of the performer's code, so they are truncated rather than refused. */
function failure({ failure: given }: worker.Report): Failure {
  const code = text('failure.code', given?.code || 'PERFORMER_ERROR', LIMITS.failureCodeBytes);
  const message = bounded(given?.message ?? '', LIMITS.failureMessageBytes);
  return given?.stack ? { code, message, stack: bounded(given.stack, LIMITS.failureStackBytes) } : { code, message };
}
