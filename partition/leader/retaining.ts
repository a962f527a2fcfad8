/** What the leader of a partition knows of retention, for the archiver. */
import { message, type ReplyReceiver } from '../../actors/reply.js';
import { RepriseError } from '../../protocols/errors.js';
import type { RetentionOrder } from '../archiver/messages.js';
import type { PartitionCore } from '../core/core.js';
import type { Leader } from './leader.js';

/** Resolves when everything that it says is acknowledged: contents that are removed do not come back. */
export function retentionOf(leader: Leader, core: PartitionCore): Promise<RetentionOrder> {
  return new Promise((resolve, reject) => {
    const to: ReplyReceiver = {
      replyTo: 'replyTo',
      reply: ({ message: order, refused }) =>
        (refused ? reject(new RepriseError('NOT_LEADER', refused.message)) : resolve(order as RetentionOrder)),
    };
    leader.decide(to, (step) => {
      const settings = [...step.retention].map(({ queue, contentMs }) => ({ queue, contentMs }));
      const { journalId, truncated } = core.state;
      const order: RetentionOrder = { journalId, cutSeq: truncated?.seq ?? 0, nowMs: step.nowMs, settings };
      step.answer(to, message, order);
    });
  });
}
