/**
 * Commands between partitions, in the core. At the destination each is decided once; at the origin its answer is
 * recorded. A refusal is an answer too: it is recorded, and the next command is decided.
 */
import { DELIVERED_EVENTS, type Deliverables, type Sender } from '../../actors/delivery.js';
import { message, type ReplyTo, type ReplyOf } from '../../actors/reply.js';
import { reject, type Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { outbox as messages } from '../../protocols/messages.js';
import { wellFormed } from '../../protocols/utf8.js';
import type { PartitionCore } from './core.js';
import { DeliveredStep } from './delivered-step.js';
import type { Refusal } from './outbox.js';

/** Of one request. More than that is left for the next. */
export const DELIVERY_COMMANDS = 100;
const RECEIVED_BYTES = 8_192;
/** Its code, and its message in UTF-8. */
const REFUSAL_BYTES = 2_048;
/** Of a refusal, in characters. A reply holds up to {@link DELIVERY_COMMANDS} of them. */
const MOST_MESSAGE = 512;
/** In one event. */
const MOST_RECORDED = 20;

export interface Delivery {
  /** Id of the origin's journal. */
  readonly origin: string;
  readonly from: Partition;
  readonly firstSeq: number;
  readonly commands: readonly Delivered[];
}

interface Delivered {
  readonly command: string;
  readonly body: Uint8Array;
  readonly by: string;
}

/** What a destination needs beside its core. */
export interface Receiving {
  readonly deliverables: Deliverables;
  /**
   * Commands that broke a leader of this process, by origin and sequence, with the error. Such a command is refused the
   * next time: the broken leader recorded nothing, so the same command is delivered again.
   */
  readonly broken: Map<string, string>;
}

const deliveredReply: ReplyOf<messages.DeliveryReply.$Properties> = (reply) => message(reply);

/** The reply says how far the origin's commands are recorded, and which of them were refused, now or before. */
export function receive(core: PartitionCore, delivery: Delivery, receiving: Receiving, to: ReplyTo): void {
  const { outbox } = core.state;
  const { origin, firstSeq, commands } = delivery;
  for (const [nth, command] of commands.slice(0, DELIVERY_COMMANDS).entries()) {
    const seq = firstSeq + nth;
    const expected = outbox.receivedSeq(origin) + 1;
    if (seq < expected) continue;
    // Commands in between were lost on the way. The origin sends again from the sequence in the reply.
    if (seq > expected) break;
    receiveOne(core, delivery, seq, command, receiving);
  }
  const refused = outbox.refused(origin).filter(({ seq }) => seq >= firstSeq).map((each) => ({ ...each }));
  core.answer(to, deliveredReply, { receivedSeq: outbox.receivedSeq(origin), refused });
}

/** Its events share a commit with the record that it was received, so it happens once or not at all. */
function receiveOne(core: PartitionCore, of: Delivery, seq: number, delivered: Delivered, receiving: Receiving): void {
  const { origin, from, firstSeq } = of;
  const { command, body, by } = delivered;
  const { broken } = receiving;
  const name = `${origin} ${seq}`;
  core.makeRoom(Math.min(body.length, core.mostBodyBytes) + RECEIVED_BYTES, DELIVERED_EVENTS + 1);
  try {
    const refused = decideOnce(core, delivered, { by, origin, seq }, receiving.deliverables, broken.get(name));
    const answer = { code: refused?.code ?? '', message: wellFormed(refused?.message.slice(0, MOST_MESSAGE) ?? '') };
    const received = { status: '' as const, origin, from, seq, settledSeq: firstSeq - 1, ...answer };
    core.emitOwn({ type: 'CommandReceived', body: received }, { commandId: '', type: 'Deliver', by });
  } catch (error) {
    broken.set(name, String(error));
    const what = `command ${command} of ${by}, number ${seq} from partition ${from}, could not be decided`;
    throw new Error(`${what} and is refused when it comes again: ${String(error)}`, { cause: error });
  }
  broken.delete(name);
}

function decideOnce(
  core: PartitionCore, { command, body }: Delivered, sender: Sender, deliverables: Deliverables,
  brokenBy: string | undefined,
): Rejection | undefined {
  if (brokenBy !== undefined) return reject('UNSUPPORTED', `the leader failed when it decided ${command}: ${brokenBy}`);
  const { mostBodyBytes: most } = core;
  if (body.length > most) {
    return reject('TOO_LARGE', `the body of ${command} has ${body.length} bytes, at most ${most}`);
  }
  const deliverable = deliverables.get(command);
  if (deliverable === undefined) return reject('UNSUPPORTED', `this version receives no command ${command}`);
  const step = new DeliveredStep(core);
  deliverable.decide(step, body, sender);
  return step.rejection ?? deliverable.refusalIn?.(step.answered);
}

/**
 * Records at the origin that the destination has recorded everything up to `upToSeq`.
 * @param refused every command in between that was refused
 */
export function settle(core: PartitionCore, to: Partition, upToSeq: number, refused: readonly Refusal[]): void {
  const settled = core.state.outbox.pendingUpTo(to, upToSeq);
  if (settled.length === 0) return;
  const refusals = new Map(refused.map((each) => [each.seq, each]));
  const last = settled.at(-1)!.seq;
  let recorded: Refusal[] = [];
  for (const { kind, id, command, seq } of settled) {
    const refusal = refusals.get(seq);
    if (refusal) recorded.push(refusal);
    const member = core.state.aside.get(kind, id) ? undefined : core.state.cast.get(kind)?.member;
    const hears = member?.answered !== undefined;
    if (!hears && seq !== last && recorded.length < MOST_RECORDED) continue;
    // What the actor does about it shares the commit with the record, so it happens once or not at all. It may send.
    const bodyBytes = hears ? core.mostBodyBytes : 0;
    core.makeRoom(bodyBytes + recorded.length * REFUSAL_BYTES, DELIVERED_EVENTS + 1);
    core.emitOwn({ type: 'CommandsAnswered', body: { status: '', to, upToSeq: seq, refused: recorded } }, CAUSE);
    if (hears) core.inTurn(kind, id, () => member.answered?.(new DeliveredStep(core), { id, command, seq, refusal }));
    recorded = [];
  }
}

const CAUSE = { commandId: '', type: 'Deliver', by: '' };
