/** Bulks: exactly the jobs that were counted, in slices, at their rate. */
import fc from 'fast-check';
import t from 'tap';
import { freeze, placesOf, restore, thaw, viewOf } from '../../partition/core/state.js';
import { decodeCommit } from '../../streams/contents.js';
import { newCore, Play } from '../../tests/play.js';
import type { Action } from './bulk.js';
import { bulkKind } from './bulk.kind.js';
import { decodePlaces, encodePlaces } from './places.js';

const start = (play: Play, over: object = {}) => play.ask<'start'>({
  kind: 'start', bulkId: 'b', action: 'cancel' as Action, filter: '', priority: 0, perSecond: 10_000, reason: 'enough',
  hold: false, by: 'anna', ...over,
}).answer;
const bulkOf = (play: Play) => play.core.read(bulkKind).get('b')!;
const until = (play: Play, status: string): number => {
  for (let ticks = 0; ticks < 2_000; ticks += 1) {
    if (bulkOf(play).status === status) return ticks;
    play.tick(10);
  }
  throw new Error(`it is ${bulkOf(play).status}`);
};
const counts = (play: Play) => {
  const all = [...play.jobs.all()].map(({ status }) => status);
  return { ready: all.filter((status) => status === 'ready').length, cancelled: all.filter((each) => each === 'cancelled').length };
};

t.test('given jobs that match, when it goes on, then exactly those that were counted are changed', async (t) => {
  const play = new Play();
  for (let nth = 0; nth < 300; nth += 1) play.submit({ type: nth % 3 === 0 ? 'old' : 'square' });
  start(play, { filter: 'type:old', hold: true });
  until(play, 'held');
  t.match(bulkOf(play), { members: 100, advanced: 0, by: 'anna', reason: 'enough' });
  for (let nth = 0; nth < 50; nth += 1) play.submit({ type: 'old' });
  play.tick(60_000);
  t.strictSame(counts(play), { ready: 350, cancelled: 0 }, 'it holds');
  const gone = [...play.jobs.after(-1)][0]!.id;
  play.ask<'cancel'>({ kind: 'cancel', target: { jobId: gone }, reason: '', commandId: '' });
  play.ask<'go'>({ kind: 'go', bulkId: 'b' });
  until(play, 'done');
  t.match(bulkOf(play), { members: 100, advanced: 100, skipped: 1, chunks: [] });
  t.strictSame(counts(play), { ready: 250, cancelled: 100 }, 'younger ones are not among them');
  const causes = play.commits.flatMap((bytes) => decodeCommit(bytes).events)
    .filter(({ type, cause }) => type === 'JobCancelled' && cause?.by === 'anna');
  t.equal(causes.length, 99);
  play.tick(4_000_000);
  play.submit();
  t.equal(play.core.read(bulkKind).get('b'), undefined, 'it is shown for an hour');
});

t.test('a rate is kept, and a bulk can be stopped', async (t) => {
  const play = new Play();
  for (let nth = 0; nth < 100; nth += 1) play.submit();
  start(play, { perSecond: 20 });
  until(play, 'acting');
  const fromMs = play.nowMs;
  while (play.nowMs < fromMs + 2_000) play.tick(50);
  const { advanced } = bulkOf(play);
  t.ok(advanced >= 36 && advanced <= 44, `${advanced} in two seconds`);
  play.ask<'stop'>({ kind: 'stop', bulkId: 'b', by: 'bob' });
  play.tick(10_000);
  t.match(bulkOf(play), { status: 'stopped', advanced });
  t.strictSame(counts(play), { ready: 100 - advanced, cancelled: advanced });
});

t.test('the same id is the same bulk, another action is a conflict, and there are so many at most', async (t) => {
  const play = new Play();
  play.submit();
  t.match(start(play, { hold: true }), { answer: { part: { status: 'collecting' } } });
  t.match(start(play, { hold: true }), { answer: { part: { status: 'collecting' } } });
  t.match(start(play, { action: 'retry' }), { rejection: { code: 'COMMAND_CONFLICT' } });
  for (let nth = 1; nth < 20; nth += 1) start(play, { bulkId: `b${nth}`, hold: true });
  t.match(start(play, { bulkId: 'more' }), { rejection: { code: 'BULKS_EXHAUSTED' } });
  const none = new Play();
  start(none, { filter: 'type:nothing' });
  until(none, 'done');
  t.match(bulkOf(none), { members: 0, advanced: 0 });
});

t.test('in the middle, a replay and a snapshot go on from the same cursor', async (t) => {
  const play = new Play();
  for (let nth = 0; nth < 5_000; nth += 1) play.submit();
  start(play, { action: 'reprioritize', priority: 7 });
  until(play, 'acting');
  for (let nth = 0; nth < 20; nth += 1) play.tick(100);
  const { state } = play.core;
  t.ok(bulkOf(play).advanced > 200 && bulkOf(play).advanced < 5_000);
  const [thawed, restored] = [newCore().state, newCore().state];
  thaw(thawed, new Map(freeze(state).map((part) => [part.name, Buffer.from(part.bytes())])));
  restore(restored, viewOf(state), placesOf(state));
  const kinds = JSON.stringify(viewOf(state).kinds);
  for (const each of [play.replayed().state, thawed, restored]) t.equal(JSON.stringify(viewOf(each).kinds), kinds);
  until(play, 'done');
  t.ok([...play.jobs.all()].every(({ priority }) => priority === 7));
  const most = Math.max(...play.commits.map((bytes) => decodeCommit(bytes).events.length));
  t.ok(most <= 500, `${most} events in a commit`);
});

t.test('property: places come back, from any of them on', async () => {
  const ascending = fc.uniqueArray(fc.nat(2 ** 40), { maxLength: 50 }).map((all) => all.sort((a, b) => a - b));
  fc.assert(fc.property(ascending, fc.nat(60), fc.nat(60), (places, nth, most) => {
    const bytes = encodePlaces(0, places);
    return JSON.stringify(decodePlaces(0, bytes, nth, most)) === JSON.stringify(places.slice(nth, nth + most));
  }));
});
