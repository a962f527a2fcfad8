import t from 'tap';
import { LeaseWatch } from './lease.js';

const terms = { ttlMs: 1_500, marginMs: 250 };

t.test('given no entry, then the lease is free at once', async (t) => {
  t.same(new LeaseWatch('me', terms).decide(undefined, 0), { kind: 'create' });
});

t.test('given an entry of ours, then it is replaced at once', async (t) => {
  t.same(new LeaseWatch('me', terms).decide({ revision: 4, holder: 'me' }, 0), { kind: 'replace', revision: 4 });
});

t.test('given an entry of another, then only a revision that stood still for a TTL is stolen', async (t) => {
  const watch = new LeaseWatch('me', terms);
  const entry = { revision: 7, holder: 'other' };
  t.same(watch.decide(entry, 10_000), { kind: 'wait', holder: 'other', ms: 1_500 }, 'its age when first seen is unknown');
  t.same(watch.decide(entry, 11_400), { kind: 'wait', holder: 'other', ms: 100 });
  t.same(watch.decide({ ...entry, revision: 8 }, 11_450), { kind: 'wait', holder: 'other', ms: 1_500 }, 'it was renewed');
  t.match(watch.decide({ ...entry, revision: 8 }, 12_949), { kind: 'wait' });
  t.same(watch.decide({ ...entry, revision: 8 }, 12_950), { kind: 'replace', revision: 8 });
});

t.test('given an entry that vanished in between, then what was watched is forgotten', async (t) => {
  const watch = new LeaseWatch('me', terms);
  watch.decide({ revision: 1, holder: 'other' }, 0);
  t.same(watch.decide(undefined, 1_000), { kind: 'create' });
  t.match(watch.decide({ revision: 1, holder: 'other' }, 2_000), { kind: 'wait', ms: 1_500 }, 'the bucket was made anew');
});

t.test('given a lease, then it is valid from when its renewal was sent, less the margin', async (t) => {
  const watch = new LeaseWatch('me', terms);
  t.equal(watch.validForMs(0), 0);
  watch.won(3, 1_000);
  t.equal(watch.revision, 3);
  t.equal(watch.validForMs(1_100), 1_150);
  t.equal(watch.validForMs(2_250), 0);
  t.equal(watch.validForMs(99_000), 0, 'after a long sleep it is over');
  watch.lost();
  t.equal(watch.validForMs(1_100), 0);
  t.equal(watch.revision, undefined);
});
