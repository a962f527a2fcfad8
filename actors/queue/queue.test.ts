/** Given events, when a command, then events: what becomes of a queue, and of the jobs in it. */
import fc from 'fast-check';
import t from 'tap';
import { transition } from 'xstate';
import { job, leasesIn, newCore, ok, Play, POLICY } from '../../tests/play.js';
import { decideCommitAgain } from '../../partition/core/decide-again.js';
import { placesOf, restore, viewOf } from '../../partition/core/state.js';
import { decodeCommit } from '../../streams/contents.js';
import type { ReplyTo } from '../reply.js';
import { pause } from './commands/pause.js';
import { resume } from './commands/resume.js';
import { applyQueue, decidePause, decideResume, queueChart, queueMachine, type Queue, type QueueEvent } from './queue.js';
import { queueKind } from './queue.kind.js';
import { statsOf } from './stats.js';

const CLOSED = { reason: 'the warehouse is closed', by: 'anna' };
const given = (...events: QueueEvent[]): Queue | undefined =>
  events.reduce<Queue | undefined>((queue, event) => applyQueue(queue && { ...queue }, event, 'orders', { nowMs: 7, content: undefined }), undefined);
const paused = (): Queue => given(decidePause(undefined, CLOSED)!)!;
const open = (): Queue => given(decidePause(undefined, CLOSED)!, decideResume(paused(), CLOSED)!)!;

const table: [string, Queue | undefined, typeof decidePause, QueueEvent['type'] | undefined][] = [
  ['given nothing, when it is paused', undefined, decidePause, 'QueuePaused'],
  ['given a paused queue, when it is paused', paused(), decidePause, undefined],
  ['given a paused queue, when it is resumed', paused(), decideResume, 'QueueResumed'],
  ['given an open queue, when it is resumed', open(), decideResume, undefined],
  ['given nothing, when it is resumed', undefined, decideResume, undefined],
  ['given an open queue, when it is paused', open(), decidePause, 'QueuePaused'],
];
for (const [name, queue, decide, then] of table) {
  t.test(`${name}, then ${then ?? 'nothing happens'}`, async (t) => {
    const event = decide(queue, CLOSED);
    t.equal(event?.type, then);
    if (event === undefined) return;
    const from = queueMachine.resolveState({ value: queue?.status ?? 'absent', context: {} });
    const [next] = transition(queueMachine, from as never, { type: event.type });
    t.equal(next.value, event.body.status, 'the machine leads there');
    t.equal(queueChart.next(queue?.status ?? 'absent', event.type), event.body.status, 'and so does the chart');
    t.match(applyQueue(queue && { ...queue }, event, 'orders', { nowMs: 9, content: undefined }), { id: 'orders', status: event.body.status, ...CLOSED, sinceMs: 9 });
  });
}

const TO: ReplyTo = { replyTo: 'replyTo' };
function change(play: Play, command: typeof pause | typeof resume, queue: string, commandId = ''): void {
  const asked = { queue, reason: CLOSED.reason, commandId };
  play.core.step(play.moment, (step) => command.decide(step, asked, { to: TO, by: CLOSED.by }));
  play.commit();
}

t.test('given a paused queue, then it accepts and leases nothing; another one goes on', async (t) => {
  const play = new Play();
  play.register('w1');
  const waiting = play.submit({ queue: 'orders' });
  change(play, pause, 'orders');
  t.throws(() => play.submit({ queue: 'orders' }), /QUEUE_PAUSED.*it was paused by anna: the warehouse is closed/);
  const other = play.submit({ queue: 'other' });
  t.same(leasesIn(play.pull('w1', 1, 5)).map((token) => token.split('/')[0]), [other]);
  t.same(play.history(waiting), ['JobSubmitted']);
});

t.test('given a paused queue, when it is resumed, then its jobs go to the open pull at once, in their order', async (t) => {
  const play = new Play();
  play.register('w1');
  const [low, high] = [play.submit({ queue: 'orders' }), play.submit({ queue: 'orders', priority: 5 })];
  change(play, pause, 'orders');
  t.same(leasesIn(play.pull('w1', 1, 1)), []);
  change(play, resume, 'orders');
  t.same(play.history(high), ['JobSubmitted', 'JobLeased']);
  t.same(play.history(low), ['JobSubmitted']);
});

t.test('given a paused queue, then what runs goes on, and what comes back waits', async (t) => {
  const play = new Play();
  play.register('w1');
  const [done, lost] = [play.submit({ queue: 'orders' }), play.submit({ queue: 'orders' })];
  const [first] = leasesIn(play.pull('w1', 1, 2));
  change(play, pause, 'orders');
  play.pull('w1', 2, 1, [], [ok(first!)]);
  t.same(play.history(done).at(-1), 'JobCompleted');
  play.tick(POLICY.heartbeatMs + 1);
  t.same(play.history(lost).at(-1), 'JobReclaimed');
  play.register('w2');
  t.same(leasesIn(play.pull('w2', 1, 5)), []);
});

for (const paused of [['orders'], ['orders', 'empty-1', 'empty-2', 'empty-3']]) {
  t.test(`given ready jobs in one of ${paused.length} paused, when others come, then each worker gets its share`, async (t) => {
    const play = new Play();
    for (const name of ['w1', 'w2', 'w3']) play.register(name);
    for (let nth = 0; nth < 30; nth += 1) play.submit({ queue: 'orders' });
    for (const queue of paused) change(play, pause, queue);
    for (const name of ['w1', 'w2', 'w3']) t.same(leasesIn(play.pull(name, 1, 5)), []);
    const jobs = [1, 2, 3].map(() => ({ id: play.nextId(), job: { ...job(), queue: 'other' } }));
    const { decided } = play.ask<'submit'>({ kind: 'submit', waitMs: undefined, jobs });
    t.same(decided.flatMap((each) => (each.kind === 'pulled' ? [each.leases.length] : [])), [1, 1, 1]);
  });
}

t.test('given a paused queue, when jobs are leased, then the reason of the pause is not put into words', async (t) => {
  const play = new Play();
  play.register('w1');
  play.submit({ queue: 'orders' });
  change(play, pause, 'orders');
  const other = play.submit({ queue: 'other' });
  t.intercept(queueKind, 'whyHeld', { value: () => t.fail('the reason was asked for') });
  t.same(leasesIn(play.pull('w1', 1, 5)).map((token) => token.split('/')[0]), [other]);
});

t.test('given a command id that comes again, then nothing is recorded twice', async (t) => {
  const play = new Play();
  change(play, pause, 'orders', 'c1');
  const commits = play.commits.length;
  change(play, pause, 'orders', 'c1');
  t.equal(play.commits.length, commits);
  const [event] = decodeCommit(play.commits.at(-1)!).events;
  t.match(event, { kind: 'queue', id: 'orders', type: 'QueuePaused', cause: { commandId: 'c1', type: 'PauseQueue', by: 'anna' } });
  t.equal(event?.cause?.verified, false);
  t.match(play.core.seen('c1'), { type: 'PauseQueue', id: 'orders' }, 'the id of an actor that is no job is remembered as it is');
});

t.test('property: counts are what the jobs say, and a new leader knows the same', async (t) => {
  const queue = fc.constantFrom('a', 'b');
  const act = fc.oneof(
    fc.record({ do: fc.constant('submit' as const), queue, delayMs: fc.constantFrom(0, 0, 500), priority: fc.nat(2) }),
    fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), queue }),
    fc.record({ do: fc.constant('pull' as const), free: fc.nat(3), reports: fc.boolean() }),
    fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(0, 400, 1_200) }),
  );
  fc.assert(fc.property(fc.array(act, { maxLength: 40 }), (script) => {
    const play = new Play();
    play.register('w1');
    let held: ReturnType<typeof leasesIn> = [];
    let pullSeq = 0;
    for (const each of script) {
      const isPaused = 'queue' in each && play.core.read(queueKind).get(each.queue)?.status === 'paused';
      if (each.do === 'submit' && !isPaused) play.submit(each);
      else if (each.do === 'tick') play.tick(each.ms);
      else if (each.do === 'pause') change(play, pause, each.queue);
      else if (each.do === 'resume') change(play, resume, each.queue);
      else if (each.do === 'pull') {
        const reports = each.reports ? held.map(ok) : [];
        const given = leasesIn(play.pull('w1', (pullSeq += 1), each.free, each.reports ? [] : held, reports));
        held = [...(each.reports ? [] : held), ...given];
      }
      for (const name of ['a', 'b']) {
        const stats = statsOf(play.core, name);
        const jobs = [...play.jobs.all()].filter((job) => job.queue === name);
        for (const status of ['ready', 'scheduled', 'running', 'retrying'] as const) {
          t.equal(stats[status], jobs.filter((job) => job.status === status).length, `${name} ${status}`);
        }
        const oldest = Math.min(play.core.nowMs, ...jobs.filter(({ status }) => status === 'ready').map(({ submittedMs }) => submittedMs));
        t.equal(stats.oldestWaitingMs, play.core.nowMs - oldest);
      }
    }
    const again = newCore();
    for (const [nth, bytes] of play.commits.entries()) {
      decideCommitAgain(again.state, decodeCommit(bytes), nth + 1, ({ recorded, again: decided }) => {
        const { type, body } = recorded.event;
        if (type.startsWith('Queue')) t.match(decided, { kind: 'decided', event: { type, body: { ...body } } });
      });
    }
    const next = newCore();
    restore(next.state, viewOf(play.core.state), placesOf(play.core.state));
    for (const core of [next, play.replayed()]) {
      t.same([...core.read(queueKind).all()], [...play.core.read(queueKind).all()]);
      for (const name of ['a', 'b']) t.match(statsOf(core, name), { ...statsOf(play.core, name), oldestWaitingMs: Number });
    }
  }), { numRuns: 60 });
});
