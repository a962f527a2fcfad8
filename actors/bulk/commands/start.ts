/** bulk.start: BulkStarted in every partition. What follows, its leaders do in slices. */
import { z } from 'zod';
import { Invalid, text, whole } from '../../../protocols/bounds.js';
import { reject } from '../../../protocols/errors.js';
import { DEFAULTS, LIMITS } from '../../../protocols/limits.js';
import { bulk } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { textOf } from '../../filter/filter.js';
import { parseFilter } from '../../filter/parse.js';
import { SUBMIT } from '../../job/job.submit.js';
import { jobKind } from '../../job/job.kind.js';
import { count, optionalText } from '../../shapes.js';
import { ACTIONS, type Action } from '../bulk.js';
import { bulkKind } from '../bulk.kind.js';
import { bulkJson, bulkReply, checkBulkId, partOf, toAll, type OfBulk } from '../view.js';

export interface StartBulk extends OfBulk {
  readonly action: Action;
  /** Canonical. */
  readonly filter: string;
  readonly priority: number;
  readonly perSecond: number;
  readonly reason: string;
  readonly hold: boolean;
}

function actionOf(action: string): Action {
  if (ACTIONS.includes(action as Action)) return action as Action;
  throw new Invalid('INVALID_ARGUMENT', `action must be one of ${ACTIONS.join(', ')}`);
}

export const start = {
  noun: 'bulk',
  verb: 'start',
  does: 'retries, discards, cancels or reprioritizes all jobs that match a filter, at a rate: see [bulk](#bulk)',
  request: bulk.StartBulk,
  reply: bulk.BulkView,
  json: z.strictObject({
    bulkId: z.string(), action: z.string(), filter: optionalText, priority: z.int().optional(),
    perSecond: count.optional(), reason: optionalText, hold: z.boolean().optional(),
  }),
  codes: ['COMMAND_CONFLICT', 'BULKS_EXHAUSTED', 'NOT_FOUND'],
  routing: toAll<bulk.StartBulk, StartBulk>((request, { nowMs }) =>
    ({ ...request, filter: textOf(parseFilter(request.filter, nowMs)) })),
  check: (message, { nowMs }) => ({
    bulkId: checkBulkId(message.bulkId),
    action: actionOf(message.action),
    filter: textOf(parseFilter(message.filter, nowMs)),
    priority: SUBMIT.priority.check(message.priority),
    perSecond: message.perSecond === 0 ? DEFAULTS.bulkPerSecond
      : whole('perSecond', message.perSecond, 1, LIMITS.bulkPerSecond),
    reason: text('reason', message.reason, LIMITS.reasonBytes),
    hold: message.hold,
  }),
  toJson: bulkJson,
  decide(step, { bulkId, ...asked }, { to, by }) {
    const bulks = step.read(bulkKind);
    const before = bulks.get(bulkId);
    // The filter is not compared: the ages in it become other times when it is sent again.
    if (before && (before.action !== asked.action || before.priority !== asked.priority)) {
      return step.refuse(to, reject('COMMAND_CONFLICT', `bulk ${bulkId} does something else: ${before.action}`));
    }
    if (before) return step.answer(to, bulkReply, { bulkId, part: partOf(before) });
    if (bulks.open >= LIMITS.openBulks) {
      return step.refuse(to, reject('BULKS_EXHAUSTED', `${bulks.open} bulks of the partition have not ended`));
    }
    step.makeRoom(LIMITS.filterBytes + LIMITS.reasonBytes);
    const upTo = step.read(jobKind).lastPlace + 1;
    const body = { status: 'collecting', ...asked, by, upTo } as const;
    const cause = { commandId: '', type: 'StartBulk', by };
    const started = step.emit(bulkKind, bulkId, { type: 'BulkStarted', body }, cause);
    step.answer(to, bulkReply, { bulkId, part: partOf(started) });
  },
} as const satisfies Command<bulk.StartBulk, StartBulk>;
