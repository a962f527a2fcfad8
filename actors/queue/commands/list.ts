/** queue.list: the stats of every queue, of all partitions. */
import { z } from 'zod';
import { withMember } from '../../../protocols/json-text.js';
import { queue } from '../../../protocols/messages.js';
import type { Command, ToAll } from '../../command.js';
import { listText } from '../../content-json.js';
import { listReply, queueNames, statsJson, statsOf, type QueueStats } from '../stats.js';

const ofAllPartitions: ToAll<queue.ListQueues> = {
  to: 'all',
  forwarded: (message) => message,
  /** A list that lacks a partition would be read as whole, so one that cannot be asked is a refusal. */
  merge(replies) {
    const refused = replies.find((each) => each.refused);
    if (refused) return refused;
    const queues = replies.flatMap(({ message }) => (message as queue.QueueList).queues);
    return { message: { queues: queues.sort((a, b) => ((a.queue ?? '') < (b.queue ?? '') ? -1 : 1)) } };
  },
};

export const list = {
  noun: 'queue',
  verb: 'list',
  does: 'the stats of every queue that has jobs or was ever paused, by name',
  request: queue.ListQueues,
  reply: queue.QueueList,
  json: z.strictObject({}),
  codes: [],
  routing: ofAllPartitions,
  check: () => ({}),
  decide: (step, _, { to }) => step.answer(to, listReply, queueNames(step).map((name) => statsOf(step, name))),
  toJson: ({ queues }: { queues: QueueStats[] }) => withMember({}, 'queues', listText(queues.map(statsJson))),
} as const satisfies Command<queue.ListQueues, object>;
