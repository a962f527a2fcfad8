/** Deciding again across three partitions, with a kind that exists in tests alone, whatever is lost or repeated. */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { PartitionCore } from '../../partition/core/core.js';
import { KEYRING, salts } from '../play.js';
import type { Partition } from '../../protocols/ids.js';
import { decodeCommit } from '../../streams/contents.js';
import { differencesOf } from '../deciding/differences.js';
import { KINDS_WITH_COUNTER, PARTITIONS, ThreePartitions } from './world.js';

type Act =
  | { do: 'tick'; at: number; ms: number }
  | { do: 'deliver' | 'deliver in vain' | 'lose the reply'; from: number; to: number }
  | { do: 'change leader'; at: number };

const place = fc.nat(2);
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('tick' as const), at: place, ms: fc.constantFrom(0, 10, 50) }),
  fc.record({
    do: fc.constantFrom('deliver' as const, 'deliver in vain' as const, 'lose the reply' as const),
    from: place, to: place,
  }),
  fc.record({ do: fc.constant('change leader' as const), at: place }),
);

function perform(world: ThreePartitions, act: Act): void {
  if (act.do === 'tick') return world.parts[act.at]!.tick(act.ms);
  if (act.do === 'change leader') return world.parts[act.at]!.changeLeader();
  const [from, to] = [act.from as Partition, act.to as Partition];
  const delivery = world.next(from, to);
  const reply = delivery && world.receive(to, delivery, act.do === 'deliver in vain');
  if (reply && act.do === 'deliver') world.settle(from, to, reply);
}

function played(script: readonly Act[]): ThreePartitions {
  const world = new ThreePartitions();
  for (const at of PARTITIONS) {
    for (const to of PARTITIONS) world.start(at, `from-${at}-to-${to}`, { to, everyMs: 10, times: 3 });
  }
  for (const act of script) perform(world, act);
  return world;
}

const empty = (partition: Partition) =>
  new PartitionCore({ partition, kinds: KINDS_WITH_COUNTER, keyring: KEYRING, salts }).state;

t.test('property: every partition’s journal alone comes to the bytes in it', async () => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 80, size: 'max' }), (script) => {
    for (const { partition, commits } of played(script).parts) {
      deepStrictEqual(differencesOf(commits, empty(partition)), []);
    }
  }), { numRuns: 60 });
});

t.test('counters that ring, are answered and end are decided again, as are the jobs they submit', async (t) => {
  const round = PARTITIONS.flatMap((from): Act[] => [
    { do: 'tick', at: from, ms: 20 }, ...PARTITIONS.map((to): Act => ({ do: 'deliver', from, to })),
  ]);
  const world = played([...round, ...round, ...round, ...round]);
  const types = new Set<string>();
  for (const { partition, commits } of world.parts) {
    t.strictSame(differencesOf(commits, empty(partition)), [], `partition ${partition}`);
    for (const bytes of commits) for (const { type } of decodeCommit(bytes).events) types.add(type ?? '');
  }
  t.strictSame([...types].sort(), [
    'CommandReceived', 'CommandSent', 'CommandsAnswered', 'CounterAnswered', 'CounterEnded', 'CounterRang',
    'CounterStarted', 'JobSubmitted',
  ]);
});
