/** Pages of jobs, and the index by place that they are read from. */
import fc from 'fast-check';
import t from 'tap';
import type { JobId, Partition } from '../../protocols/ids.js';
import { freeze, restore, placesOf, thaw, viewOf } from '../../partition/core/state.js';
import { leasesIn, newCore, ok, Play } from '../../tests/play.js';
import { parseFilter } from '../filter/parse.js';
import type { Step } from '../step.js';
import { list } from './commands/list.js';
import { jobKind } from './job.kind.js';
import { mergedList } from './merged-list.js';
import { cursorOf, pageOf, type Cursor } from './page.js';

const cursor = (place: number): Cursor => new Map([[0 as Partition, place]]);
const asked = (filter: string, after?: number, limit = 100) =>
  ({ filter: parseFilter(filter, 0), after: after === undefined ? undefined : cursor(after), limit });
const idsIn = (step: Step, filter = '', after?: number, limit?: number): JobId[] =>
  pageOf(step, asked(filter, after, limit)).jobs.map(({ id }) => id);

t.test('given a few jobs that match among many, then a page ends where enough were looked at', async (t) => {
  const play = new Play();
  const ids = Array.from({ length: 20_050 }, (_, nth) => play.submit({ type: nth === 20_020 ? 'rare' : 'square' }));
  const first = pageOf(play.core, asked('type:rare'));
  t.match(first, { jobs: [], next: { place: 20_000, upToMs: play.nowMs } });
  t.strictSame(idsIn(play.core, 'type:rare', first.next!.place), [ids[20_020]]);
  t.match(pageOf(play.core, asked('type:square', undefined, 3)), { next: { place: 3 } });
  t.equal(pageOf(play.core, asked('', 20_050)).next, undefined);
  t.strictSame(idsIn(play.core, '', 20_049), [ids[20_049]]);
  t.strictSame(pageOf(play.core, { ...asked(''), after: new Map() }).jobs, [], 'a partition that has no more');
});

t.test('large jobs make small pages', async (t) => {
  const play = new Play();
  const labels = Object.fromEntries(Array.from({ length: 32 }, (_, nth) => [`l${nth}`, 'x'.repeat(250)]));
  for (let nth = 0; nth < 100; nth += 1) play.submit({ labels });
  const { jobs, next } = pageOf(play.core, asked(''));
  t.ok(jobs.length > 20 && jobs.length < 60, `${jobs.length} jobs`);
  t.equal(next!.place, jobs.length);
});

t.test('a cursor is what a page gave', async (t) => {
  t.strictSame([...cursorOf('0:7.12:0')!], [[0, 7], [12, 0]]);
  for (const text of ['x', '0', '0:', '0:-1', '0:1.', '0:1.2', '0:9999999999999999', '0:1.'.repeat(9_000)]) {
    t.throws(() => cursorOf(text), /after must be the next of a page/);
  }
  t.throws(() => list.check({ filter: '', after: '', limit: 1_001 } as never, { nowMs: 0 } as never), /limit/);
});

t.test('property: pages of several partitions have each job once, by the time of submission', async (t) => {
  const jobs = fc.array(fc.record({ of: fc.nat(2), ms: fc.nat(5) }), { maxLength: 40 });
  fc.assert(fc.property(jobs, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 }), (all, limit, looked) => {
    const lists = [0, 1, 2].map((of) => all.filter((each) => each.of === of).map(({ ms }) => ms).sort());
    const seen: [number, number, number][] = [];
    let after: Cursor | undefined;
    for (let turn = 0; turn < 400; turn += 1) {
      const replies = lists.map((times, of) => {
        const from = after === undefined ? 0 : after.get(of as Partition);
        const open = from === undefined ? [] : [...times.keys()].filter((place) => place >= from);
        const page = open.slice(0, Math.min(limit, looked));
        const end = (page.at(-1) ?? -1) + 1;
        const hasMore = page.length > 0 && end < times.length;
        return { message: {
          jobs: page.map((place) => ({ jobId: `${of}-${place}`, submittedMs: times[place]! })), places: page,
          next: hasMore ? `${of}:${end}` : '', upToMs: hasMore ? times[end - 1]! : 0,
        } };
      });
      const { message } = mergedList(replies, { filter: {}, after, limit }) as { message: { [K in string]: never } };
      const { jobs: shown, places, next } = message as unknown as
        { jobs: { jobId: string; submittedMs: number }[]; places: number[]; next: string };
      if (shown.length > limit) t.fail('too many');
      shown.forEach(({ jobId, submittedMs }, nth) => seen.push([submittedMs, Number(jobId[0]), places[nth]!]));
      if (next === '') break;
      after = cursorOf(next);
    }
    t.equal(seen.length, all.length, 'each once');
    t.equal(new Set(seen.map(([, of, place]) => `${of}-${place}`)).size, all.length);
    t.strictSame(seen.map(([ms]) => ms), all.map(({ ms }) => ms).sort(), 'the oldest first');
  }), { numRuns: 150 });
});

t.test('property: the index by place has the jobs that are there, in their order, also of a restored state', async (t) => {
  const act = fc.oneof(
    fc.constant({ do: 'submit' as const }), fc.constant({ do: 'submit' as const }), fc.constant({ do: 'work' as const }),
    fc.constant({ do: 'pass' as const }),
  );
  fc.assert(fc.property(fc.array(act, { maxLength: 30 }), (script) => {
    const play = new Play();
    let pullSeq = 0;
    for (const { do: what } of script) {
      if (what === 'submit') for (let nth = 0; nth < 20; nth += 1) play.submit();
      if (what === 'pass') play.nowMs += 61_000;
      if (what !== 'work') continue;
      play.register('w1');
      const leases = leasesIn(play.pull('w1', (pullSeq += 1), 50));
      play.pull('w1', (pullSeq += 1), 0, [], leases.map(ok));
    }
    const thawed = newCore();
    thaw(thawed.state, new Map(freeze(play.core.state).map((part) => [part.name, Buffer.from(part.bytes())])));
    const restored = newCore();
    restore(restored.state, viewOf(play.core.state), placesOf(play.core.state));
    const places = [...play.jobs.all()].map(({ place }) => place).sort((a, b) => a - b);
    for (const core of [play.core, play.replayed(), thawed, restored]) {
      const jobs = core.read(jobKind);
      t.strictSame([...jobs.after(-1)].map(({ place }) => place), places);
      t.strictSame(places.map((place) => jobs.at(place)?.place), places);
      t.equal(jobs.at((places.at(-1) ?? 0) + 1), undefined);
    }
  }), { numRuns: 30 });
});
