/** bulk.show: how far a bulk has come in each partition. */
import { z } from 'zod';
import { bulk } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { bulkKind } from '../bulk.kind.js';
import { bulkJson, bulkReply, checkBulkId, partOf, toAll, type OfBulk } from '../view.js';

export const show = {
  noun: 'bulk',
  verb: 'show',
  does: 'how far a bulk has come in each partition',
  request: bulk.GetBulk,
  reply: bulk.BulkView,
  json: z.strictObject({ bulkId: z.string() }),
  codes: ['NOT_FOUND'],
  routing: toAll<bulk.GetBulk, OfBulk>((request) => request),
  check: (message) => ({ bulkId: checkBulkId(message.bulkId) }),
  toJson: bulkJson,
  decide: (step, { bulkId }, { to }) => {
    const held = step.read(bulkKind).get(bulkId);
    step.answer(to, bulkReply, { bulkId, part: held && partOf(held) });
  },
} as const satisfies Command<bulk.GetBulk, OfBulk>;
