/** Leaders of three partitions with their couriers, and a network between them that loses, repeats and delays. */
import { setTimeout as wait } from 'node:timers/promises';
import pino, { type Logger } from 'pino';
import type { CastMember } from '../../../actors/cast.js';
import type { Deliverables } from '../../../actors/delivery.js';
import { message, type ReplyReceiver, type ReplyTo, type Reply } from '../../../actors/reply.js';
import type { Step } from '../../../actors/step.js';
import type { Delivery } from '../../../partition/core/deliveries.js';
import { KEYRING } from '../../play.js';
import type { Deliver } from '../../../partition/leader/courier.js';
import { PartitionHost } from '../../../partition/leader/host.js';
import type { Leader } from '../../../partition/leader/leader.js';
import type { Partition } from '../../../protocols/ids.js';
import { noPartition, refuseDelivery } from '../../../gateways/deliverables.js';
import { outbox } from '../../../protocols/messages.js';
import { deliverables, KINDS_WITH_COUNTER, PARTITIONS } from '../world.js';
import type { Rig } from './rigs.js';

/** What happens to a request between leaders. One that is late arrives when it was given up. */
export type Fault = 'none' | 'request lost' | 'reply lost' | 'delivered twice' | 'late';

export interface LeadersOptions {
  /** Of the requests, in turn. */
  readonly faults?: readonly Fault[];
  readonly kinds?: readonly CastMember[];
  readonly deliverables?: Deliverables;
  readonly log?: Logger;
  /** In place of the network. */
  readonly deliver?: Deliver;
}

const LATE_MS = 40;

export class ThreeLeaders {
  readonly hosts: PartitionHost[] = [];
  private sent = 0;
  private readonly late = new Set<Promise<unknown>>();

  constructor(
    private readonly rig: Rig,
    private readonly options: LeadersOptions = {},
  ) {
    for (const partition of PARTITIONS) this.lead(partition);
  }

  /** Another host takes the partition over, while the one before still takes itself for the leader. */
  async changeLeader(partition: Partition): Promise<void> {
    await this.leading(partition);
    const before = this.hosts[partition]!;
    this.lead(partition);
    await before.stop();
  }

  async leading(partition: Partition): Promise<Leader> {
    for (;;) {
      const { leader } = this.hosts[partition]!;
      if (leader) return leader;
      await wait(5);
    }
  }

  /** Decides until it is committed. */
  async decide(partition: Partition, decide: (step: Step, replyTo: ReplyTo) => void): Promise<void> {
    for (let isDone = false; !isDone; ) {
      const leader = await this.leading(partition);
      isDone = await new Promise<boolean>((resolve) => {
        const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: (reply) => resolve(reply.message !== undefined) };
        leader.decide(replyTo, (step) => decide(step, replyTo));
      });
    }
  }

  /** Resolves when everything that was decided until now is committed. */
  committed(partition: Partition): Promise<void> {
    return this.decide(partition, (step, replyTo) => step.answer(replyTo, () => message({}), undefined));
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    await Promise.allSettled(this.late);
  }

  /** To the leader that the partition has now, without faults. */
  receive(to: Partition, bytes: Uint8Array): Promise<Uint8Array> {
    const { length } = PARTITIONS;
    if (to >= length) return Promise.resolve(refuseDelivery(bytes, noPartition(to, length)));
    return new Promise((resolve, reject) => {
      const answer = (reply: Reply): void => {
        if (reply.refused) reject(new Error(`${reply.refused.code}: ${reply.refused.message}`));
        else resolve(outbox.DeliveryReply.encode(reply.message).finish());
      };
      const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: answer };
      const { leader } = this.hosts[to]!;
      if (leader) leader.receive(outbox.Delivery.decode(bytes) as unknown as Delivery, replyTo);
      else reject(new Error('no leader'));
    });
  }

  private lead(partition: Partition): void {
    const { kinds = KINDS_WITH_COUNTER, deliverables: received = deliverables, log, deliver } = this.options;
    const host = new PartitionHost({
      partition, kinds, keyring: KEYRING, broker: 'test', maxCommitBytes: 500_000, release: '0.0.0', followers: [],
      log: log ?? pino({ level: 'silent' }), deliverables: received,
      deliver: deliver ?? ((to, bytes) => this.deliver(to, bytes)),
      clock: { nowMs: () => Date.now(), monoMs: () => performance.now(), draw: () => 0.5 },
      leadership: {
        tryAcquire: async () => true, renew: async () => true, release: async () => {}, validForMs: () => 1_000,
      },
      archive: () => ({ find: async () => undefined }),
      openJournal: () => this.rig.open(partition), knownHeads: async () => [],
      onHead: () => {}, onLeading: () => {}, onFollowing: () => {},
    });
    this.hosts[partition] = host;
    host.start();
  }

  private async deliver(to: Partition, bytes: Uint8Array): Promise<Uint8Array> {
    const { faults = ['none'] } = this.options;
    const fault = faults[(this.sent += 1) % faults.length]!;
    switch (fault) {
      case 'none': return this.receive(to, bytes);
      case 'request lost': throw new Error(fault);
      case 'reply lost':
        await this.receive(to, bytes);
        throw new Error(fault);
      case 'delivered twice':
        await this.receive(to, bytes);
        return this.receive(to, bytes);
      case 'late':
        this.late.add(wait(LATE_MS).then(() => this.receive(to, bytes)).catch(() => {}));
        throw new Error(fault);
      default: return fault satisfies never;
    }
  }
}
