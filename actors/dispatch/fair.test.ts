/** Fair shares between the values of a label, ageing, and that no free job is left while a worker waits. */
import fc from 'fast-check';
import t from 'tap';
import { hashOf } from '../../tests/poisoned.js';
import { Limited } from '../../tests/limited.js';

function shared(weights: Readonly<Record<string, number>> = {}): Limited {
  const of = new Limited();
  of.join('w');
  of.configure('q', { fair: { label: 'tenant', weights } });
  return of;
}

const fill = (of: Limited, tenant: string, count: number, over: object = {}): string[] =>
  Array.from({ length: count }, () => of.of({ tenant }, { queue: 'q', ...over }));

const tenantOf = (of: Limited, id: string): string => of.jobs.get(id)?.labels?.['tenant'] ?? '';

t.test('weighted shares: 3 to 1, at any time within one job of it, in order within each key', (t) => {
  const of = shared({ a: 3, b: 1 });
  const [b, a] = [fill(of, 'b', 400), fill(of, 'a', 400)];
  const done = of.work('w', 400);
  const inA = new Set(a);
  let given = 0;
  for (const [nth, id] of done.entries()) {
    given += inA.has(id) ? 1 : 0;
    const due = ((nth + 1) * 3) / 4;
    if (Math.abs(given - due) > 1) t.fail(`after ${nth + 1} leases a has ${given}, its share is ${due}`);
  }
  t.equal(given, 300);
  t.strictSame(done.filter((id) => inA.has(id)), a.slice(0, 300), 'within a key the order is exact');
  t.strictSame(done.filter((id) => !inA.has(id)), b.slice(0, 100));
  t.end();
});

t.test('within a key the priority counts, and a priority takes no turns from others', (t) => {
  const of = shared();
  const [a, b] = [fill(of, 'a', 3), fill(of, 'b', 3)];
  const [urgent] = fill(of, 'b', 1, { priority: 9 });
  const done = of.work('w', 7);
  t.strictSame(done.filter((id) => tenantOf(of, id) === 'b'), [urgent, ...b]);
  t.strictSame(done.filter((id) => tenantOf(of, id) === 'a'), a);
  t.strictSame(done.slice(0, 6).map((id) => tenantOf(of, id)).filter((key) => key === 'a').length, 3);
  t.end();
});

t.test('a key that comes later has no backlog of turns', (t) => {
  const of = shared();
  fill(of, 'a', 300);
  of.work('w', 100);
  const late = new Set(fill(of, 'late', 100));
  const done = of.work('w', 40);
  t.equal(done.filter((id) => late.has(id)).length, 20);
  t.end();
});

t.test('keys that are not ahead are equal, whether they had jobs before or not', (t) => {
  const of = shared();
  fill(of, 'old', 1);
  fill(of, 'busy', 60);
  of.work('w', 50);
  const [known] = fill(of, 'old', 1);
  const [fresh] = fill(of, 'fresh', 1);
  for (const leader of [of, of.successor('journal'), of.successor('snapshot')]) {
    t.strictSame(leader.work('w', 3).filter((id) => id === known || id === fresh), [known, fresh], 'by place');
  }
  t.end();
});

for (const from of ['journal', 'snapshot'] as const) {
  t.test(`a new leader from the ${from} goes on with the same shares`, (t) => {
    const of = shared({ a: 5, b: 2 });
    for (const tenant of ['a', 'b', 'c']) fill(of, tenant, 60);
    of.work('w', 37);
    const next = of.successor(from);
    t.strictSame(next.work('w', 80), of.work('w', 80));
    t.end();
  });
}

t.test('shares that are changed while running hold from then on', (t) => {
  const of = shared();
  const [a, b] = [fill(of, 'a', 400), fill(of, 'b', 400)];
  const inA = new Set(a);
  const share = (): number => of.work('w', 100).filter((id) => inA.has(id)).length;
  t.equal(share(), 50);
  of.configure('q', { fair: { label: 'tenant', weights: { a: 4 } } });
  t.ok(Math.abs(share() - 80) <= 1);
  of.configure('q', {}, ['fair']);
  t.equal(share(), 100, 'by place alone');
  t.ok(b.length);
  t.end();
});

t.test('a job that ages overtakes higher ones that came later, and the order never changes with the time', (t) => {
  const of = new Limited();
  of.join('w');
  of.configure('q', { ageingPerMinute: 60 });
  const old = of.submit({ queue: 'q', priority: 0 });
  of.tick(5_000);
  const [high, higher] = [of.submit({ queue: 'q', priority: 4 }), of.submit({ queue: 'q', priority: 6 })];
  of.tick(3_000);
  const last = of.submit({ queue: 'q', priority: 5 });
  const expected = [higher, old, high, last];
  for (const leader of [of.successor('journal'), of.successor('snapshot')]) {
    leader.tick(700);
    t.strictSame(leader.work('w', 4), expected);
  }
  const first = of.work('w', 2);
  of.tick(9_000);
  t.strictSame([...first, ...of.work('w', 2)], expected);
  t.end();
});

t.test('ageing that is set or unset while jobs wait puts them into the other order', (t) => {
  const of = new Limited();
  of.join('w');
  const low = of.submit({ queue: 'q' });
  of.tick(10_000);
  of.join('w');
  const high = of.submit({ queue: 'q', priority: 5 });
  of.configure('q', { ageingPerMinute: 60 });
  t.strictSame(of.successor('journal').work('w', 2), [low, high]);
  of.configure('q', {}, ['ageingPerMinute']);
  t.strictSame(of.work('w', 2), [high, low]);
  t.end();
});

const tenant = fc.constantFrom('', 'a', 'b', 'c');
const queue = fc.constantFrom('g/x', 'g/y', 'z');
const cap = fc.option(fc.integer({ min: 1, max: 3 }));
const acts = fc.array(fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('submit' as const), tenant, queue, cube: fc.boolean(), priority: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), who: fc.nat(2), free: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant('set' as const), of: fc.constantFrom('g/', 'g/x', 'g/y', 'z'), cap, perKey: cap, byType: fc.boolean(),
    fair: fc.boolean(), ageing: fc.boolean(),
  }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), of: fc.constantFrom('g/', 'g/x', 'z') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('succeed' as const), from: fc.constantFrom('journal' as const, 'snapshot' as const) }) },
), { maxLength: 70 });

interface Known {
  readonly queue: string;
  readonly tenant: string;
  readonly type: string;
}
interface Rule {
  readonly cap: number | null;
  readonly perKey: number | null;
  readonly byType: boolean;
}

/** What may run, worked out anew each time from what is submitted, running and set. */
class Naive {
  readonly waiting = new Map<string, Known>();
  readonly running = new Map<string, Known>();
  readonly rules = new Map<string, Rule>();
  readonly paused = new Set<string>();

  scopesOf({ queue: name }: Known): string[] {
    return name === 'z' ? ['z'] : ['g/', name];
  }

  /** How far a job's limits are used, with what is running: above 1 if one is exceeded. */
  isFree(job: Known): boolean {
    return this.scopesOf(job).every((scope) => {
      const rule = this.rules.get(scope);
      const inScope = [...this.running.values()].filter((other) => this.scopesOf(other).includes(scope));
      if (rule?.cap && inScope.length >= rule.cap) return false;
      if (!rule?.perKey || job.tenant === '') return true;
      const same = inScope.filter((other) => other.tenant === job.tenant && (!rule.byType || other.type === job.type));
      return same.length < rule.perKey;
    });
  }

  isHeld(job: Known): boolean {
    return this.scopesOf(job).some((scope) => this.paused.has(scope));
  }
}

/** What each worker does: those of one type, or of one queue alone. */
const WORKERS = [[[], ['square', 'cube']], [[], ['cube']], [['g/x', 'z'], ['square']]] as const;

t.test('property: no limit is ever exceeded, and no free job is left to a worker that asks', (t) => {
  fc.assert(fc.property(acts, (script) => {
    let of = new Limited();
    const naive = new Naive();
    WORKERS.forEach(([queues, types], nth) => of.join(`w${nth}`, queues, types));
    const canDo = (who: number, job: Known): boolean => {
      const [queues, types] = WORKERS[who] as unknown as [string[], string[]];
      return types.includes(job.type) && (queues.length === 0 || queues.includes(job.queue));
    };
    for (const act of script) {
      if (act.do === 'submit') {
        const type = act.cube ? 'cube' : 'square';
        if (naive.isHeld({ queue: act.queue, tenant: act.tenant, type })) continue;
        const labels: Record<string, string> = act.tenant === '' ? {} : { tenant: act.tenant };
        const id = of.of(labels, { queue: act.queue, type, priority: act.priority });
        naive.waiting.set(id, { queue: act.queue, tenant: act.tenant, type });
      } else if (act.do === 'take') {
        const got = of.take(`w${act.who}`, act.free);
        of.take(`w${act.who}`, 0); // Nothing stays open for it.
        for (const id of got) {
          const job = naive.waiting.get(id);
          if (!job || !naive.isFree(job) || naive.isHeld(job) || !canDo(act.who, job)) return false;
          naive.waiting.delete(id);
          naive.running.set(id, job);
        }
        const left = [...naive.waiting.values()].filter((job) => canDo(act.who, job) && naive.isFree(job) && !naive.isHeld(job));
        if (got.length < act.free && left.length > 0) return false;
      } else if (act.do === 'end') {
        if (of.held.get(`w${act.who}`)!.length > 0) naive.running.delete(of.finish(`w${act.who}`));
      } else if (act.do === 'set') {
        const perKey = act.perKey ? { perKey: { label: 'tenant', concurrency: act.perKey, byType: act.byType } } : {};
        const own = act.of === 'g/' ? {} : { ageingPerMinute: act.ageing ? 5 : 0, ...(act.fair && { fair: { label: 'tenant' } }) };
        const given = { ...(act.cap && { concurrency: act.cap }), ...perKey, ...own };
        of.configure(act.of, given, ['concurrency', 'perKey', 'fair'].filter((name) => !(name in given) && !(name === 'fair' && act.of === 'g/')));
        naive.rules.set(act.of, act);
      } else if (act.do === 'pause') {
        const isPaused = naive.paused.delete(act.of);
        if (!isPaused) naive.paused.add(act.of);
        of.ask<'pause' | 'resume'>({ kind: isPaused ? 'resume' : 'pause', queue: act.of, reason: 'x', commandId: '', by: 'anna' });
      } else of = of.successor(act.from);
      of.tick(1);
    }
    const replayed = of.replayed();
    const { journalId, epoch } = replayed.state;
    Object.assign(of.core.state, { journalId, epoch });
    return script.length === 0 || of.commits.length === 0 || hashOf(replayed) === hashOf(of.core);
  }), { numRuns: 300 });
  t.end();
});
