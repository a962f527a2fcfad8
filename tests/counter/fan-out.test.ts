/** A task with many steps: 10,000 commands from a recorded cursor, so many in a turn, and not too many under way. */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { jobKind } from '../../actors/job/job.kind.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { decodeCommit } from '../../streams/contents.js';
import { startServer } from '../../streams/server/start.js';
import { ThreeLeaders } from './conformance/leaders.js';
import { jetstreamRig, memoryRig, type MakeRig } from './conformance/rigs.js';
import { counterKind, MOST_UNDER_WAY, startCounter } from './counter.js';

const TIMES = 10_000;
const SLICE = 50;
const [P0, P1] = [0, 1] as [Partition, Partition];

async function spread(t: Test, makeRig: MakeRig): Promise<void> {
  const rig = await makeRig();
  const leaders = new ThreeLeaders(rig);
  t.teardown(async () => {
    await leaders.stop();
    await rig.close();
  });
  await Promise.all([P0, P1].map((partition) => leaders.leading(partition)));

  const started = performance.now();
  await leaders.decide(P0, (step, replyTo) => {
    startCounter(step, 'many', { to: P1, everyMs: 0, times: TIMES, slice: SLICE }, replyTo);
  });
  let mostUnderWay = 0;
  const isPast = async (share: number): Promise<boolean> => {
    const leader = await leaders.leading(P0);
    const { rung, accepted, refused } = leader.read(counterKind).get('many')!;
    mostUnderWay = Math.max(mostUnderWay, rung - accepted - refused.length);
    return accepted + refused.length >= TIMES * share;
  };
  for (const [partition, share] of [[P0, 0.3], [P1, 0.6], [P0, 0.7]] as const) {
    while (!(await isPast(share))) await wait(1);
    t.notOk(await isPast(1), 'it is in the middle');
    await leaders.changeLeader(partition);
  }
  while (!(await isPast(1))) await wait(1);
  t.comment(`${TIMES} commands in ${Math.round(performance.now() - started)} ms, ${mostUnderWay} under way at most`);

  const counter = (await leaders.leading(P0)).read(counterKind).get('many');
  t.match(counter, { status: 'ended', rung: TIMES, accepted: TIMES - 1 });
  const keys = [...(await leaders.leading(P1)).read(jobKind).all()].map(({ key }) => key);
  t.strictSame(keys, Array.from({ length: TIMES - 1 }, (_, nth) => `many-${nth + 2}`));
  t.ok(mostUnderWay < MOST_UNDER_WAY + SLICE, 'it waits while many are under way');
  let mostEvents = 0;
  const journal = await rig.open(P0);
  for await (const { bytes } of journal.replay(1)) mostEvents = Math.max(mostEvents, decodeCommit(bytes).events.length);
  await journal.close();
  t.ok(mostEvents <= LIMITS.commitEvents, `${mostEvents} events in a commit`);
}

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
for (const [name, makeRig] of [['memory', memoryRig], ['jetstream', jetstreamRig(server.brokerUrl)]] as const) {
  t.test(`${name}: given 10,000 commands and leaders that change, then each is done once and in order`, (t) =>
    spread(t, makeRig));
}

t.test('given a leader that is stopped during a long task, then it ends before the task does', async (t) => {
  const leaders = new ThreeLeaders(await memoryRig());
  t.teardown(() => leaders.stop());
  await Promise.all([P0, P1].map((partition) => leaders.leading(partition)));
  await leaders.decide(P0, (step, replyTo) => {
    startCounter(step, 'long', { to: P1, everyMs: 0, times: TIMES, slice: 1 }, replyTo);
  });
  const leader = await leaders.leading(P0);
  await leader.stop();
  t.ok(leader.read(counterKind).get('long')!.rung < TIMES, 'it did not finish its task first');
  t.match(await leader.lost, { kind: 'stopped' });
});
