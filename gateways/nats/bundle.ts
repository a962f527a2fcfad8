/**
 * Several requests in one NATS message. Each goes its own way, as if it had come alone, and none waits for another:
 * replies that are there in the same moment, such as those of one commit, share a message.
 */
import type { Command } from '../../actors/command.js';
import { validated } from '../../protocols/bounds.js';
import { reject, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { decodeBundle, encodeBundle, encodeReplies, type Bundled, type BundledReply } from '../bundle.js';
import { encodeError, formatOf, type Format } from '../codec.js';
import type { Transport } from '../request.js';
import type { Router } from '../router.js';
import { claiming, type NatsMessage } from './message.js';

/** A message of replies is sent when it would become larger. */
const FULL_BYTES = 256 * 1024;
/** For the fields of a reply around its data, and those of the message. */
const AROUND_BYTES = 64;

/** @param only the partition that another broker forwarded the message for */
export function routeMessage(router: Router, command: Command, message: NatsMessage, only?: Partition): void {
  const refused = validated(() => {
    if (message.isBundle) return new Bundle(router, command, message).route(only);
    router.route(command, message, only);
    return undefined;
  });
  if (refused) message.refuse(refused, encodeError(refused, formatOf(message.data)));
}

interface Passed {
  readonly partition: Partition;
  readonly principal: string;
  readonly requests: Bundled[];
}

class Bundle {
  private readonly format: Format;
  private replies: BundledReply[] = [];
  private repliesBytes = 0;
  /** What other brokers lead, by partition and principal. */
  private readonly passed = new Map<string, Passed>();

  constructor(
    private readonly router: Router,
    private readonly command: Command,
    readonly message: NatsMessage,
  ) {
    this.format = formatOf(message.data);
  }

  /** @returns why it is refused as a whole */
  route(only?: Partition): Rejection | undefined {
    const requests = decodeBundle(this.format, this.message.data);
    if ('code' in requests) return requests;
    for (const { nth, data } of requests) {
      this.router.route(this.command, new BundledRequest(this, nth, data), only);
    }
    this.passOn();
    return undefined;
  }

  reply(reply: BundledReply): void {
    const bytes = reply.data.length + AROUND_BYTES;
    if (bytes + AROUND_BYTES > this.message.maxPayload) throw new Error('larger than a message can be');
    if (this.repliesBytes + bytes > Math.min(FULL_BYTES, this.message.maxPayload / 2)) this.send();
    if (this.replies.length === 0) queueMicrotask(() => this.send());
    this.replies.push(reply);
    this.repliesBytes += bytes;
  }

  pass(partition: Partition, principal: string, request: Bundled): void {
    const to = `${partition} ${principal}`;
    const passed = this.passed.get(to);
    if (passed) passed.requests.push(request);
    else this.passed.set(to, { partition, principal, requests: [request] });
  }

  private passOn(): void {
    for (const { partition, principal, requests } of this.passed.values()) {
      const options = claiming(principal, true);
      this.message.pass(this.command, partition, encodeBundle(this.format, requests), options);
    }
  }

  private send(): void {
    if (this.replies.length === 0) return;
    const { replies } = this;
    this.replies = [];
    this.repliesBytes = 0;
    this.message.respond(encodeReplies(this.format, replies));
  }
}

class BundledRequest implements Transport {
  constructor(
    private readonly bundle: Bundle,
    private readonly nth: number,
    readonly data: Uint8Array,
  ) {}

  principal(): string {
    return this.bundle.message.principal();
  }

  respond(data: Uint8Array): void {
    this.bundle.reply({ nth: this.nth, data });
  }

  refuse(_rejection: Rejection | ForeignRejection, data: Uint8Array): void {
    this.bundle.reply({ nth: this.nth, data, refused: true });
  }

  passTo(_command: Command, partition: Partition, principal: string): void {
    this.bundle.pass(partition, principal, { nth: this.nth, data: this.data });
  }

  async relayTo(command: Command, partition: Partition, principal: string, holdMs: number): Promise<boolean> {
    const reply = await this.bundle.message.askLeader(command, partition, this.data, principal, holdMs);
    if (reply === undefined) return false;
    this.relayed(reply.data, reply.headers?.has('Nats-Service-Error') ?? false);
    return true;
  }

  private relayed(data: Uint8Array, isError: boolean): void {
    try {
      this.bundle.reply({ nth: this.nth, data, ...(isError && { refused: true as const }) });
    } catch (error) {
      const rejection = reject('TOO_LARGE', `the reply cannot be sent: ${String(error)}`);
      this.refuse(rejection, encodeError(rejection, formatOf(this.data)));
    }
  }
}
