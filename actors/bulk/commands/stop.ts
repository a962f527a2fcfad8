/** bulk.stop: a bulk acts on no more jobs; what it did stays done. */
import { z } from 'zod';
import { bulk } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { bulkKind } from '../bulk.kind.js';
import { bulkJson, bulkReply, checkBulkId, partOf, toAll, type OfBulk } from '../view.js';

export const stop = {
  noun: 'bulk',
  verb: 'stop',
  does: 'a bulk acts on no more jobs; what it did stays done',
  request: bulk.StopBulk,
  reply: bulk.BulkView,
  json: z.strictObject({ bulkId: z.string() }),
  codes: ['NOT_FOUND'],
  routing: toAll<bulk.StopBulk, OfBulk>((request) => request),
  check: (message) => ({ bulkId: checkBulkId(message.bulkId) }),
  toJson: bulkJson,
  decide(step, { bulkId }, { to, by }) {
    let held = step.read(bulkKind).get(bulkId);
    if (held && held.endedMs === 0) {
      step.makeRoom();
      const cause = { commandId: '', type: 'StopBulk', by };
      held = step.emit(bulkKind, bulkId, { type: 'BulkStopped', body: { status: 'stopped', by } }, cause);
    }
    step.answer(to, bulkReply, { bulkId, part: held && partOf(held) });
  },
} as const satisfies Command<bulk.StopBulk, OfBulk>;
