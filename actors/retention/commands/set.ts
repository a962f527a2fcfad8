/** retention.set: for how long the archive keeps the contents of ended jobs, of a queue or by default. */
import { z } from 'zod';
import { Invalid, queueName, text, whole } from '../../../protocols/bounds.js';
import { reject, wireError, type Rejection } from '../../../protocols/errors.js';
import { partitionOfQueue, type Partition } from '../../../protocols/ids.js';
import { LIMITS } from '../../../protocols/limits.js';
import { retention } from '../../../protocols/messages.js';
import type { Command, From, Split } from '../../command.js';
import { commandConflict } from '../../command-conflict.js';
import { positionJson } from '../../job/reply-json.js';
import { message, type Releasing, type Reply } from '../../reply.js';
import { count, optionalText } from '../../shapes.js';
import type { Step } from '../../step.js';
import type { RetentionChange } from '../retention.js';

export interface SetRetention extends RetentionChange {
  readonly commandId: string;
  /** That of the queue; those that record the default. At least one, each once. */
  readonly partitions: readonly Partition[];
}

type Changed = retention.ChangedRetention.$Properties;
type Answer = Pick<Changed, 'partition' | 'duplicate'>;

const TYPE = 'SetRetention';
/** A body with its names. */
const SETTING_BYTES = 1_024;

const toPartitions: Split<retention.SetRetention, SetRetention> = {
  to: 'split',
  parts: ({ partitions }) => new Map(partitions.map((partition, nth) => [partition, [nth]])),
  part: (checked, nths) => ({ ...checked, partitions: nths.map((nth) => checked.partitions[nth]!) }),
  /** Those of a request that names none are numbered as the partitions are. */
  forwarded: ({ partitions, ...request }, nths) =>
    ({ ...request, partitions: partitions.length === 0 ? nths : nths.map((nth) => partitions[nth]!) }),
  begin: ({ partitions }): retention.RetentionReply.$Properties =>
    ({ changed: partitions.map((partition) => ({ partition })) }),
  join({ changed }: { changed: Changed[] }, [nth], { message: replied, refused }) {
    const { partition } = changed[nth!]!;
    const done = (replied as retention.RetentionReply.$Properties | undefined)?.changed?.[0];
    const why = refused ?? reject('UNKNOWN', 'the reply of the leader lacks this partition');
    changed[nth!] = done ?? { partition, error: wireError(why) };
  },
};

/** @throws Invalid */
function partitionsOf(queue: string, given: readonly number[], partitions: number): readonly Partition[] {
  const owned = queue === '' ? Array.from({ length: partitions }, (_, n) => n as Partition)
    : [partitionOfQueue(queue, partitions)];
  if (given.length === 0) return owned;
  const wrong = given.find((each) => !(owned as readonly number[]).includes(each));
  if (wrong !== undefined) throw new Invalid('WRONG_PARTITION', `partition ${wrong} does not record this setting`);
  if (new Set(given).size < given.length) throw new Invalid('INVALID_ARGUMENT', 'partitions must name each once');
  return given as readonly Partition[];
}

/** @throws Invalid */
function check(request: retention.SetRetention, partitions: number): SetRetention {
  const queue = request.queue === '' ? '' : queueName(request.queue);
  const contentMs = whole('contentMs', request.contentMs, 0, LIMITS.contentMs);
  if (request.unset && contentMs > 0) throw new Invalid('INVALID_ARGUMENT', 'with unset contentMs must be 0');
  return {
    queue, contentMs, unset: request.unset, commandId: text('commandId', request.commandId, LIMITS.commandIdBytes),
    partitions: partitionsOf(queue, request.partitions, partitions),
  };
}

const changedReply = (answer: Answer, { position }: Releasing): Reply =>
  message({ changed: [{ ...answer, position }] });

/** Records the setting unless it is so already. */
function decide(step: Step, { queue, contentMs, unset, commandId }: SetRetention, { to, by }: From): void {
  const { partition, retention: settings } = step;
  const before = commandId === '' ? undefined : step.seen(commandId);
  const isRepeated = before?.type === TYPE && before.id === queue;
  if (isRepeated) return step.answer(to, changedReply, { partition, duplicate: true });
  const refusal = before ? commandConflict(commandId, before) : whyNot(step, queue, unset);
  if (refusal) return step.refuse(to, refusal);
  if (unset ? settings.get(queue) !== undefined : settings.get(queue)?.contentMs !== contentMs) {
    step.makeRoom(SETTING_BYTES, 1);
    step.setRetention({ queue, contentMs, unset }, { commandId, type: TYPE, by });
  }
  step.answer(to, changedReply, { partition, duplicate: false });
}

/** Settings are part of the state, so their number is bounded. */
function whyNot({ retention: settings }: Step, queue: string, unset: boolean): Rejection | undefined {
  if (unset || settings.get(queue) || settings.size < LIMITS.retentionSettings) return undefined;
  const why = `this partition has ${settings.size} settings; unset one, or use the default`;
  return reject('INVALID_ARGUMENT', why);
}

function changedJson({ partition = 0, duplicate = false, position, error }: Changed): object {
  return error ? { partition, error } : { partition, duplicate, position: positionJson(position) };
}

/** Without the defaults of the prototype. */
const received = ({ partition, error, duplicate, position }: retention.ChangedRetention): Changed =>
  (error ? { partition, error } : { partition, duplicate, position });

export const set = {
  noun: 'retention',
  verb: 'set',
  does: 'sets for how long the archive keeps the contents of ended jobs of a queue, or of all queues by default',
  request: retention.SetRetention,
  reply: retention.RetentionReply,
  json: z.strictObject({
    queue: optionalText, contentMs: count.optional(), unset: z.boolean().optional(), commandId: optionalText,
    partitions: z.array(count).optional(),
  }),
  codes: ['COMMAND_CONFLICT'],
  routing: toPartitions,
  check: (request, { partitions }) => check(request, partitions),
  decide,
  received: ({ changed }: retention.RetentionReply) =>
    ({ changed: changed.map((each) => received(each as retention.ChangedRetention)) }),
  toJson: ({ changed }: retention.RetentionReply.$Properties) =>
    JSON.stringify({ changed: (changed ?? []).map(changedJson) }),
} as const satisfies Command<retention.SetRetention, SetRetention>;
