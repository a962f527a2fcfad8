/** Three leaders with their couriers, over journals in memory and a network that loses, repeats and delays. */
import pino from 'pino';
import t, { type Test } from 'tap';
import type { ReplyReceiver, ReplyTo, Reply } from '../../actors/reply.js';
import type { Step } from '../../actors/step.js';
import { jobKind } from '../../actors/job/job.kind.js';
import type { Delivery } from '../../partition/core/deliveries.js';
import { KEYRING } from '../../partition/core/play.js';
import { PartitionHost } from '../../partition/leader/host.js';
import type { Partition } from '../../protocols/ids.js';
import { outbox } from '../../protocols/messages.js';
import { MemoryStream } from '../../streams/memory.js';
import { counterKind, startCounter } from './counter.js';
import { deliverables, KINDS_WITH_COUNTER, PARTITIONS } from './world.js';

/** What happens to a request between leaders. */
type Fault = 'request lost' | 'reply lost' | 'delivered twice' | 'none';

class World {
  readonly streams = PARTITIONS.map((partition) => new MemoryStream(partition));
  readonly hosts: PartitionHost[] = [];
  private sent = 0;

  constructor(private readonly faults: readonly Fault[]) {
    for (const partition of PARTITIONS) this.lead(partition);
  }

  lead(partition: Partition): void {
    const stream = this.streams[partition]!;
    const host = new PartitionHost({
      partition, kinds: KINDS_WITH_COUNTER, keyring: KEYRING, broker: 'test', maxCommitBytes: 500_000, followers: [],
      log: pino({ level: 'silent' }), deliverables, deliver: (to, bytes) => this.deliver(to, bytes),
      clock: { nowMs: () => Date.now(), monoMs: () => performance.now(), draw: () => 0.5 },
      leadership: { tryAcquire: async () => true, renew: async () => true, release: async () => {}, validForMs: () => 1_000 },
      archive: () => ({ find: async () => undefined }), openJournal: () => stream.open(), knownHeads: async () => [],
      onHead: () => {}, onLeading: () => {}, onFollowing: () => {},
    });
    this.hosts[partition] = host;
    host.start();
  }

  async changeLeader(partition: Partition): Promise<void> {
    const before = this.hosts[partition]!;
    this.lead(partition);
    await before.stop();
  }

  async leading(partition: Partition): Promise<NonNullable<PartitionHost['leader']>> {
    for (;;) {
      const { leader } = this.hosts[partition]!;
      if (leader) return leader;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async decide(partition: Partition, decide: (step: Step, replyTo: ReplyTo) => void): Promise<void> {
    for (let isDone = false; !isDone; ) {
      const leader = await this.leading(partition);
      isDone = await new Promise<boolean>((resolve) => {
        const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: (reply) => resolve(reply.message !== undefined) };
        leader.decide(replyTo, (step) => decide(step, replyTo));
      });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
  }

  private async deliver(to: Partition, bytes: Uint8Array): Promise<Uint8Array> {
    const fault = this.faults[(this.sent += 1) % this.faults.length]!;
    if (fault === 'request lost') throw new Error(fault);
    if (fault === 'delivered twice') await this.receive(to, bytes);
    const reply = await this.receive(to, bytes);
    if (fault === 'reply lost') throw new Error(fault);
    return reply;
  }

  private receive(to: Partition, bytes: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const answer = (reply: Reply): void => {
        if (reply.refused) reject(new Error(reply.refused.code));
        else resolve(outbox.DeliveryReply.encode(reply.message).finish());
      };
      const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: answer };
      const { leader } = this.hosts[to]!;
      if (leader) leader.receive(outbox.Delivery.decode(bytes) as unknown as Delivery, replyTo);
      else reject(new Error('no leader'));
    });
  }
}

const TIMES = 20;
const P0 = 0 as Partition;

async function counted(t: Test, faults: readonly Fault[], disturb: (world: World) => Promise<void>): Promise<void> {
  const world = new World(faults);
  t.teardown(() => world.stop());
  await Promise.all(PARTITIONS.map((partition) => world.leading(partition)));
  for (const to of PARTITIONS) {
    await world.decide(P0, (step, replyTo) => startCounter(step, `to-${to}`, { to, everyMs: 1, times: TIMES }, replyTo));
  }
  await disturb(world);
  for (const to of PARTITIONS) {
    for (;;) {
      const counter = (await world.leading(P0)).read(counterKind).get(`to-${to}`);
      if (counter?.status === 'ended') break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const keys = [...(await world.leading(to)).read(jobKind).all()].map(({ key }) => key);
    t.strictSame(keys, Array.from({ length: TIMES - 1 }, (_, nth) => `to-${to}-${nth + 2}`), `partition ${to}`);
    const counter = (await world.leading(P0)).read(counterKind).get(`to-${to}`);
    t.match(counter, { rung: TIMES, accepted: TIMES - 1, refused: ['UNSUPPORTED'] });
  }
}

const table: Fault[][] = [['none'], ['none', 'request lost'], ['none', 'reply lost'], ['none', 'delivered twice']];

for (const faults of table) {
  t.test(`given a network with "${faults.at(-1)}", then each command is done once and in order`, async (t) => {
    await counted(t, faults, async () => {});
  });
}

t.test('given leaders that change while commands are under way, then each is done once and in order', async (t) => {
  await counted(t, ['none', 'reply lost', 'request lost', 'delivered twice'], async (world) => {
    for (let round = 0; round < 4; round += 1) {
      for (const partition of PARTITIONS) {
        await world.leading(partition);
        await world.changeLeader(partition);
      }
    }
  });
});
