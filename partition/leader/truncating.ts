/** A truncator for a leader: it records cuts in the leader's journal. */
import { RepriseError } from '../../protocols/errors.js';
import { message, type ReplyReceiver } from '../../actors/reply.js';
import type { Journal } from '../../streams/journal.js';
import { REMOVED, type Payloads } from '../../streams/payloads.js';
import type { PartitionCore } from '../core/core.js';
import type { Leader } from './leader.js';
import { Truncator, type Cut, type TruncatorOptions } from './truncator.js';

const CAUSE = { commandId: '', type: 'TruncateJournal', by: '' };

export interface Led {
  readonly leader: Leader;
  readonly core: PartitionCore;
  readonly journal: Journal;
  readonly bytes: Payloads;
}

export function truncating(
  { leader, core, journal, bytes }: Led, options: Omit<TruncatorOptions, 'state' | 'journal' | 'record' | 'load'>,
): Truncator {
  return new Truncator({
    ...options, state: core.state, journal,
    record: (cut) => record(leader, core, cut),
    async load({ seq, index }) {
      const content = await bytes.load(seq, index);
      return content === REMOVED ? undefined : content;
    },
  });
}

/** Resolves when the record is acknowledged. @throws RepriseError NOT_LEADER */
function record(leader: Leader, core: PartitionCore, { seq, hash }: Cut): Promise<void> {
  return new Promise((resolve, reject) => {
    const to: ReplyReceiver = {
      replyTo: 'replyTo',
      reply: ({ refused }) => (refused ? reject(new RepriseError('NOT_LEADER', refused.message)) : resolve()),
    };
    leader.decide(to, (step) => {
      step.makeRoom(0, 1);
      core.emitOwn({ type: 'JournalTruncated', body: { status: '', seq, hash } }, CAUSE);
      step.answer(to, () => message({}), undefined);
    });
  });
}
