/** actor.repair: ActorRepaired takes an actor that is set aside back into the state, or drops it. */
import { z } from 'zod';
import { Invalid, text, whole } from '../../../protocols/bounds.js';
import { reject, type Rejection } from '../../../protocols/errors.js';
import { LIMITS } from '../../../protocols/limits.js';
import { actor } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { commandConflict } from '../../command-conflict.js';
import { positionJson } from '../../job/reply-json.js';
import { hasEnded } from '../../job/job.view.js';
import { decideGiveUp } from '../../job/job.decide.js';
import { jobKind } from '../../job/job.kind.js';
import { message, type Releasing, type Reply } from '../../reply.js';
import { count, optionalText } from '../../shapes.js';
import type { Step } from '../../step.js';
import type { Partition } from '../../../protocols/ids.js';

const AS = ['failed', 'ready', 'dropped'] as const;

export interface RepairActor {
  readonly partition: Partition;
  readonly kind: string;
  readonly id: string;
  readonly as: (typeof AS)[number];
  readonly reason: string;
  readonly commandId: string;
}

type Repaired = Pick<actor.RepairReply.$Properties, 'kind' | 'id' | 'as' | 'duplicate'>;

const repairedReply = (repaired: Repaired, { position }: Releasing): Reply => message({ ...repaired, position });

const TYPE = 'RepairActor';
/** A body, its names and its reason. */
const REPAIR_BYTES = 4_096;
/** Of an actor's id, in bytes: that of a queue or a worker. */
const MOST_ID = 256;

export const repair = {
  noun: 'actor',
  verb: 'repair',
  does: 'takes a job that is set aside back as `failed` or `ready`; `dropped`: the job, worker or queue is forgotten',
  request: actor.RepairActor,
  reply: actor.RepairReply,
  json: z.strictObject({
    partition: count.optional(), kind: z.string(), id: z.string(), as: z.string(), reason: optionalText,
    commandId: optionalText,
  }),
  codes: ['NOT_FOUND', 'ALREADY_ENDED', 'COMMAND_CONFLICT'],
  routing: { to: 'one', partitionOf: ({ partition }) => partition },
  check(request, { partitions }) {
    const as = AS.find((each) => each === request.as);
    if (as === undefined) throw new Invalid('INVALID_ARGUMENT', `as must be one of ${AS.join(', ')}`);
    return {
      partition: whole('partition', request.partition, 0, partitions - 1) as Partition,
      kind: text('kind', request.kind, MOST_ID, 1), id: text('id', request.id, MOST_ID, 1), as,
      reason: text('reason', request.reason, LIMITS.reasonBytes),
      commandId: text('commandId', request.commandId, LIMITS.commandIdBytes),
    };
  },
  decide(step, { kind, id, as, reason, commandId }, { to, by }) {
    const before = commandId === '' ? undefined : step.seen(commandId);
    const isRepeated = before?.type === TYPE && before.id === id;
    if (isRepeated) return step.answer(to, repairedReply, { kind, id, as, duplicate: true });
    const refusal = before ? commandConflict(commandId, before) : whyNot(step, kind, id, as);
    if (refusal) return step.refuse(to, refusal);
    const cause = { commandId, type: TYPE, by };
    step.makeRoom(REPAIR_BYTES, 2);
    step.repair({ kind, id, as: statusOf(as), reason }, cause);
    const job = as === 'failed' ? step.read(jobKind).get(id) : undefined;
    if (job) step.emit(jobKind, job, decideGiveUp(job, reason), cause);
    step.answer(to, repairedReply, { kind, id, as, duplicate: false });
  },
  toJson: ({ position, ...rest }: actor.RepairReply.$Properties) =>
    JSON.stringify({ ...rest, position: positionJson(position) }),
} as const satisfies Command<actor.RepairActor, RepairActor>;

/** A job fails from `running`, as the chart says. */
const statusOf = (as: RepairActor['as']): string => ({ failed: 'running', ready: 'ready', dropped: '' })[as];

function whyNot(step: Step, kind: string, id: string, as: RepairActor['as']): Rejection | undefined {
  const aside = step.setAside.get(kind, id);
  if (aside === undefined) return reject('NOT_FOUND', `${kind} ${id} is not set aside`);
  if (as === 'dropped') return undefined;
  if (hasEnded(aside.status)) {
    return reject('ALREADY_ENDED', `${kind} ${id} was ${aside.status} before; it can only be dropped here`);
  }
  if (kind === jobKind.name && step.setAside.kept(kind, id)) return undefined;
  return reject('INVALID_ARGUMENT', `${kind} ${id} has nothing that could be taken back; it can only be dropped`);
}
