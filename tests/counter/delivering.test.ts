/** Each command is done once and in order, whatever is lost, repeated or delayed, and whichever leader decides. */
import fc from 'fast-check';
import t from 'tap';
import { jobKind } from '../../actors/job/job.kind.js';
import { placesOf, restore, viewOf } from '../../partition/core/state.js';
import { PartitionCore } from '../../partition/core/core.js';
import type { Delivery } from '../../partition/core/deliveries.js';
import type { Refusal } from '../../partition/core/outbox.js';
import { KEYRING, salts } from '../play.js';
import type { Partition } from '../../protocols/ids.js';
import { counterKind } from './counter.js';
import { KINDS_WITH_COUNTER, PARTITIONS, ThreePartitions } from './world.js';

type Act =
  | { do: 'tick'; at: number; ms: number }
  | { do: 'deliver' | 'deliver in vain' | 'lose the reply' | 'keep for later'; from: number; to: number }
  | { do: 'arrive late' }
  | { do: 'settle in vain' }
  | { do: 'change leader'; at: number };

const place = fc.nat(2);
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('tick' as const), at: place, ms: fc.constantFrom(0, 10, 50) }),
  fc.record({
    do: fc.constantFrom(...(['deliver', 'deliver in vain', 'lose the reply', 'keep for later'] as const)),
    from: place, to: place,
  }),
  fc.record({ do: fc.constant('arrive late' as const) }),
  fc.record({ do: fc.constant('settle in vain' as const) }),
  fc.record({ do: fc.constant('change leader' as const), at: place }),
);

interface Replied {
  receivedSeq: number;
  refused: Refusal[];
}

class Network {
  private readonly deliveries: { to: Partition; delivery: Delivery }[] = [];
  private readonly replies: { from: Partition; to: Partition; reply: Replied }[] = [];

  constructor(private readonly world: ThreePartitions) {}

  act(act: Act): void {
    const { world } = this;
    switch (act.do) {
      case 'tick': return world.parts[act.at]!.tick(act.ms);
      case 'change leader': return world.parts[act.at]!.changeLeader();
      case 'arrive late': return this.late();
      case 'settle in vain': return this.settleInVain();
      default: return this.deliver(act, act.from as Partition, act.to as Partition);
    }
  }

  private deliver(act: Act, from: Partition, to: Partition): void {
    const { world } = this;
    const delivery = world.next(from, to);
    if (delivery === undefined) return;
    if (act.do === 'keep for later') return void this.deliveries.push({ to, delivery });
    const reply = world.receive(to, delivery, act.do === 'deliver in vain');
    if (reply === undefined) return;
    if (act.do === 'lose the reply') this.replies.push({ from, to, reply });
    else world.settle(from, to, reply);
  }

  /** What was under way for long arrives: requests that were sent again meanwhile, replies that were given up. */
  private late(): void {
    const request = this.deliveries.shift();
    if (request) this.world.receive(request.to, request.delivery);
    const late = this.replies.shift();
    if (late) this.world.settle(late.from, late.to, late.reply);
  }

  private settleInVain(): void {
    const late = this.replies[0];
    if (late) this.world.settle(late.from, late.to, late.reply, true);
  }
}

/** Until nothing is under way any more. */
function finish(world: ThreePartitions): void {
  const network = new Network(world);
  for (let round = 0; round < 40; round += 1) {
    for (const at of PARTITIONS) {
      world.parts[at]!.tick(100);
      for (const to of PARTITIONS) network.act({ do: 'deliver', from: at, to });
    }
  }
}

const TIMES = 6;
const started = (): ThreePartitions => {
  const world = new ThreePartitions();
  for (const at of PARTITIONS) {
    for (const to of PARTITIONS) world.start(at, `from-${at}-to-${to}`, { to, everyMs: 10, times: TIMES });
  }
  return world;
};

t.test('property: each command is done once and in order, and its sender learns whether it was accepted', async (t) => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 120, size: 'max' }), (script) => {
    const world = started();
    const network = new Network(world);
    for (const act of script) network.act(act);
    finish(world);
    for (const to of PARTITIONS) {
      const keys = [...world.parts[to]!.core.read(jobKind).all()].map(({ key }) => key);
      for (const from of PARTITIONS) {
        const id = `from-${from}-to-${to}`;
        const expected = Array.from({ length: TIMES - 1 }, (_, nth) => `${id}-${nth + 2}`);
        t.strictSame(keys.filter((key) => key.startsWith(id)), expected, 'the first was refused and held nothing up');
        const counter = world.parts[from]!.core.read(counterKind).get(id);
        t.match(counter, { status: 'ended', rung: TIMES, accepted: TIMES - 1, refused: ['UNSUPPORTED'] });
      }
    }
    return true;
  }), { numRuns: 60 });
});

t.test('property: the journal folds to the state that decided it, and the view restores it', async (t) => {
  const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  fc.assert(fc.property(fc.array(acts, { maxLength: 60 }), (script) => {
    const world = started();
    const network = new Network(world);
    for (const act of script) network.act(act);
    for (const part of world.parts) {
      const view = json(viewOf(part.core.state));
      const { partition } = part;
      const restored = new PartitionCore({ partition, kinds: KINDS_WITH_COUNTER, keyring: KEYRING, salts });
      restore(restored.state, view, json(placesOf(part.core.state)));
      t.strictSame(json(viewOf(restored.state)), view, 'restored');
      part.changeLeader();
      t.strictSame(json(viewOf(part.core.state)), view, 'folded');
    }
    return true;
  }), { numRuns: 60 });
});

t.test('a restored state goes on: its timers fire', async (t) => {
  const world = new ThreePartitions();
  world.start(0 as Partition, 'c', { to: 1 as Partition, everyMs: 10, times: 2 });
  const [part] = world.parts;
  const core = new PartitionCore({ partition: 0 as Partition, kinds: KINDS_WITH_COUNTER, keyring: KEYRING, salts });
  restore(core.state, viewOf(part!.core.state), placesOf(part!.core.state));
  core.tick({ ...part!.moment, nowMs: part!.moment.nowMs + 15 });
  t.equal(core.read(counterKind).get('c')?.rung, 1);
});
