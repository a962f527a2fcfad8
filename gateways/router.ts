/**
 * Routes a request to the leader of its partition, at this broker or at another one. A request for several partitions
 * is split, and their replies are merged.
 */
import type { Command, Context, Split, ToAll } from '../actors/command.js';
import type { ReplyReceiver, Reply } from '../actors/reply.js';
import { COMMANDS as REPEATED } from '../partition/core/command-ids.js';
import type { PartitionHost } from '../partition/leader/host.js';
import { Invalid, validated } from '../protocols/bounds.js';
import type { ForeignRejection, Rejection } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import type { Identity } from '../protocols/proofs.js';
import { isRejection } from './codec.js';
import { drawJobId } from './draw-id.js';
import type { Claimed, Identities } from './identities.js';
import { GatewayRequest, type Transport } from './request.js';

/** The leaders at other brokers. */
export interface Peers {
  /** @param message of the command. Never throws: an error on the way is returned as a refusal */
  ask(command: Command, partition: Partition, message: object, principal: string, holdMs: number): Promise<Reply>;
}

export interface RouterOptions {
  readonly hosts: readonly PartitionHost[];
  readonly identities: Identities;
  readonly peers: Peers;
  onRefused(command: Command, rejection: Rejection | ForeignRejection): void;
}

/** A request that was checked. */
interface Checked {
  readonly request: GatewayRequest;
  readonly message: object;
  readonly context: Context;
  readonly checked: object;
  /** Recorded in the cause of its events: the worker of the session, or the principal as the client claims it. */
  readonly by: string;
  /** The partition that another broker forwarded the request for. */
  readonly only: Partition | undefined;
}

export class Router {
  private readonly hosts: readonly PartitionHost[];

  constructor(private readonly options: RouterOptions) {
    this.hosts = options.hosts;
  }

  /** For how long the leaders at this broker recognize repeated commands: the shortest of them. */
  get commandWindowMs(): number {
    return Math.min(REPEATED.ms, ...this.hosts.map(({ leader }) => leader?.commandWindowMs ?? REPEATED.ms));
  }

  /** @param only the partition that another broker forwarded the request for */
  route(command: Command, transport: Transport, only?: Partition): void {
    const onRefused = (rejection: Rejection | ForeignRejection): void => this.options.onRefused(command, rejection);
    const request = new GatewayRequest(command, transport, onRefused);
    const message = request.decode();
    if (isRejection(message)) return request.refuse(message);
    const refused = validated(() => {
      this.check(request, message, only);
      return undefined;
    });
    if (refused) request.refuse(refused);
  }

  private check(request: GatewayRequest, message: object, only: Partition | undefined): void {
    const { command, transport } = request;
    const identity = this.identityOf(command, message);
    const by = identity?.workerId ?? transport.principal();
    const context: Context = { partitions: this.hosts.length, nowMs: Date.now(), identity, drawJobId };
    this.dispatch({ request, message, context, by, only, checked: command.check(message, context) });
  }

  private identityOf({ session }: Command, message: object): Identity | undefined {
    if (session === undefined) return undefined;
    const { identities } = this.options;
    return session === 'drawn' ? identities.register(message as Claimed) : identities.prove(message as Claimed);
  }

  private dispatch(asked: Checked): void {
    const { request: { command }, checked } = asked;
    const { routing } = command;
    switch (routing.to) {
      case 'one': return this.toOne(asked, this.existing(routing.partitionOf(checked, this.hosts.length)));
      case 'all': return this.toAll(asked, routing);
      case 'split': return this.split(asked, routing);
      default: return routing satisfies never;
    }
  }

  private toOne({ request, checked, by, only }: Checked, partition: Partition): void {
    if (only !== undefined && only !== partition) {
      throw new Invalid('WRONG_PARTITION', `this is the leader of partition ${only}, not ${partition}`);
    }
    const { command, transport } = request;
    const host = this.hosts[partition]!;
    if (host.leader) return host.leader.handle(command, checked, { to: request, by });
    if (only !== undefined || !host.isFollowing) return request.refuse(host.whyNot);
    if (host.halted) return this.relay(request, host, by, command.holdMs?.(checked) ?? 0);
    transport.passTo(command, partition, by);
  }

  /** For a host that halted when it last led. Another broker may lead by now, or have halted too: its reply decides. */
  private relay(request: GatewayRequest, host: PartitionHost, by: string, holdMs: number): void {
    const { whyNot } = host;
    void request.transport.relayTo(request.command, host.partition, by, holdMs).then((isReplied) => {
      if (isReplied) host.halted = undefined;
      else request.refuse(whyNot);
    });
  }

  /** To every partition, the home partition first. */
  private toAll(asked: Checked, routing: ToAll): void {
    const { request, message, context, checked, by, only } = asked;
    const { command } = request;
    if (only !== undefined) {
      const { leader, whyNot } = this.hosts[only]!;
      return leader ? leader.handle(command, checked, { to: request, by }) : request.refuse(whyNot);
    }
    const replies: Reply[] = [];
    let waiting = this.hosts.length;
    const forwarded = routing.forwarded(message, context);
    for (const { partition } of this.hosts) {
      this.ask(asked, partition, checked, () => forwarded, (reply) => {
        replies[partition] = reply;
        waiting -= 1;
        if (waiting === 0) request.reply(routing.merge(replies, checked));
      });
    }
  }

  private split(asked: Checked, routing: Split): void {
    const { request, message, checked, only } = asked;
    const parts = routing.parts(checked);
    const [first] = parts.keys();
    if (parts.size === 1) return this.toOne(asked, first!);
    if (only !== undefined && parts.size > 0) {
      throw new Invalid('WRONG_PARTITION', `the entries are not all of partition ${only}`);
    }
    const joined = routing.begin(checked);
    if (parts.size === 0) return request.reply({ message: joined });
    let waiting = parts.size;
    for (const [partition, nths] of parts) {
      this.ask(asked, partition, routing.part(checked, nths), () => routing.forwarded(message, nths), (reply) => {
        routing.join(joined, nths, reply);
        waiting -= 1;
        if (waiting === 0) request.reply({ message: joined });
      });
    }
  }

  /** Gets one of several replies, from the leader of a partition at this broker or another. */
  private ask(
    asked: Checked, partition: Partition, part: object, forwarded: () => object, settle: (reply: Reply) => void,
  ): void {
    const { request: { command }, by } = asked;
    const host = this.hosts[partition]!;
    const to: ReplyReceiver = { replyTo: 'replyTo', reply: settle };
    if (host.leader) return host.leader.handle(command, part, { to, by });
    if (!host.isFollowing) return settle({ refused: host.whyNot });
    void this.options.peers.ask(command, partition, forwarded(), by, command.holdMs?.(part) ?? 0).then(settle);
  }

  /** @throws Invalid WRONG_PARTITION */
  private existing(partition: Partition): Partition {
    if (partition < this.hosts.length) return partition;
    throw new Invalid('WRONG_PARTITION', `partition ${partition} does not exist; there are ${this.hosts.length}`);
  }
}
