import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { jobId, type JobId, type Partition } from '../../protocols/ids.js';
import { DEFAULTS } from '../../protocols/limits.js';
import { stateHash, type Part } from '../rows/parts.js';
import { keyName, Keys, type KeyEntry } from './keys.js';

const P5 = 5 as Partition;
const MOST = 12;
const sha = (text: string): Buffer => createHash('sha256').update(text).digest();
const idOf = (text: string): JobId => jobId(P5, sha(text));
const bytesOf = (parts: readonly Part[]): Map<string, Buffer> =>
  new Map(parts.map((part) => [part.name, Buffer.from(part.bytes())]));

/** What keys did when they were in Maps, which keep the order of insertion. */
class Model {
  live = new Map<string, KeyEntry>();
  past = new Map<string, KeyEntry>();

  find(name: string, nowMs: number): KeyEntry | undefined {
    const past = this.past.get(name);
    return this.live.get(name) ?? (past && past.untilMs >= nowMs ? past : undefined);
  }

  remember(name: string, id: JobId, fingerprint: Uint8Array): void {
    this.past.delete(name);
    this.live.set(name, { jobId: id, fingerprint: Buffer.from(fingerprint).toString('hex'), untilMs: 0 });
  }

  retire(name: string, endedMs: number): void {
    const entry = this.live.get(name);
    if (entry === undefined) return;
    this.live.delete(name);
    this.past.set(name, { ...entry, untilMs: endedMs + DEFAULTS.keyTtlMs });
  }

  forget(nowMs: number): void {
    for (const [name, { untilMs }] of this.past) {
      if (this.past.size <= MOST && untilMs >= nowMs) return;
      this.past.delete(name);
    }
  }

  view(): object {
    return { keys: [...this.live], pastKeys: [...this.past] };
  }
}

/** Short, as long as fits into a row, longer, a UUID, and not ASCII. */
function nameOf(nth: number): string {
  const names = [
    `q/${nth}`, `q/${'n'.repeat(40)}${nth % 100}`, `q/${'long'.repeat(20)}${nth}`,
    `00000000-0000-4000-8000-${`${nth}`.padStart(12, '0')}`, `q/Schlüssel ${nth}`, `q/\ud800${nth}`,
  ];
  return names[nth % names.length]!;
}

const fingerprints = [sha('a'), sha('b'), Buffer.from('odd'), Buffer.alloc(0)];
const act = fc.record({
  do: fc.constantFrom('remember', 'remember', 'remember', 'retire', 'retire', 'pass', 'thaw' as const),
  nth: fc.nat(60), print: fc.nat(fingerprints.length - 1), passedMs: fc.constantFrom(0, 1_000, DEFAULTS.keyTtlMs / 3),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

function play(keys: Pick<Keys, 'remember' | 'retire' | 'forget'>, each: Act, nowMs: number): void {
  const name = nameOf(each.nth);
  if (each.do === 'remember') keys.remember(name, idOf(`${nowMs} ${name}`), fingerprints[each.print]!);
  else if (each.do === 'retire') keys.retire(name, nowMs);
  else keys.forget(nowMs);
}

t.test('it knows what Maps know, in their order, also after it was thawed, and has the same parts', (t) => {
  fc.assert(fc.property(fc.array(act, { maxLength: 600, size: 'max' }), (acts) => {
    const [keys, model] = [new Keys(P5, MOST), new Model()];
    let thawed = keys;
    let nowMs = 1;
    for (const each of acts) {
      nowMs += each.do === 'pass' ? each.passedMs : 0;
      if (each.do === 'thaw') {
        const parts = bytesOf(keys.freeze());
        thawed = new Keys(P5, MOST);
        // What was there before goes.
        thawed.remember('another', idOf('another'), sha('another'));
        thawed.thaw(parts);
        continue;
      }
      for (const of of new Set([keys, thawed, model])) play(of, each, nowMs);
      const name = nameOf(each.nth);
      if (!isDeepStrictEqual(thawed.find(name, nowMs), model.find(name, nowMs))) return false;
      if (thawed.isFull !== model.live.size >= MOST) return false;
    }
    t.strictSame(thawed.view(), model.view());
    t.strictSame(keys.view(), model.view());
    t.ok(stateHash(thawed.freeze()).equals(stateHash(keys.freeze())));
    const restored = new Keys(P5, MOST);
    restored.restore(keys.view());
    t.strictSame(restored.view(), model.view());
    return true;
  }), { numRuns: 60 });
  t.end();
});

t.test('given keys that are frozen, when they change afterwards, then the frozen ones do not', (t) => {
  const keys = new Keys(P5);
  for (let nth = 0; nth < 3_000; nth += 1) keys.remember(nameOf(nth), idOf(`${nth}`), sha(`${nth}`));
  for (let nth = 0; nth < 1_000; nth += 1) keys.retire(nameOf(nth), nth);
  const [view, parts] = [keys.view(), keys.freeze()];
  for (let nth = 500; nth < 2_000; nth += 1) keys.retire(nameOf(nth), 5_000);
  keys.forget(DEFAULTS.keyTtlMs + 900);
  for (let nth = 0; nth < 300; nth += 1) keys.remember(nameOf(nth), idOf('new'), sha('new'));
  const thawed = new Keys(P5);
  thawed.thaw(bytesOf(parts));
  t.strictSame(thawed.view(), view);
  t.notOk(stateHash(keys.freeze()).equals(stateHash(parts)));
  t.end();
});

t.test('given 100,000 keys, then rows and index take 15 MB at most', (t) => {
  const keys = new Keys(P5);
  const [id, fingerprint] = [idOf('x'), sha('x')];
  for (let nth = 0; nth < 100_000; nth += 1) keys.remember(`default/order-${nth}`, id, fingerprint);
  t.match(keys.find('default/order-7', 0), { jobId: id, fingerprint: fingerprint.toString('hex') });
  t.ok(keys.columnBytes < 15_000_000);
  t.end();
});

t.test('property: no two keys have the same name, whatever slashes are in them', (t) => {
  const part = fc.stringMatching(/^[ab]{1,2}$/);
  const queue = fc.oneof(part, fc.tuple(part, part).map((parts) => parts.join('/')));
  const key = fc.stringMatching(/^[ab/]{1,5}$/);
  fc.assert(fc.property(queue, key, queue, key, (queue, key, otherQueue, otherKey) =>
    (keyName(queue, key) === keyName(otherQueue, otherKey)) === (queue === otherQueue && key === otherKey),
  ), { numRuns: 20_000 });
  t.equal(keyName('orders', 'a/b'), 'orders/a/b', 'those of journals from before groups stay');
  t.end();
});
