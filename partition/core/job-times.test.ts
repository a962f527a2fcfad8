/** The time to the first start, and crashes, in a partition. */
import t from 'tap';
import { jobKind } from '../../actors/job/job.kind.js';
import { detached } from '../../actors/job/job-copy.js';
import { job as messages, journal } from '../../protocols/messages.js';
import { decodeCommit } from '../../streams/contents.js';
import { differencesOf } from '../../tests/deciding/differences.js';
import { leasesIn, newCore, Play, POLICY } from '../../tests/play.js';
import type { PartitionCore } from './core.js';

const started = (): Play => {
  const play = new Play();
  play.register('w1');
  return play;
};
const jobsOf = (core: PartitionCore) => [...core.read(jobKind).all()].map(detached);
const barriersIn = ({ commits }: Play): number[] =>
  commits.flatMap((bytes) => decodeCommit(bytes).events).filter(({ type }) => type === 'VersionBarrier')
    .map(({ body }) => journal.VersionBarrier.decode(body!).reader);

t.test('given a job that does not start in time, when it is due, then it expires and is leased to nobody', (t) => {
  const play = started();
  const [late, delayed, begun] = [play.submit({ startMs: 300 }), play.submit({ startMs: 300, delayMs: 500 }), play.submit({ startMs: 300, priority: 1 })];
  const [token] = leasesIn(play.pull('w1', 1, 1));
  play.tick(300);
  t.strictSame(play.history(late), ['JobSubmitted', 'JobExpired']);
  t.match(play.jobs.get(late), { status: 'expired', attempt: 0, failure: { code: 'START_TIMED_OUT' } });
  t.match(play.jobs.get(begun), { status: 'running', startDueMs: undefined });
  play.tick(200);
  t.match(play.jobs.get(delayed), { status: 'ready' }, 'its time begins when its delay is over');
  play.tick(299);
  t.match(play.jobs.get(delayed), { status: 'ready' });
  play.tick(1);
  t.match(play.jobs.get(delayed), { status: 'expired' });
  t.strictSame(leasesIn(play.pull('w1', 2, 5, [token!])), [], 'neither is leased');
  t.strictSame(jobsOf(play.replayed()), jobsOf(play.core), 'a replay comes to the same');
  t.end();
});

t.test('given a timer that is late, when a worker pulls, then what is due expires and the next job is leased', (t) => {
  const play = started();
  const late = [play.submit({ startMs: 300 }), play.submit({ totalMs: 300 })];
  const good = play.submit({ startMs: 9_000 });
  play.nowMs += 300;
  const leases = leasesIn(play.pull('w1', 1, 3));
  t.equal(leases.length, 1);
  t.match(play.jobs.get(good), { status: 'running' });
  for (const id of late) t.strictSame(play.history(id), ['JobSubmitted', 'JobExpired']);
  t.strictSame(differencesOf(play.commits, newCore().state), [], 'and is decided again');
  t.end();
});

t.test('what brokers of 0.3.0 would time otherwise stands behind a version barrier; other jobs do not', (t) => {
  const play = started();
  play.submit();
  play.submit({ totalMs: 5, delayMs: 1, policy: { ...POLICY, maxCrashes: 1 } });
  t.strictSame(barriersIn(play), []);
  play.submit({ startMs: 5 });
  play.submit({ startMs: 5 });
  t.strictSame(barriersIn(play), [3], 'one');
  const other = started();
  other.submit({ policy: { ...POLICY, backoffListMs: [5] } });
  t.strictSame(barriersIn(other), [3]);
  t.end();
});

t.test('a job whose workers die under it is tried as often as maxCrashes says, and no more', (t) => {
  const play = started();
  const id = play.submit({ policy: { ...POLICY, maxAttempts: 1, maxCrashes: 3 } });
  const tokens = [1, 2, 3].map((n) => {
    play.register('w1');
    const [token] = leasesIn(play.pull('w1', n, 1));
    play.tick(POLICY.heartbeatMs + 1);
    return token;
  });
  t.equal(new Set(tokens).size, 3, 'no token comes twice');
  const ends = ['JobLeased', 'JobReclaimed', 'JobLeased', 'JobReclaimed', 'JobLeased', 'JobFailed'];
  t.strictSame(play.history(id), ['JobSubmitted', ...ends]);
  t.match(play.jobs.get(id), { status: 'failed', attempt: 3, crashes: 3, failure: { code: 'CRASH_LOOP' } });
  const { body } = play.commits.flatMap((bytes) => decodeCommit(bytes).events).find(({ type }) => type === 'JobReclaimed')!;
  t.equal(messages.JobReclaimed.decode(body!).crashes, 1);
  t.strictSame(barriersIn(play), []);
  t.strictSame(jobsOf(play.replayed()), jobsOf(play.core), 'a replay comes to the same');
  t.end();
});
