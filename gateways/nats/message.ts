/** A request in a NATS message. */
import { headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import type { Command } from '../../actors/command.js';
import type { ReplyReceiver } from '../../actors/reply.js';
import type { Delivery } from '../../partition/core/deliveries.js';
import type { PartitionHost } from '../../partition/leader/host.js';
import { Invalid, principal as checkedPrincipal } from '../../protocols/bounds.js';
import { encoded } from '../../protocols/encoded.js';
import { statusOf, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { BUNDLE_HEADER, PRINCIPAL_HEADER, subjects } from '../../protocols/subjects.js';
import { isBrokersInbox } from '../../streams/server/address.js';
import { outbox } from '../../protocols/messages.js';
import { encodeError, isRejection } from '../codec.js';
import type { Transport } from '../request.js';
import { decodeStrictly } from '../strict.js';

export const FORWARD_TIMEOUT_MS = 5_000;
/** What invalid UTF-8 is decoded to. */
const REPLACEMENT = '\ufffd';

export class NatsMessage implements Transport {
  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
    private readonly msg: Msg,
    /** By another broker. The reply may then go to that broker's inbox. */
    private readonly forwarded: boolean,
  ) {}

  get data(): Uint8Array {
    return this.msg.data;
  }

  principal(): string {
    const claimed = this.msg.headers?.values(PRINCIPAL_HEADER) ?? [];
    if (claimed.length === 0) return '';
    const [principal] = claimed as [string];
    const name = `the header ${PRINCIPAL_HEADER}`;
    if (claimed.length > 1) throw new Invalid('INVALID_ARGUMENT', `${name} is given ${claimed.length} times`);
    if (principal.includes(REPLACEMENT)) throw new Invalid('INVALID_ARGUMENT', `${name} is not UTF-8`);
    return checkedPrincipal(name, principal);
  }

  respond(data: Uint8Array): void {
    if (this.mayReply) this.msg.respond(data);
  }

  refuse(rejection: Rejection | ForeignRejection, data: Uint8Array): void {
    if (this.mayReply) respondWithError(this.msg, rejection, data);
  }

  /** Whether it has several requests of the command. @throws Invalid */
  get isBundle(): boolean {
    const given = this.msg.headers?.get(BUNDLE_HEADER) ?? '';
    if (given === '' || given === '1') return given === '1';
    throw new Invalid('INVALID_ARGUMENT', `the header ${BUNDLE_HEADER} must be 1`);
  }

  /** What a reply may have at most, in bytes. */
  get maxPayload(): number {
    return this.nc.info?.max_payload ?? LIMITS.requestBytes;
  }

  passTo(command: Command, partition: Partition, principal: string): void {
    this.pass(command, partition, this.data, claiming(principal));
  }

  /** With the client's own inbox. */
  pass(command: Command, partition: Partition, data: Uint8Array, options: { headers?: MsgHdrs }): void {
    if (!this.mayReply) return;
    this.nc.publish(subjects.leader(this.ns, partition, command), data, { reply: this.msg.reply, ...options });
  }

  async relayTo(command: Command, partition: Partition, principal: string, holdMs: number): Promise<boolean> {
    const reply = await this.askLeader(command, partition, this.data, principal, holdMs);
    if (reply === undefined) return false;
    if (this.mayReply) this.msg.respond(reply.data, reply.headers && { headers: reply.headers });
    return true;
  }

  /** @returns undefined if no reply came */
  askLeader(
    command: Command, partition: Partition, data: Uint8Array, principal: string, holdMs: number,
  ): Promise<Msg | undefined> {
    const options = { timeout: FORWARD_TIMEOUT_MS + holdMs, ...claiming(principal) };
    return this.nc.request(subjects.leader(this.ns, partition, command), data, options).catch(() => undefined);
  }

  /**
   * NATS checks the subject of a request, but not its reply subject. A reply to the server's API, into a journal or to
   * another broker's inbox would be published with our rights, so such a request gets no reply.
   */
  private get mayReply(): boolean {
    const { reply } = this.msg;
    if (reply === undefined || reply === '' || reply.startsWith('$') || reply.startsWith('reprise.')) return false;
    return this.forwarded || !isBrokersInbox(reply);
  }
}

/** No other header of the client is passed on: the server interprets some of them, with our rights. */
export function claiming(principal: string, bundled = false): { headers?: MsgHdrs } {
  if (principal === '' && !bundled) return {};
  const h = headers();
  if (principal !== '') h.set(PRINCIPAL_HEADER, principal);
  if (bundled) h.set(BUNDLE_HEADER, '1');
  return { headers: h };
}

/** Receives commands of actors in another partition from the broker that leads it. */
export function receive({ leader, whyNot }: PartitionHost, msg: Msg): void {
  const to: ReplyReceiver = {
    replyTo: 'replyTo',
    reply: ({ message, refused }) => {
      if (refused) respondWithError(msg, refused, encodeError(refused, 'protobuf'));
      else msg.respond(encoded(outbox.DeliveryReply, message));
    },
  };
  const delivery = decodeStrictly(outbox.Delivery, msg.data);
  if (isRejection(delivery)) return to.reply({ refused: delivery });
  if (leader === undefined) return to.reply({ refused: whyNot });
  leader.receive(delivery as object as Delivery, to);
}

function respondWithError(msg: Msg, rejection: Rejection | ForeignRejection, data: Uint8Array): void {
  const h = headers();
  h.set('Nats-Service-Error', `${rejection.code}: ${rejection.message}`.replaceAll(/[\r\n]/g, ' ').slice(0, 512));
  h.set('Nats-Service-Error-Code', String(statusOf(rejection)));
  msg.respond(data, { headers: h });
}
