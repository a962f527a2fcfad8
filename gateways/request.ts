/** A request of any transport: decoded on arrival, and replied to once, in its own encoding. */
import type { Command } from '../actors/command.js';
import type { ReplyReceiver, Reply } from '../actors/reply.js';
import { reject, type ForeignRejection, type Rejection } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import { decodeRequest, encodeError, encodeReply, formatOf, isRejection, type Format } from './codec.js';

/** The part of a request that depends on the transport. */
export interface Transport {
  readonly data: Uint8Array;
  /** The principal as the client claims it; empty if it claims none. @throws Invalid */
  principal(): string;
  respond(data: Uint8Array): void;
  refuse(rejection: Rejection | ForeignRejection, data: Uint8Array): void;
  /** Forwards the request to a leader at another broker, which replies to the client. */
  passTo(command: Command, partition: Partition, principal: string): void;
  /** As `passTo`, but the reply comes back through this broker. @returns whether there was a reply */
  relayTo(command: Command, partition: Partition, principal: string, holdMs: number): Promise<boolean>;
}

export class GatewayRequest implements ReplyReceiver {
  readonly replyTo = 'replyTo';
  private readonly format: Format;
  private alone = false;

  constructor(
    readonly command: Command,
    readonly transport: Transport,
    private readonly onRefused: (rejection: Rejection | ForeignRejection) => void,
  ) {
    this.format = formatOf(transport.data);
  }

  /** The command's message, or why it cannot be decoded. */
  decode(): object | Rejection {
    const parsed = decodeRequest(this.command, this.format, this.transport.data);
    if (isRejection(parsed)) return parsed;
    this.alone = parsed.alone;
    return parsed.message;
  }

  reply({ message, refused }: Reply): void {
    const refusal = refused ?? this.command.refusalIn?.(message!, this.alone);
    if (refusal) return this.refuse(refusal);
    try {
      this.transport.respond(encodeReply(this.command, message!, this.format, this.alone));
    } catch (error) {
      // Larger than the server's max_payload.
      this.refuse(reject('TOO_LARGE', `the reply cannot be sent: ${String(error).slice(0, 200)}`));
    }
  }

  refuse(rejection: Rejection | ForeignRejection): void {
    this.onRefused(rejection);
    this.transport.refuse(rejection, encodeError(rejection, this.format));
  }
}
