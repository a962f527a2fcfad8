/** bulk.go: a bulk that holds acts on the jobs that it counted. */
import { z } from 'zod';
import { bulk } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { bulkKind } from '../bulk.kind.js';
import { bulkJson, bulkReply, checkBulkId, partOf, toAll, type OfBulk } from '../view.js';

export const go = {
  noun: 'bulk',
  verb: 'go',
  does: 'a bulk that holds acts on the jobs that it counted',
  request: bulk.GoBulk,
  reply: bulk.BulkView,
  json: z.strictObject({ bulkId: z.string() }),
  codes: ['NOT_FOUND'],
  routing: toAll<bulk.GoBulk, OfBulk>((request) => request),
  check: (message) => ({ bulkId: checkBulkId(message.bulkId) }),
  toJson: bulkJson,
  decide(step, { bulkId }, { to, by }) {
    let held = step.read(bulkKind).get(bulkId);
    if (held?.status === 'held') {
      step.makeRoom();
      const cause = { commandId: '', type: 'GoBulk', by };
      held = step.emit(bulkKind, bulkId, { type: 'BulkWent', body: { status: 'acting' } }, cause);
    }
    step.answer(to, bulkReply, { bulkId, part: held && partOf(held) });
  },
} as const satisfies Command<bulk.GoBulk, OfBulk>;
