/** Decisions that throw: a request is refused once, an actor is set aside, and the leader goes on leading. */
import pino from 'pino';
import t from 'tap';
import type { AsideActor } from '../../actors/actor/aside.js';
import type { CastMember } from '../../actors/cast.js';
import type { Kind } from '../../actors/kind.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { KINDS } from '../../actors/kinds.js';
import { message, type Reply, type ReplyReceiver } from '../../actors/reply.js';
import type { Step } from '../../actors/step.js';
import { Chain } from '../../streams/chain.js';
import type { Partition } from '../../protocols/ids.js';
import { job as messages } from '../../protocols/messages.js';
import { ThreeLeaders } from './conformance/leaders.js';
import { memoryRig } from './conformance/rigs.js';
import { counterKind, counters, startCounter, type CounterRole } from './counter.js';

const P0 = 0 as Partition;

/** `x-apply` cannot apply that it rang, `x-due` throws when it is due, `x-answered` when it is answered. */
const breakingKind: Kind<CounterRole> = {
  ...counterKind,
  apply(counter, event, id, at) {
    if (id === 'x-apply' && event.type === 'CounterRang') throw new Error('it cannot be applied');
    return counterKind.apply(counter, event, id, at);
  },
};

function cast(): readonly CastMember[] {
  const plain = counters((_, nth) => messages.SubmitJobs.encode({ jobs: [{ type: 'x', key: `k${nth}` }] }).finish());
  const breaking: CastMember<CounterRole> = {
    ...plain,
    kind: breakingKind,
    due(step, counter) {
      if (counter.id === 'x-due') throw new Error('it cannot be decided');
      plain.due!(step, counter);
    },
    answered(step, answered) {
      if (answered.id === 'x-answered') throw new Error('the answer is of no use');
      plain.answered!(step, answered);
    },
  };
  return [...KINDS, breaking];
}

const log = pino({ level: 'silent' });
const started = async (): Promise<ThreeLeaders> => {
  const leaders = new ThreeLeaders(await memoryRig(), { kinds: cast(), log });
  await leaders.leading(P0);
  return leaders;
};

async function replied(leaders: ThreeLeaders, decide: (step: Step, to: ReplyReceiver) => void): Promise<Reply> {
  const leader = await leaders.leading(P0);
  return new Promise((resolve) => {
    const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: resolve };
    leader.decide(replyTo, (step) => decide(step, replyTo));
  });
}

const every = { to: P0, everyMs: 1, times: 1 };
const epochOf = async (leaders: ThreeLeaders): Promise<number> => (await leaders.leading(P0)).epoch;

t.test('given a request whose decision throws before it changes anything, then the same leader goes on', async (t) => {
  const leaders = await started();
  t.teardown(() => leaders.stop());
  const rare = { ...every, everyMs: 3_600_000 };
  await leaders.decide(P0, (step, to) => startCounter(step, 'a', rare, to));
  for (let time = 0; time < 3; time += 1) {
    const reply = await replied(leaders, (step, to) => startCounter(step, 'a', rare, to));
    t.match(reply.refused, { code: 'UNPROCESSABLE', message: /names status counting, but from counting/ });
    await leaders.decide(P0, (step, to) => startCounter(step, `b${time}`, rare, to));
  }
  t.equal(await epochOf(leaders), 1, 'no other leader was needed');
});

t.test('given one that throws after it has changed something, then it is refused, and nothing is left', async (t) => {
  const leaders = await started();
  t.teardown(() => leaders.stop());
  const reply = await replied(leaders, (step, to) => {
    startCounter(step, 'a', every, to);
    startCounter(step, 'a', every);
  });
  t.match(reply.refused, { code: 'UNPROCESSABLE' });
  await leaders.decide(P0, (step, to) => startCounter(step, 'b', { ...every, everyMs: 3_600_000 }, to));
  const leader = await leaders.leading(P0);
  t.strictSame([leader.read(breakingKind).get('a'), leader.epoch], [undefined, 2]);
});

async function asideOf(leaders: ThreeLeaders, id: string): Promise<AsideActor | undefined> {
  let found: AsideActor | undefined;
  await leaders.decide(P0, (step, to) => {
    found = step.setAside.get(breakingKind.name, id);
    step.answer(to, () => message({}), undefined);
  });
  return found;
}

for (const [id, why] of [
  ['x-due', 'it cannot be decided'], ['x-apply', 'it cannot be applied'], ['x-answered', 'the answer is of no use'],
] as const) {
  t.test(`given an actor that breaks its leader (${id}), then it is set aside, and all others go on`, async (t) => {
    const leaders = await started();
    t.teardown(() => leaders.stop());
    await leaders.decide(P0, (step, to) => startCounter(step, id, every, to));
    await leaders.decide(P0, (step, to) => startCounter(step, 'y', { ...every, times: 3 }, to)).catch(() => {});
    while ((await leaders.leading(P0)).read(breakingKind).get('y')?.status !== 'ended') await leaders.committed(P0);
    const expected = { kind: 'counter', id, reason: 'decision', status: 'counting', detail: why };
    t.match(await asideOf(leaders, id), expected);
    t.equal(await epochOf(leaders), 3, 'two leaders broke');
    t.equal((await leaders.leading(P0)).read(breakingKind).get(id), undefined);
    await leaders.changeLeader(P0);
    t.match(await asideOf(leaders, id), expected, 'it is recorded');
    t.equal((await leaders.leading(P0)).read(jobKind).size > 0, true);
  });
}

t.test('an actor is set aside behind a version barrier', async (t) => {
  const rig = await memoryRig();
  const leaders = new ThreeLeaders(rig, { kinds: cast(), log });
  await leaders.decide(P0, (step, to) => startCounter(step, 'x-due', every, to));
  while ((await epochOf(leaders)) < 3) await leaders.committed(P0);
  await leaders.committed(P0);
  await leaders.stop();
  const chain = new Chain(P0);
  const types: string[] = [];
  for await (const stored of (await rig.open(P0)).replay(1)) {
    const accepted = chain.accept(stored);
    if (accepted.kind === 'commit') types.push(...accepted.commit.events.map(({ type }) => type ?? ''));
  }
  t.strictSame(types.slice(-2), ['VersionBarrier', 'ActorSetAside']);
  t.equal(chain.head?.minReader, 3);
  await rig.close();
});
