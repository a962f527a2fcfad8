/** What every store of an archive must do. One suite, run against each implementation. Tests only. */
import type { Test } from 'tap';
import type { RepriseError } from '../../../protocols/errors.js';
import type { ArchiveStore } from '../store.js';

/** Opens a store that nobody else uses, for one test; closed with it. */
export type MakeStore = (t: Test) => Promise<ArchiveStore>;
type Spec = (t: Test, store: ArchiveStore) => Promise<void>;

const text = (value: string): Uint8Array => Buffer.from(value);
const read = async (store: ArchiveStore, name: string): Promise<string | undefined> => {
  const bytes = await store.get(name);
  return bytes && Buffer.from(bytes).toString();
};

const HOSTILE = [
  '', '/', '/etc/passwd', '..', '../up', 'a/../../up', 'a/./b', 'a//b', 'a/', '.hidden', 'a/.hidden', 'a\\..\\b', 'a b',
  'a\0b', 'ä', '~', 'a?b', 'x'.repeat(600),
];

const SPECS: Readonly<Record<string, Spec>> = {
  'given nothing, then there is nothing to get, to list or to remove': async (t, store) => {
    t.equal(await store.get('a/b'), undefined);
    t.equal(await store.get('a/b', { from: 0, to: 1 }), undefined);
    t.strictSame(await store.list(''), []);
    t.strictSame(await store.list('a/'), []);
    await store.remove('a/b');
  },
  'given parts, then the object is all of them, and another put replaces it': async (t, store) => {
    await store.put('ns/j/0/one', [text('he'), new Uint8Array(0), text('llo')]);
    t.equal(await read(store, 'ns/j/0/one'), 'hello');
    await store.put('ns/j/0/one', [text('he')]);
    t.equal(await read(store, 'ns/j/0/one'), 'he');
    await store.put('ns/j/0/empty', []);
    t.equal(await read(store, 'ns/j/0/empty'), '');
  },
  'given a range, then those bytes are read, and fewer beyond the end': async (t, store) => {
    await store.put('one', [text('0123456789')]);
    const part = async (from: number, to: number): Promise<string> =>
      Buffer.from((await store.get('one', { from, to })) ?? text('?')).toString();
    t.equal(await part(0, 3), '012');
    t.equal(await part(3, 4), '3');
    t.equal(await part(5, 5), '');
    t.equal(await part(8, 20), '89');
    t.equal(await part(10, 20), '');
    t.equal(await part(30, 40), '');
  },
  'given a name that is taken, then create changes nothing': async (t, store) => {
    t.equal(await store.create('a/one', [text('first')]), true);
    t.equal(await store.create('a/one', [text('second')]), false);
    t.equal(await read(store, 'a/one'), 'first');
    await store.put('a/one', [text('third')]);
    t.equal(await read(store, 'a/one'), 'third');
  },
  'given objects, then they are listed by prefix and sorted, until they are removed': async (t, store) => {
    for (const name of ['b/2', 'b/10', 'a/1', 'b.c', 'b/deep/er']) await store.put(name, [text('x')]);
    t.strictSame(await store.list(''), ['a/1', 'b.c', 'b/10', 'b/2', 'b/deep/er']);
    t.strictSame(await store.list('b/'), ['b/10', 'b/2', 'b/deep/er']);
    t.strictSame(await store.list('b/1'), ['b/10']);
    t.strictSame(await store.list('b'), ['b.c', 'b/10', 'b/2', 'b/deep/er']);
    t.strictSame(await store.list('c'), []);
    await store.remove('b/10');
    t.strictSame(await store.list('b/'), ['b/2', 'b/deep/er']);
    t.equal(await store.get('b/10'), undefined);
  },
  'given more objects than one page of a listing has, then all are listed': async (t, store) => {
    const names = Array.from({ length: 1_050 }, (_, n) => `many/${String(n).padStart(5, '0')}`);
    for (let n = 0; n < names.length; n += 50) {
      await Promise.all(names.slice(n, n + 50).map((name) => store.put(name, [text(name)])));
    }
    t.strictSame(await store.list('many/'), names);
  },
  'given any bytes and many of them, then they are the same when they are read': async (t, store) => {
    const bytes = Uint8Array.from({ length: 3_000_001 }, (_, n) => (n * 31 + (n >> 8)) & 255);
    await store.put('large', [bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]);
    t.equal(Buffer.compare((await store.get('large'))!, bytes), 0);
    const part = (await store.get('large', { from: 999_990, to: 2_000_000 }))!;
    t.equal(Buffer.compare(part, bytes.subarray(999_990, 2_000_000)), 0);
  },
  'given a reader while an object is replaced, then it sees the old or the new one as a whole': async (t, store) => {
    const [old, young] = [Buffer.alloc(300_000, 1), Buffer.alloc(200_000, 2)];
    await store.put('one', [old]);
    const writing = (async () => {
      for (let n = 0; n < 10; n += 1) await store.put('one', n % 2 === 0 ? [young, new Uint8Array(0)] : [old]);
    })();
    let torn = 0;
    for (let n = 0; n < 30; n += 1) {
      // The server of the tests may cut a connection: an error, but no wrong bytes.
      const seen = await store.get('one').catch((error: RepriseError) => (error.retryable ? old : undefined));
      if (seen === undefined || !(old.equals(seen) || young.equals(seen))) torn += 1;
    }
    await writing;
    t.equal(torn, 0);
  },
  'given a hostile name, then it is refused and nothing is touched': async (t, store) => {
    for (const name of HOSTILE) {
      const refused = { code: 'INVALID_ARGUMENT' };
      await t.rejects(store.put(name, [text('x')]), refused, `put ${JSON.stringify(name.slice(0, 20))}`);
      await t.rejects(store.create(name, [text('x')]), refused);
      await t.rejects(store.get(name), refused);
      await t.rejects(store.remove(name), refused);
    }
    for (const prefix of ['../', '/', 'a/../', '.', 'a//']) {
      await t.rejects(store.list(prefix), { code: 'INVALID_ARGUMENT' });
    }
    t.strictSame(await store.list(''), []);
  },
};

export function conformance(suite: Test, name: string, makeStore: MakeStore): void {
  for (const [says, spec] of Object.entries(SPECS)) {
    void suite.test(`${name}: ${says}`, async (t) => spec(t, await makeStore(t)));
  }
}
