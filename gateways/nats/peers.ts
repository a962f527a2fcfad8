/**
 * Requests to leaders at other brokers, in protobuf. Such a broker may run another version: an unknown error code is
 * passed on, and a reply that cannot be read means that the outcome is unknown.
 */
import { errors, type Msg, type NatsConnection } from '@nats-io/nats-core';
import type { Command } from '../../actors/command.js';
import type { Reply } from '../../actors/reply.js';
import { foreignRejection, reject, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { DELIVER, subjects } from '../../protocols/subjects.js';
import { readWireError } from '../../protocols/wire-error.js';
import type { Peers } from '../router.js';
import { noPartition, refuseDelivery } from '../deliverables.js';
import { claiming, FORWARD_TIMEOUT_MS } from './message.js';

export class NatsPeers implements Peers {
  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
    private readonly partitions: number,
  ) {}

  /** Commands of this broker's actors, to the leader of another partition. Rejects when no reply came. */
  async deliver(partition: Partition, delivery: Uint8Array): Promise<Uint8Array> {
    const { partitions } = this;
    if (partition >= partitions) return refuseDelivery(delivery, noPartition(partition, partitions));
    const options = { timeout: FORWARD_TIMEOUT_MS };
    const { data, headers } = await this.nc.request(subjects.leader(this.ns, partition, DELIVER), delivery, options);
    const error = headers?.get('Nats-Service-Error') ?? '';
    if (error !== '') throw new Error(error);
    return data;
  }

  async ask(
    command: Command, partition: Partition, message: object, principal: string, holdMs: number,
  ): Promise<Reply> {
    const data = command.request.encode(message).finish();
    const options = { timeout: FORWARD_TIMEOUT_MS + holdMs, ...claiming(principal) };
    try {
      return replyOf(command, await this.nc.request(subjects.leader(this.ns, partition, command), data, options));
    } catch (cause) {
      return { refused: unanswered(cause, partition) };
    }
  }
}

function replyOf(command: Command, { data, headers }: Msg): Reply {
  try {
    const error = headers?.get('Nats-Service-Error') ?? '';
    if (error !== '') return { refused: refusal(error, headers!.get('Nats-Service-Error-Code'), data) };
    const reply = command.reply.decode(data);
    return { message: command.received?.(reply) ?? reply };
  } catch (cause) {
    const why = String(cause).slice(0, 200);
    return { refused: reject('UNKNOWN', `the reply of another broker cannot be read: ${why}`) };
  }
}

function refusal(error: string, status: string, data: Uint8Array): ForeignRejection {
  const [code, ...message] = error.split(': ');
  return foreignRejection(readWireError(data) ?? { code, message: message.join(': ') }, Number(status) || undefined);
}

/** Why there was no reply. It is certain that nothing was changed only if there were no responders. */
function unanswered(cause: unknown, partition: Partition): Rejection {
  const hadNoResponders = cause instanceof errors.NoRespondersError
    || (cause instanceof errors.RequestError && cause.isNoResponders());
  if (hadNoResponders) return reject('NOT_LEADER', `partition ${partition} has no leader at the moment`);
  const why = cause instanceof Error ? cause.message : String(cause);
  return reject('UNKNOWN', `the leader of partition ${partition} did not reply: ${why}`);
}
