/** A bulk as it is shown, and what its commands have in common. */
import { Invalid } from '../../protocols/bounds.js';
import { reject } from '../../protocols/errors.js';
import type { bulk as messages } from '../../protocols/messages.js';
import type { ToAll } from '../command.js';
import { positionJson } from '../job/reply-json.js';
import { message, type Releasing, type Reply } from '../reply.js';
import type { Bulk } from './bulk.js';

type View = messages.BulkView.$Properties;
type Part = messages.BulkPart.$Properties;

export interface OfBulk {
  readonly bulkId: string;
}

const BULK_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @throws Invalid */
export function checkBulkId(bulkId: string): string {
  if (BULK_ID.test(bulkId)) return bulkId;
  throw new Invalid('INVALID_ARGUMENT', 'bulkId must be 1 to 64 of A-Z a-z 0-9 _ -');
}

/** A copy: the reply is made when the commit is acknowledged. */
export function partOf(bulk: Readonly<Bulk>): Part {
  const { status, action, filter, priority, perSecond, reason, by, members, next, advanced, skipped, startedMs } = bulk;
  return {
    status, action, filter, priority, perSecond, reason, by, members, lookedUpTo: status === 'collecting' ? next : 0,
    acted: advanced - skipped, skipped, startedMs,
  };
}

interface Answer {
  readonly bulkId: string;
  /** undefined: this partition does not have it. */
  readonly part: Part | undefined;
}

export const bulkReply = ({ bulkId, part }: Answer, { position }: Releasing): Reply =>
  message({ bulkId, parts: part ? [{ ...part, partition: position.partition ?? 0, position }] : [] } satisfies View);

/** A refusal of one partition is that of all: the others can be asked again. */
export const toAll = <Request extends object, Checked extends OfBulk>(
  forwarded: ToAll<Request, Checked>['forwarded'],
): ToAll<Request, Checked> => ({
  to: 'all',
  forwarded,
  merge(replies, { bulkId }) {
    const refused = replies.find((each) => each.refused);
    if (refused) return refused;
    const parts = replies.flatMap((each) => (each.message as View).parts ?? []);
    if (parts.length > 0) return message({ bulkId, parts } satisfies View);
    return { refused: reject('NOT_FOUND', `no bulk ${bulkId}; one that ended is kept for an hour`) };
  },
});

export function bulkJson({ bulkId, parts }: View): string {
  const shown = (parts ?? []).map(({ position, ...part }) => ({ ...part, position: positionJson(position) }));
  return JSON.stringify({ bulkId, parts: shown });
}
