/** A request, whatever it came over: decoded on arrival, and replied to once, in the form that it came in. */
import type { Command } from '../actors/command.js';
import type { ReplyReceiver, Reply } from '../actors/reply.js';
import { reject, type ForeignRejection, type Rejection } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import { decodeRequest, encodeError, encodeReply, formatOf, isRejection, type Format } from './codec.js';

/** What a transport adds. */
export interface Transport {
  readonly data: Uint8Array;
  /** Who the client says that it is; empty where it says nothing. @throws Invalid */
  principal(): string;
  respond(data: Uint8Array): void;
  refuse(rejection: Rejection | ForeignRejection, data: Uint8Array): void;
  /** Lets the leader of a partition, which is at another broker, reply in this broker's place. */
  passTo(command: Command, partition: Partition, principal: string): void;
  /** As `passTo`, but the reply comes through this broker. @returns whether there was one */
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

  /** The command's message, or why it is none. */
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
      // Larger than the server takes.
      this.refuse(reject('TOO_LARGE', `the answer cannot be sent: ${String(error).slice(0, 200)}`));
    }
  }

  refuse(rejection: Rejection | ForeignRejection): void {
    this.onRefused(rejection);
    this.transport.refuse(rejection, encodeError(rejection, this.format));
  }
}
