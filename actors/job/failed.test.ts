/** Failed jobs stay with the leader, are retried and discarded, and every replay knows the same ones. */
import fc from 'fast-check';
import t from 'tap';
import { freeze, placesOf, restore, thaw, viewOf, type PartitionState } from '../../partition/core/state.js';
import { stateHash } from '../rows/parts.js';
import type { Token, JobId } from '../../protocols/ids.js';
import type { Outcome } from './job.decide.js';
import { Actors, acts } from '../../tests/acts.js';
import { leasesIn, newCore, ok, Play } from '../../tests/play.js';
import { DEFAULTS } from '../../protocols/limits.js';
import { FAILED_OF_PARTITION, FailedJobs } from './failed.js';
import { jobKind } from './job.kind.js';

const failing = (token: Token, message = 'no') => {
  const outcome: Outcome = { kind: 'fail', failure: { code: 'BROKEN', message } };
  return { token, outcome };
};
let pullSeq = 0;

/** Submits a job that fails. */
function failed(play: Play, message?: string, key = ''): JobId {
  const id = play.submit({ key });
  play.register('w1');
  const leases = leasesIn(play.pull('w1', (pullSeq += 1), 1));
  play.pull('w1', (pullSeq += 1), 0, [], leases.map((token) => failing(token, message)));
  return id;
}

const retry = (play: Play, jobId: JobId): unknown =>
  play.ask<'retry'>({ kind: 'retry', target: { jobId }, payload: undefined, commandId: '' }).answer;

t.test('given a failed job and a completed one, when time goes by, then the failed one is kept, shortened', async (t) => {
  const play = new Play();
  const id = failed(play, 'x'.repeat(1_000));
  const done = play.submit();
  play.pull('w1', (pullSeq += 1), 0, [], leasesIn(play.pull('w1', (pullSeq += 1), 1)).map(ok));
  t.equal(play.jobs.get(id)!.failure!.message.length, 1_000);
  play.nowMs += 10_000_000;
  play.submit({ queue: 'other' });
  t.equal(play.jobs.get(done), undefined);
  t.match(play.jobs.get(id), { status: 'failed', failure: { code: 'BROKEN', message: `${'x'.repeat(256)}…` } });
  t.strictSame([...play.core.state.cast.get('job')!.store.needed!(play.core.state.seq, [])].filter(Boolean).length, 2,
    'its payload outlives the truncation of the journal, as that of a job that waits');
});

t.test('given too many, then the oldest of the queue leaves; of all queues if they are too many together', async (t) => {
  const jobs = new FailedJobs();
  for (let row = 0; row < DEFAULTS.failedKept; row += 1) t.strictSame(jobs.add(row, 'a', DEFAULTS.failedKept), []);
  t.strictSame(jobs.add(5_000, 'a', DEFAULTS.failedKept), [0]);
  t.ok(jobs.delete(0, 'a'));
  t.notOk(jobs.delete(0, 'a'));
  for (let row = 10_000; jobs.size < FAILED_OF_PARTITION; row += 1) jobs.add(row, `q${row % 100}`, DEFAULTS.failedKept);
  t.strictSame(jobs.add(999_999, 'b', DEFAULTS.failedKept), [1]);
});

t.test('given a queue that keeps one failed job, or none, then the others leave with those that have ended', async (t) => {
  for (const failedKept of [1, 0]) {
    const play = new Play();
    play.ask({ kind: 'queue.set', queue: 'default', settings: { failedKept }, unset: [], reason: '', commandId: '', by: '' });
    const ids = [failed(play), failed(play), failed(play)];
    play.nowMs += 10_000_000;
    play.submit({ queue: 'other' });
    t.strictSame(ids.map((id) => play.jobs.get(id)?.status), [undefined, undefined, failedKept === 1 ? 'failed' : undefined]);
    const replayed = play.replayed().read(jobKind);
    t.strictSame(ids.map((id) => replayed.get(id)?.status), ids.map((id) => play.jobs.get(id)?.status));
  }
});

t.test('given a job that was kept for long, when it is retried, then it stands where it stood', async (t) => {
  const play = new Play();
  const id = failed(play, 'no', 'k');
  play.nowMs += 10_000_000;
  const later = play.submit();
  t.match(retry(play, id), { kind: 'jobs', answers: [{ status: 'ready', duplicate: false }] });
  t.throws(() => play.submit({ key: 'k', payload: Buffer.from('2') }), /KEY_CONFLICT/, 'its key is its own again');
  play.register('w1');
  const leases = leasesIn(play.pull('w1', (pullSeq += 1), 2));
  t.strictSame(leases.map((token) => token.split('/').slice(0, 3)), [[id, '2', '2'], [later, '1', '1']]);
  t.match(retry(play, id), { kind: 'refused', rejection: { code: 'NOT_ENDED' } });
  play.pull('w1', (pullSeq += 1), 0, [], leases.map((token) => failing(token)));
  t.match(play.jobs.get(id), { status: 'failed', retried: { generation: 1, attempts: 1 } });
  play.ask<'discard'>({ kind: 'discard', target: { jobId: id }, reason: 'enough', commandId: '' });
  t.equal(play.jobs.get(id)!.status, 'discarded');
  t.match(retry(play, id), { kind: 'refused', rejection: { code: 'ALREADY_ENDED' } });
  play.nowMs += 70_000;
  play.submit();
  t.equal(play.jobs.get(id), undefined, 'it is kept no longer');
});

t.test('given waiting jobs, when one gets another priority, then it goes by it, and by its place', async (t) => {
  const play = new Play();
  const ids = [0, 5, 0, 5].map((priority) => play.submit({ priority }));
  const give = (nth: number, priority: number): unknown => play.ask<'reprioritize'>({
    kind: 'reprioritize', target: { jobId: ids[nth]! }, priority, commandId: '',
  }).answer;
  t.match(give(2, 5), { kind: 'jobs', answers: [{ status: 'ready', duplicate: false }] });
  t.match(give(3, -1), { kind: 'jobs' });
  t.match(give(3, -1), { answers: [{ duplicate: true }] });
  play.register('w1');
  const leased = leasesIn(play.pull('w1', (pullSeq += 1), 4)).map((token) => token.split('/')[0]);
  t.strictSame(leased, [ids[1], ids[2], ids[0], ids[3]]);
  t.strictSame([...play.replayed().read(jobKind).all()].map(({ priority }) => priority), [0, 5, 5, -1]);
});

t.test('property: whatever is retried and discarded, a replay and a snapshot come to the same state', async () => {
  const more = fc.oneof(acts, acts, fc.record({ retry: fc.nat(20) }), fc.record({ discard: fc.nat(20) }));
  fc.assert(fc.property(fc.array(more, { maxLength: 60, size: 'max' }), (script) => {
    const actors = new Actors();
    const { play } = actors;
    const nth = (at: number): JobId | undefined => [...play.jobs.after(-1)][at]?.id;
    for (const act of script) {
      if ('do' in act) actors.act(act);
      else if ('retry' in act) {
        const id = nth(act.retry);
        if (id) retry(play, id);
      } else {
        const id = nth(act.discard);
        if (id) play.ask<'discard'>({ kind: 'discard', target: { jobId: id }, reason: '', commandId: '' });
      }
    }
    const { state } = play.core;
    const replayed = play.replayed().state;
    const [thawed, restored] = [newCore().state, newCore().state];
    thaw(thawed, new Map(freeze(state).map((part) => [part.name, Buffer.from(part.bytes())])));
    restore(restored, viewOf(state), placesOf(state));
    const [view, ...others] = [state, replayed, thawed, restored].map((each) => JSON.stringify(viewOf(each).kinds));
    const isSame = others.every((each) => each === view);
    const hashOf = (of: PartitionState): string =>
      stateHash(freeze(of).filter(({ name }) => name !== 'partition')).toString('hex');
    return isSame && hashOf(replayed) === hashOf(state);
  }), { numRuns: 100 });
});
