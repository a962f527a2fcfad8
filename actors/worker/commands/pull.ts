/** worker.pull: finished attempts in, leases out. */
import { z } from 'zod';
import { whole } from '../../../protocols/bounds.js';
import type { Partition, Session, Token, WorkerId } from '../../../protocols/ids.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import { identityIn, type Command } from '../../command.js';
import { count, texts } from '../../shapes.js';
import { partitionShape, pullReplyJson, sessionShape } from '../pull-reply.js';
import {
  checkPartition, checkReports, checkTokens, reportFromJson, reportShape, TO_STATED,
  type JsonReport, type RejectedReport, type Report,
} from '../reports.js';

export interface Pull {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly partition: Partition;
  readonly pullSeq: number;
  readonly free: number;
  readonly expiresMs: number;
  readonly held: readonly Token[];
  readonly reports: readonly (Report | RejectedReport)[];
}

export const pull = {
  noun: 'worker',
  verb: 'pull',
  does: 'finished attempts in, leases out',
  request: worker.Pull,
  reply: worker.PullReply,
  json: z.strictObject({
    ...sessionShape, ...partitionShape, pullSeq: count, free: count, expiresMs: count, held: texts.optional(),
    reports: z.array(reportShape).optional(),
  }),
  opaque: new Set(['result']),
  session: 'proved',
  codes: ['SESSION_UNPROVED', 'UNKNOWN_WORKER'],
  routing: TO_STATED,
  fromJson(given: { reports?: JsonReport[] }) {
    return worker.Pull.create({ ...given, reports: (given.reports ?? []).map(reportFromJson) }) as worker.Pull;
  },
  check(message, context) {
    const { workerId, session } = identityIn(context);
    const partition = checkPartition(message.partition, context.partitions);
    return {
      workerId, session, partition,
      pullSeq: whole('pullSeq', message.pullSeq, 1, Number.MAX_SAFE_INTEGER),
      free: whole('free', message.free, 0, LIMITS.free),
      expiresMs: whole('expiresMs', message.expiresMs, 0, LIMITS.pullExpiresMs),
      held: checkTokens('held', message.held, partition),
      reports: checkReports(message.reports, partition),
    };
  },
  holdMs: ({ expiresMs }) => expiresMs,
  toJson: pullReplyJson,
} as const satisfies Command<worker.Pull, Pull>;
