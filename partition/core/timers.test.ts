import t from 'tap';
import type { Partition } from '../../protocols/ids.js';
import { castOf, type Hosted } from './hosted.js';
import { KEYRING } from '../../tests/play.js';
import { Timers } from './timers.js';

/** The least that a timer looks at: an actor's time by its id. */
function hostedAs(name: string, dueMs: Map<string, number>): Hosted {
  const get = (id: string) => ({ id, dueMs: dueMs.get(id) ?? 0 });
  const kind = { name, open: () => ({ get }), dueMs: (actor: { dueMs: number }) => actor.dueMs };
  return castOf([{ kind: kind as never }], 0 as Partition, { keyring: KEYRING }).get(name)!;
}

class World {
  readonly timers = new Timers();
  private readonly times = { a: new Map<string, number>(), b: new Map<string, number>() };
  private readonly hosted = { a: hostedAs('a', this.times.a), b: hostedAs('b', this.times.b) };

  set(kind: 'a' | 'b', id: string, dueMs: number): void {
    const beforeMs = this.times[kind].get(id) ?? 0;
    this.times[kind].set(id, dueMs);
    this.timers.change(this.hosted[kind], id, beforeMs, dueMs);
  }

  fired(nowMs: number): string[] {
    const names: string[] = [];
    for (let timer = this.timers.takeDue(nowMs); timer; timer = this.timers.takeDue(nowMs)) {
      if (this.timers.isCurrent(timer)) names.push(`${timer.hosted.kind.name} ${timer.id}`);
    }
    return names.sort();
  }
}

/** So many that the heap is rebuilt. */
const MANY = 5_000;

function cancelMany(world: World): void {
  for (let nth = 0; nth < MANY; nth += 1) world.set('a', `n${nth}`, 2_000);
  for (let nth = 0; nth < MANY; nth += 1) world.set('a', `n${nth}`, 0);
  if (world.timers.size > MANY) throw new Error('the heap was not rebuilt');
}

t.test('given actors of two kinds with one id and one time, when the heap is rebuilt, then both timers fire', (t) => {
  const world = new World();
  world.set('a', 'x', 1_000);
  world.set('b', 'x', 1_000);
  cancelMany(world);
  t.strictSame(world.fired(1_000), ['a x', 'b x']);
  t.end();
});

t.test('given timers that moved away and back, when the heap is rebuilt, then each fires once', (t) => {
  const world = new World();
  const ids = ['x', 'y', 'z'];
  for (const dueMs of [1_000, 1_500, 1_000]) for (const id of ids) world.set('a', id, dueMs);
  cancelMany(world);
  t.strictSame(world.fired(1_500), ['a x', 'a y', 'a z']);
  t.end();
});

t.test('when one timer is moved again and again, then the heap does not grow', (t) => {
  const world = new World();
  for (let nth = 1; nth <= 100_000; nth += 1) world.set('a', 'x', 1_000_000 + nth);
  t.ok(world.timers.size <= 2_000, `${world.timers.size} timers`);
  t.strictSame(world.fired(1_100_000), ['a x']);
  t.end();
});

t.test('when many timers move, then the heap is rebuilt seldom', (t) => {
  const world = new World();
  for (let nth = 0; nth < 50_000; nth += 1) world.set('a', `n${nth}`, 1_000);
  let rebuilt = 0;
  for (let nth = 0; nth < 200_000; nth += 1) {
    const { size } = world.timers;
    world.set('a', `n${nth % 50_000}`, 2_000 + nth);
    if (world.timers.size < size) rebuilt += 1;
  }
  t.ok(rebuilt <= 4, `${rebuilt} times`);
  t.end();
});
