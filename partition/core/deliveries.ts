/**
 * Commands between partitions, in the core: a command from another partition is decided once, and the result of a
 * command to another partition is recorded here. A refusal is a result like another: it is recorded, and does not hold
 * up the next command.
 */
import { DELIVERED_EVENTS, type Deliverable, type Deliverables } from '../../actors/delivery.js';
import { message, type ReplyTo, type ReplyOf } from '../../actors/reply.js';
import { reject, type Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { outbox as messages } from '../../protocols/messages.js';
import type { PartitionCore } from './core.js';
import { DeliveredStep } from './delivered-step.js';
import type { Refusal } from './outbox.js';

const RECEIVED_BYTES = 8_192;
const MOST_MESSAGE = 1_024;
/** Refusals in one event. */
const MOST_RECORDED = 20;

export interface Delivery {
  /** Id of the origin's journal. */
  readonly origin: string;
  readonly from: Partition;
  readonly firstSeq: number;
  readonly commands: readonly { readonly command: string; readonly body: Uint8Array; readonly by: string }[];
}

const deliveredReply: ReplyOf<messages.DeliveryReply.$Properties> = (reply) => message(reply);

/** The reply has the last sequence of the origin that is recorded here, and the refusals, new and earlier ones. */
export function receive(core: PartitionCore, delivery: Delivery, deliverables: Deliverables, to: ReplyTo): void {
  const { outbox } = core.state;
  const { origin, from, firstSeq, commands } = delivery;
  for (const [nth, { command, body, by }] of commands.entries()) {
    const seq = firstSeq + nth;
    const expected = outbox.receivedSeq(origin) + 1;
    if (seq < expected) continue;
    // Commands in between were lost on the way. The origin sends again from the sequence in the reply.
    if (seq > expected) break;
    core.makeRoom(body.length + RECEIVED_BYTES, DELIVERED_EVENTS + 1);
    const refused = decideOnce(core, deliverables.get(command), command, body, by);
    const answer = { code: refused?.code ?? '', message: refused?.message.slice(0, MOST_MESSAGE) ?? '' };
    const received = { status: '' as const, origin, from, seq, settledSeq: firstSeq - 1, ...answer };
    core.emitOwn({ type: 'CommandReceived', body: received }, { commandId: '', type: 'Deliver', by });
  }
  const refused = outbox.refused(origin).filter(({ seq }) => seq >= firstSeq).map((each) => ({ ...each }));
  core.answer(to, deliveredReply, { receivedSeq: outbox.receivedSeq(origin), refused });
}

/** Its events share a commit with the record of its receipt, so it takes effect once or not at all. */
function decideOnce(
  core: PartitionCore, of: Deliverable | undefined, name: string, body: Uint8Array, by: string,
): Rejection | undefined {
  if (of === undefined) return reject('UNSUPPORTED', `this version receives no command ${name}`);
  const step = new DeliveredStep(core);
  of.decide(step, body, by);
  return step.rejection ?? of.refusalIn?.(step.answered);
}

/** The destination has recorded all commands up to `upToSeq`. @param refused the refusals that are new here */
export function settle(core: PartitionCore, to: Partition, upToSeq: number, refused: readonly Refusal[]): void {
  const settled = core.state.outbox.pending(to).filter(({ seq }) => seq <= upToSeq);
  if (settled.length === 0) return;
  const refusals = new Map(refused.map((each) => [each.seq, each]));
  const last = settled.at(-1)!.seq;
  let recorded: Refusal[] = [];
  for (const { kind, id, command, seq } of settled) {
    const refusal = refusals.get(seq);
    if (refusal) recorded.push(refusal);
    const { answered } = core.state.cast.get(kind)?.member ?? {};
    if (answered === undefined && seq !== last && recorded.length < MOST_RECORDED) continue;
    // The actor's reaction shares the commit with the record, so it takes effect once or not at all.
    core.makeRoom(recorded.length * RECEIVED_BYTES, DELIVERED_EVENTS + 1);
    core.emitOwn({ type: 'CommandsAnswered', body: { status: '', to, upToSeq: seq, refused: recorded } }, CAUSE);
    answered?.(new DeliveredStep(core), { id, command, seq, refusal });
    recorded = [];
  }
}

const CAUSE = { commandId: '', type: 'Deliver', by: '' };
