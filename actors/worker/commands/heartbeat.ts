/** worker.heartbeat: renews leases, and brings back what must stop. */
import { z } from 'zod';
import { atMost, text, tokenOf, within } from '../../../protocols/bounds.js';
import type { Partition, Session, Token, WorkerId } from '../../../protocols/ids.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import { identityIn, type Command } from '../../command.js';
import { optionalText, texts } from '../../shapes.js';
import { partitionShape, pullReplyJson, sessionShape } from '../pull-reply.js';
import { checkPartition, checkTokens, TO_STATED } from '../reports.js';

export interface Heartbeat {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly partition: Partition;
  readonly tokens: readonly Token[];
  readonly progress: readonly Progress[];
}

export interface Progress {
  readonly token: Token;
  readonly fraction: number;
  readonly message: string;
}

const progressShape = z.strictObject({ token: z.string(), fraction: z.number(), message: optionalText });

export const heartbeat = {
  noun: 'worker',
  verb: 'heartbeat',
  does: 'renews leases, brings cancels',
  request: worker.Heartbeat,
  reply: worker.PullReply,
  json: z.strictObject({
    ...sessionShape, ...partitionShape, tokens: texts, progress: z.array(progressShape).optional(),
  }),
  session: 'proved',
  codes: ['SESSION_UNPROVED'],
  routing: TO_STATED,
  check(message, context) {
    const { workerId, session } = identityIn(context);
    const partition = checkPartition(message.partition, context.partitions);
    return {
      workerId, session, partition,
      tokens: checkTokens('tokens', message.tokens, partition),
      progress: checkProgress(message.progress),
    };
  },
  toJson: pullReplyJson,
} as const satisfies Command<worker.Heartbeat, Heartbeat>;

function checkProgress(list: readonly worker.Progress.$Properties[]): Progress[] {
  return atMost('progress', list, LIMITS.free).map((each) => ({
    token: tokenOf(each.token ?? ''),
    fraction: within('progress.fraction', each.fraction ?? 0, 0, 1),
    message: text('progress.message', each.message ?? '', LIMITS.reasonBytes),
  }));
}
