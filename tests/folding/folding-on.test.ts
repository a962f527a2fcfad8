/** Properties of random journals of every kind: whichever snapshot folding begins with, it leads to the same state. */
import fc from 'fast-check';
import t from 'tap';
import { PartitionCore } from '../../partition/core/core.js';
import type { Partition } from '../../protocols/ids.js';
import { acts, Actors } from '../acts.js';
import { KINDS_WITH_COUNTER, PARTITIONS, ThreePartitions } from '../counter/world.js';
import { KEYRING, newCore, salts } from '../play.js';
import { CASES, journalOf, led, poisoned } from '../poisoned.js';
import { commitsOf, wrongFrom, type Commit } from './folding-on.js';

const upTo = (commits: readonly Commit[]): number[] => Array.from({ length: commits.length + 1 }, (_, nth) => nth);

t.test('property: jobs, workers and queues', async () => {
  await fc.assert(fc.asyncProperty(fc.array(acts, { maxLength: 50 }), fc.nat(), async (script, at) => {
    const actors = new Actors();
    for (const act of script) actors.act(act);
    const commits = commitsOf(actors.play.commits);
    return (await wrongFrom(commits, newCore, [at % commits.length])) === undefined;
  }), { numRuns: 60 });
});

const partition = fc.constantFrom(...PARTITIONS);
const counting = fc.oneof(
  fc.record({
    do: fc.constant('start' as const), at: partition, to: partition, times: fc.integer({ min: 1, max: 6 }),
    everyMs: fc.constantFrom(0, 100, 1_000), slice: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ do: fc.constant('tick' as const), at: partition, ms: fc.constantFrom(0, 100, 1_000) }),
  fc.record({ do: fc.constant('deliver' as const), at: partition, to: partition, isAnswered: fc.boolean() }),
);

t.test('property: counters, which submit jobs in other partitions through the outbox', async () => {
  await fc.assert(fc.asyncProperty(fc.array(counting, { maxLength: 40 }), fc.nat(), async (script, cut) => {
    const world = new ThreePartitions();
    for (const [nth, act] of script.entries()) {
      const { at } = act;
      if (act.do === 'tick') world.parts[at]!.tick(act.ms);
      else if (act.do === 'start') {
        const { to, everyMs, times, slice } = act;
        world.start(at, `c${nth}`, { to, everyMs, times, slice });
      } else {
        const delivery = world.next(at, act.to);
        const reply = delivery && world.receive(act.to, delivery);
        if (reply && act.isAnswered) world.settle(at, act.to, reply);
      }
    }
    for (const { partition: of, commits: bytes } of world.parts) {
      const commits = commitsOf(bytes);
      if (await wrongFrom(commits, () => counterCore(of), [cut % commits.length])) return false;
    }
    return true;
  }), { numRuns: 40 });
});

const counterCore = (of: Partition): PartitionCore =>
  new PartitionCore({ partition: of, kinds: KINDS_WITH_COUNTER, keyring: KEYRING, salts });

const DROPPED = ['dropped'] as const;
const REPAIRS = [...DROPPED, 'ready', 'failed'] as const;
const numbered = (commits: readonly Commit['commit'][]): Commit[] =>
  commits.map((commit, nth) => ({ seq: nth + 1, commit }));

for (const [what, type, change, { status }] of CASES) {
  t.test(`given ${what}, which sets an actor aside, from a snapshot after any commit`, async (t) => {
    const of = poisoned(type, change);
    const commits = numbered(of.commits);
    t.equal(await wrongFrom(commits, newCore, upTo(commits)), undefined);
    for (const as of status === 'absent' ? DROPPED : REPAIRS) {
      const play = led(of);
      const repair = { of: 'job', id: of.id, partition: PARTITIONS[0]!, as, reason: 'seen', commandId: 'r' };
      t.match(play.ask({ kind: 'repair', ...repair, by: 'operator' }).answer, { answer: { as, duplicate: false } });
      // The ids of the two that are there.
      for (let nth = 0; nth < 2; nth += 1) play.nextId();
      play.submit();
      const all = [...commits, ...numbered(journalOf(play, (event) => [event])).slice(commits.length)];
      t.equal(await wrongFrom(all, newCore, upTo(all)), undefined, as);
    }
  });
}
