/** actor.list: the actors of all partitions that are set aside. */
import { z } from 'zod';
import { whole } from '../../../protocols/bounds.js';
import { LIMITS } from '../../../protocols/limits.js';
import { actor } from '../../../protocols/messages.js';
import type { Command, ToAll } from '../../command.js';
import { message, type Reply } from '../../reply.js';
import { count } from '../../shapes.js';
import type { Step } from '../../step.js';
import { whyAside } from '../aside.js';

export interface List {
  readonly limit: number;
}

/** A reply is at most 1 MiB with most servers. Protobuf takes less than JSON. */
const LIST_BYTES = 512 * 1024;

/** The first of them, as many as a reply holds: after a mistake in a release there may be thousands. */
function fitting(actors: readonly actor.SetAside.$Properties[]): actor.SetAside.$Properties[] {
  let bytes = 0;
  const end = actors.findIndex((each) => (bytes += Buffer.byteLength(JSON.stringify(each))) > LIST_BYTES);
  return actors.slice(0, end < 0 ? undefined : end);
}

const ofAllPartitions: ToAll<actor.ListActors, List> = {
  to: 'all',
  forwarded: (request) => request,
  /** A list that lacks a partition would be read as whole, so one that cannot be asked is a refusal. */
  merge(replies) {
    const refused = replies.find((each) => each.refused);
    if (refused) return refused;
    const lists = replies.map((each) => each.message as actor.ActorList);
    return message({
      actors: fitting(lists.flatMap(({ actors }) => actors ?? [])),
      total: lists.reduce((sum, { total }) => sum + (total ?? 0), 0),
    });
  },
};

function listOf({ setAside, partition }: Step, { limit }: List): actor.ActorList.$Properties {
  const actors: actor.SetAside.$Properties[] = [];
  for (const each of setAside) {
    if (actors.length === limit) break;
    const { kind, id, status, seq, index, sinceMs, skipped } = each;
    actors.push({ partition, kind, id, status, why: whyAside(each), seq, index, sinceMs, skipped });
  }
  return { actors: fitting(actors), total: setAside.size };
}

const listReply = (made: actor.ActorList.$Properties): Reply => message(made);

export const list = {
  noun: 'actor',
  verb: 'list',
  does: 'lists the jobs, workers and queues that are set aside, because a stored event of theirs cannot be folded',
  request: actor.ListActors,
  reply: actor.ActorList,
  json: z.strictObject({ limit: count.optional() }),
  codes: [],
  routing: ofAllPartitions,
  check: ({ limit }) =>
    ({ limit: limit === 0 ? LIMITS.listedActors : whole('limit', limit, 1, LIMITS.listedActors) }),
  decide: (step, request, { to }) => step.answer(to, listReply, listOf(step, request)),
} as const satisfies Command<actor.ListActors, List>;
