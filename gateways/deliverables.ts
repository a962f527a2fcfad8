/** The commands that actors may send to other partitions, decoded and checked like those of clients. */
import type { Command } from '../actors/command.js';
import { nameOf } from '../actors/command.js';
import type { Deliverable, Deliverables } from '../actors/delivery.js';
import type { ReplyTo } from '../actors/reply.js';
import { validated } from '../protocols/bounds.js';
import { isRejection } from './codec.js';
import { drawJobId } from './draw-id.js';
import { decodeStrictly } from './strict.js';

const ORIGIN: ReplyTo = { replyTo: 'replyTo' };

export function deliverables(commands: readonly Command[], partitions: number): Deliverables {
  const received = commands.filter((command) => command.refusalInAnswer !== undefined);
  return new Map(received.map((command) => [nameOf(command), deliverable(command, partitions)]));
}

function deliverable(command: Command, partitions: number): Deliverable {
  return {
    decide(step, body, by) {
      const message = decodeStrictly(command.request, body);
      if (isRejection(message)) return step.refuse(ORIGIN, message);
      const context = { partitions, nowMs: step.nowMs, identity: undefined, drawJobId };
      const checked = validated(() => command.check(message, context));
      if (isRejection(checked)) return step.refuse(ORIGIN, checked);
      command.decide(step, checked, { to: ORIGIN, by });
    },
    refusalIn: (answer) => command.refusalInAnswer?.(answer),
  };
}
