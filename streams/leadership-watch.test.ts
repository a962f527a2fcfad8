import t from 'tap';
import { LeadershipWatch } from './leadership-watch.js';

const terms = { ttlMs: 1_500, marginMs: 250 };

t.test('given no claim, then the leadership is free at once', async (t) => {
  t.ok(new LeadershipWatch('me', terms).mayTake(undefined, 0));
});

t.test('given a claim of ours, then it may be renewed at once', async (t) => {
  t.ok(new LeadershipWatch('me', terms).mayTake({ revision: 4, holder: 'me' }, 0));
});

t.test('given a claim of another broker, then only one that was not renewed for a TTL may be replaced', async (t) => {
  const watch = new LeadershipWatch('me', terms);
  const claim = { revision: 7, holder: 'other' };
  t.notOk(watch.mayTake(claim, 10_000), 'its age when first seen is unknown');
  t.notOk(watch.mayTake(claim, 11_499));
  t.notOk(watch.mayTake({ ...claim, revision: 8 }, 11_500), 'it was renewed');
  t.notOk(watch.mayTake({ ...claim, revision: 8 }, 12_999));
  t.ok(watch.mayTake({ ...claim, revision: 8 }, 13_000));
});

t.test('given a claim that was gone in between, then the TTL is counted anew', async (t) => {
  const watch = new LeadershipWatch('me', terms);
  watch.mayTake({ revision: 1, holder: 'other' }, 0);
  t.ok(watch.mayTake(undefined, 1_000));
  t.notOk(watch.mayTake({ revision: 1, holder: 'other' }, 2_000), 'the stream was made again');
  t.ok(watch.mayTake({ revision: 1, holder: 'other' }, 3_500));
});

t.test('given leadership, then it is valid from when its claim was sent, less the margin', async (t) => {
  const watch = new LeadershipWatch('me', terms);
  t.equal(watch.validForMs(0), 0);
  watch.won(1_000);
  t.ok(watch.isHeld);
  t.equal(watch.validForMs(1_100), 1_150);
  t.equal(watch.validForMs(2_250), 0);
  t.equal(watch.validForMs(99_000), 0, 'after a long sleep it is over');
  watch.lost();
  t.equal(watch.validForMs(1_100), 0);
  t.notOk(watch.isHeld);
});
