/** The commands that actors may send to other partitions, decoded, checked and routed like a client's. */
import type { Command } from '../actors/command.js';
import { nameOf } from '../actors/command.js';
import type { Deliverable, Deliverables } from '../actors/delivery.js';
import type { ReplyTo } from '../actors/reply.js';
import { Invalid, validated } from '../protocols/bounds.js';
import { reject, type Rejection } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import { outbox } from '../protocols/messages.js';
import { isRejection } from './codec.js';
import { jobIdsOf } from './draw-id.js';
import { decodeStrictly } from './strict.js';

const ORIGIN: ReplyTo = { replyTo: 'replyTo' };

export function deliverables(commands: readonly Command[], partitions: number): Deliverables {
  const received = commands.filter((command) => command.refusalInAnswer !== undefined);
  return new Map(received.map((command) => [nameOf(command), deliverable(command, partitions)]));
}

function deliverable(command: Command, partitions: number): Deliverable {
  return {
    decide(step, body, { by, origin, seq }) {
      const message = decodeStrictly(command.request, body);
      if (isRejection(message)) return step.refuse(ORIGIN, message);
      const context = { partitions, nowMs: step.nowMs, identity: undefined, drawJobId: jobIdsOf(origin, seq) };
      const checked = validated(() => {
        oneEntry(command, message);
        const request = command.check(message, context);
        belongs(command, request, step.partition, partitions);
        return request;
      });
      if (isRejection(checked)) return step.refuse(ORIGIN, checked);
      command.decide(step, checked, { to: ORIGIN, by });
    },
    refusalIn: (answer) => command.refusalInAnswer?.(answer),
  };
}

/** It is accepted or refused as a whole, and its decision makes few events. @throws Invalid */
function oneEntry({ alone }: Command, message: object): void {
  if (alone === undefined) return;
  const entries = (message as Record<string, readonly unknown[]>)[alone.list] ?? [];
  if (entries.length === 1) return;
  const why = `${alone.list} of a command from another partition must have one entry, not ${entries.length}`;
  throw new Invalid('INVALID_ARGUMENT', why);
}

/** What another partition would route elsewhere must not be recorded here. @throws Invalid */
function belongs({ routing }: Command, checked: object, here: Partition, partitions: number): void {
  if (routing.to === 'all') return;
  const goesTo = routing.to === 'one' ? [routing.partitionOf(checked, partitions)] : [...routing.parts(checked).keys()];
  for (const partition of goesTo) {
    if (partition === here) continue;
    throw new Invalid('WRONG_PARTITION', `the command belongs to partition ${partition}, this is ${here}`);
  }
}

/** The reply to a delivery to a partition that does not exist: each command is refused, once and for all. */
export function refuseDelivery(delivery: Uint8Array, rejection: Rejection): Uint8Array {
  const { firstSeq, commands } = outbox.Delivery.decode(delivery);
  const { code, message } = rejection;
  const refused = commands.map((_, nth) => ({ seq: firstSeq + nth, code, message }));
  return outbox.DeliveryReply.encode({ receivedSeq: firstSeq + commands.length - 1, refused }).finish();
}

export const noPartition = (to: Partition, partitions: number): Rejection =>
  reject('WRONG_PARTITION', `partition ${to} does not exist; there are ${partitions}`);
