/**
 * Between the commands of gateways and the partition's own union of commands and replies. To be deleted when the
 * partition takes a {@link Command} and its checked request, and replies with its message.
 */
import type { Command, Reply } from '../actors/command.js';
import type { Asker } from '../partition/core/effects.js';
import type { Command as Input } from '../partition/core/inputs.js';
import type { Answerable, Reply as PartitionReply } from '../partition/leader/reply.js';
import { LIMITS } from '../protocols/limits.js';

/**
 * Writes into the checked request: to copy each would take longer than the rest of the gateway. A request for all
 * partitions is written anew for each of them; the core reads it before the next one.
 */
export function inputOf({ verb }: Command, checked: object, by: string, to: Asker): Input {
  const input = checked as { kind?: string; by?: string; to?: Asker };
  input.kind = verb;
  input.by = by;
  input.to = to;
  return input as Input;
}

export function replyOf(reply: PartitionReply, { verb }: Command, partitions: number): Reply {
  switch (reply.kind) {
    case 'refused': return { refused: reply.rejection };
    case 'jobs': return { message: verb === 'submit' ? { jobs: reply.jobs } : reply.jobs[0]! };
    case 'view': return { message: reply.view };
    case 'pulled': return { message: reply.pulled };
    case 'registered': {
      const { epoch, session, proof } = reply;
      return { message: { partitions, epoch, session, proof, maxResultBytes: LIMITS.payloadBytes } };
    }
    case 'drained': return { message: { epoch: reply.epoch, status: reply.status } };
    default: return reply satisfies never;
  }
}

export const answerable = (command: Command, partitions: number, settle: (reply: Reply) => void): Answerable =>
  ({ asker: 'asker', answer: (reply) => settle(replyOf(reply, command, partitions)) });
