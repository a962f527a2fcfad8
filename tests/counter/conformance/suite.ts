/** What commands between partitions must do on every journal: each is done once, in order, and is answered once. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { jobKind } from '../../../actors/job/job.kind.js';
import type { Partition } from '../../../protocols/ids.js';
import { counterKind, startCounter } from '../counter.js';
import { PARTITIONS } from '../world.js';
import { ThreeLeaders, type Fault } from './leaders.js';
import type { MakeRig, Rig } from './rigs.js';

const TIMES = 15;
const nameOf = (from: Partition, to: Partition): string => `from-${from}-to-${to}`;

type Disturb = (leaders: ThreeLeaders, rig: Rig) => Promise<void>;

/** A counter from each partition to each. */
async function counted(t: Test, rig: Rig, faults: readonly Fault[], disturb: Disturb = async () => {}): Promise<void> {
  const leaders = new ThreeLeaders(rig, { faults });
  t.teardown(() => leaders.stop());
  for (const from of PARTITIONS) {
    await leaders.decide(from, (step, replyTo) => {
      for (const to of PARTITIONS) startCounter(step, nameOf(from, to), { to, everyMs: 1, times: TIMES });
      startCounter(step, 'replyTo', { to: from, everyMs: 3_600_000, times: 1 }, replyTo);
    });
  }
  await disturb(leaders, rig);
  for (const from of PARTITIONS) {
    for (const to of PARTITIONS) await ended(leaders, from, nameOf(from, to));
  }
  // What the next leaders fold from the journals is what counts.
  for (const partition of PARTITIONS) await leaders.changeLeader(partition);
  for (const from of PARTITIONS) {
    for (const to of PARTITIONS) await checkCounter(t, leaders, from, to);
  }
}

/** Also in the journal. */
async function ended(leaders: ThreeLeaders, partition: Partition, id: string): Promise<void> {
  const hasEnded = async (): Promise<boolean> =>
    (await leaders.leading(partition)).read(counterKind).get(id)?.status === 'ended';
  do {
    while (!(await hasEnded())) await wait(10);
    await leaders.committed(partition);
  } while (!(await hasEnded()));
}

async function checkCounter(t: Test, leaders: ThreeLeaders, from: Partition, to: Partition): Promise<void> {
  const id = nameOf(from, to);
  const keys = [...(await leaders.leading(to)).read(jobKind).all()].map(({ key }) => key);
  const expected = Array.from({ length: TIMES - 1 }, (_, nth) => `${id}-${nth + 2}`);
  t.strictSame(keys.filter((key) => key.startsWith(`${id}-`)), expected, `${id}: once and in order, without the first`);
  const counter = (await leaders.leading(from)).read(counterKind).get(id);
  t.match(counter, { rung: TIMES, accepted: TIMES - 1, refused: ['UNSUPPORTED'] }, `${id}: every answer, once`);
}

const ONCE = 'then each command is done once and in order, and answered once';
const ALL: readonly Fault[] = ['none', 'reply lost', 'request lost', 'delivered twice', 'late'];

const specs: Record<string, (t: Test, rig: Rig) => Promise<void>> = {};

for (const fault of ALL) {
  specs[`given a network with "${fault}", ${ONCE}`] = (t, rig) => counted(t, rig, ['none', fault]);
}

specs[`given leaders that change while commands are under way, ${ONCE}`] = (t, rig) =>
  counted(t, rig, ALL, async (leaders) => {
    for (let round = 0; round < 3; round += 1) {
      for (const partition of PARTITIONS) await leaders.changeLeader(partition);
    }
  });

specs[`given leaders of all partitions that change at once, ${ONCE}`] = (t, rig) =>
  counted(t, rig, ALL, async (leaders) => {
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(PARTITIONS.map((partition) => leaders.changeLeader(partition)));
      await wait(60);
    }
  });

specs[`given ambiguous commits, ${ONCE}`] = (t, rig) =>
  counted(t, rig, ALL, async (leaders) => {
    for (const mishap of ['cut before', 'cut after', 'cut after', 'cut before'] as const) {
      for (const partition of PARTITIONS) {
        await leaders.leading(partition);
        rig.mishap(partition, mishap);
      }
      await wait(150);
    }
  });

specs[`given connections to the journals that break, ${ONCE}`] = (t, rig) =>
  counted(t, rig, ALL, async (leaders) => {
    for (let round = 0; round < 3; round += 1) {
      for (const partition of PARTITIONS) {
        await leaders.leading(partition);
        rig.disconnect(partition);
      }
      await wait(100);
    }
  });

export function conformance(t: Test, name: string, makeRig: MakeRig): void {
  for (const [says, spec] of Object.entries(specs)) {
    void t.test(`${name}: ${says}`, { buffered: true }, async (t) => {
      const rig = await makeRig();
      t.teardown(() => rig.close());
      await spec(t, rig);
    });
  }
}
