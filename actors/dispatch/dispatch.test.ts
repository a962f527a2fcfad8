/** Which worker gets which job: requirements, the order over lines, and changes of capabilities. */
import fc from 'fast-check';
import t from 'tap';
import type { JobId } from '../../protocols/ids.js';
import { capabilities, capabilitiesText } from '../matching/capabilities.js';
import { matches } from '../matching/match.js';
import { requirement, requirementOf, requirementText } from '../matching/requirement.js';
import { leasesIn, ok, Play, session, worker } from '../../tests/play.js';

const text = (require: object): string => requirementText(requirement(require));
const has = (given: object): string => capabilitiesText(capabilities(given));

class Fleet extends Play {
  private readonly pulls = new Map<string, number>();

  submitted(fields: { require?: object; priority?: number; type?: string } = {}): JobId {
    const { require, ...rest } = fields;
    return this.submit({ ...rest, ...(require && { require: text(require) }) });
  }

  join(name: string, given: object = {}): void {
    const of = { workerId: worker(name), session: session(name), types: ['square', 'render'], queues: [], capacity: 10 };
    this.ask({ kind: 'register', proof: '', worker: { ...of, software: '', capabilities: has(given), weights: {} } });
  }

  /** The ids of the jobs that it gets, which end at once. */
  work(name: string, free = 1): string[] {
    const tokens = leasesIn(this.pulled(name, free));
    this.pulled(name, 0, tokens);
    return tokens.map((token) => token.slice(0, token.indexOf('/')));
  }

  private pulled(name: string, free: number, tokens: ReturnType<typeof leasesIn> = []) {
    const nth = (this.pulls.get(name) ?? 0) + 1;
    this.pulls.set(name, nth);
    const decided = this.pull(name, nth, free, [], tokens.map(ok));
    return [...decided, ...this.commit()];
  }
}

t.test('a job runs at a worker that has what it requires, and at no other', (t) => {
  const fleet = new Fleet();
  const require = { hardware: { gpuMemoryGb: 16 }, models: ['sdxl'], not: { region: 'eu' } };
  const id = fleet.submitted({ type: 'render', require });
  const able = { hardware: { gpuMemoryGb: 24 }, models: ['sdxl', 'flux'], region: 'us' };
  const others: object[] = [
    {}, { ...able, hardware: { gpuMemoryGb: 8 } }, { ...able, models: ['flux'] }, { ...able, region: 'eu' },
  ];
  for (const [nth, other] of others.entries()) {
    fleet.join(`other${nth}`, other);
    t.strictSame(fleet.work(`other${nth}`), [], JSON.stringify(other));
  }
  fleet.join('able', able);
  t.strictSame(fleet.work('able'), [id]);
  t.end();
});

t.test('a match behind jobs that the worker cannot do is leased at once', (t) => {
  const fleet = new Fleet();
  fleet.join('small', { models: ['tiny'] });
  for (let nth = 0; nth < 300; nth += 1) fleet.submitted({ require: { models: [`m${nth % 7}`] }, priority: 9 });
  const id = fleet.submitted({ require: { models: ['tiny'] } });
  t.strictSame(fleet.work('small'), [id]);
  t.end();
});

t.test('a worker whose capabilities change gets jobs by the new ones', (t) => {
  const fleet = new Fleet();
  const [sdxl, flux] = [fleet.submitted({ require: { models: ['sdxl'] } }), fleet.submitted({ require: { models: ['flux'] } })];
  fleet.join('w', { models: ['flux'] });
  t.strictSame(fleet.work('w', 5), [flux]);
  fleet.join('w', { models: ['sdxl'] });
  t.strictSame(fleet.work('w', 5), [sdxl]);
  t.end();
});

const model = fc.constantFrom('a', 'b', 'c');
const jobs = fc.array(fc.record({ models: fc.uniqueArray(model), priority: fc.nat(3) }), { maxLength: 20 });
const acts = fc.array(fc.oneof(
  fc.record({ do: fc.constant('submit' as const), models: fc.uniqueArray(model), priority: fc.nat(3) }),
  fc.record({ do: fc.constant('join' as const), who: fc.nat(3), models: fc.uniqueArray(model) }),
  fc.record({ do: fc.constant('work' as const), who: fc.nat(3), free: fc.integer({ min: 1, max: 4 }) }),
), { maxLength: 60 });

t.test('property: each worker gets the first of the jobs that match it, as a naive search finds them', (t) => {
  fc.assert(fc.property(jobs, acts, (first, then) => {
    const fleet = new Fleet();
    const waiting: { id: string; require: string; priority: number; place: number }[] = [];
    const offers = new Map<number, object>();
    const submit = (models: string[], priority: number): void => {
      const require = models.length === 0 ? {} : { models };
      const id = fleet.submitted({ require, priority });
      waiting.push({ id, require: text(require), priority, place: waiting.length });
    };
    for (const each of first) submit(each.models, each.priority);
    let place = 1_000;
    for (const act of then) {
      if (act.do === 'submit') {
        submit(act.models, act.priority);
        waiting.at(-1)!.place = place += 1;
      } else if (act.do === 'join') {
        offers.set(act.who, { models: act.models });
        fleet.join(`w${act.who}`, { models: act.models });
      } else if (offers.has(act.who)) {
        const able = capabilities(offers.get(act.who)!);
        const expected = waiting.filter(({ require }) => matches(requirementOf(require), able))
          .sort((a, b) => b.priority - a.priority || a.place - b.place).slice(0, act.free).map(({ id }) => id);
        const got = fleet.work(`w${act.who}`, act.free);
        if (got.join() !== expected.join()) return false;
        for (const id of got) waiting.splice(waiting.findIndex((each) => each.id === id), 1);
      }
    }
    return true;
  }));
  t.end();
});
