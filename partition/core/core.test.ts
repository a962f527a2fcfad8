import t from 'tap';
import fc from 'fast-check';
import { parseToken, type Token } from '../../protocols/ids.js';
import { Keyring } from '../../protocols/keyring.js';
import { journal } from '../../protocols/messages.js';
import {
  decide, first, leasesIn, newCore, ok, Play, POLICY, decidedIn, session, token, worker,
} from '../../tests/play.js';
import { acts, Actors } from '../../tests/acts.js';
import { detached } from '../../actors/job/job-copy.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { placesOf, restore, viewOf } from './state.js';

const jobOf = (nth: number) => ({
  type: 'square', queue: 'default', payload: Buffer.alloc(20), contentType: '', priority: 0, key: '', commandId: '',
  delayMs: nth % 50 === 0 ? 1_000 : 0, runAtMs: 0, policy: POLICY, startMs: 0, totalMs: 0, labels: undefined, require: '', prefer: '',
});

const TO = { replyTo: 'replyTo' } as const;
function started(): Play {
  const play = new Play();
  play.register('w1');
  return play;
}

t.test('a job goes its way', (t) => {
  const play = started();
  const id = play.submit();
  const leases = leasesIn(play.pull('w1', 1, 5));
  t.same(leases, [first('w1', id)], 'given a ready job, when a worker pulls, then it is leased');
  play.pull('w1', 2, 5, [], [ok(first('w1', id))]);
  t.same(play.history(id), ['JobSubmitted', 'JobLeased', 'JobCompleted']);
  t.end();
});

t.test('submit and lease share a commit when a pull is waiting', (t) => {
  const play = started();
  play.pull('w1', 1, 5);
  const before = play.commits.length;
  const id = play.submit();
  t.equal(play.commits.length, before + 1);
  t.same(play.history(id), ['JobSubmitted', 'JobLeased']);
  t.end();
});

t.test('order: highest priority first, then first come, and whoever comes back stands where it stood', (t) => {
  const play = started();
  const [low, high, low2] = [play.submit(), play.submit({ priority: 5 }), play.submit()];
  t.same(leasesIn(play.pull('w1', 1, 1)), [first('w1', high)]);
  t.same(leasesIn(play.pull('w1', 2, 1, [first('w1', high)])), [first('w1', low, 2)]);
  play.tick(POLICY.heartbeatMs + 1);
  t.same(play.history(low), ['JobSubmitted', 'JobLeased', 'JobReclaimed'], 'a silent worker loses its jobs');
  play.register('w2');
  t.same(leasesIn(play.pull('w2', 1, 3)), [token('w2', 1, high, 2, 2), token('w2', 1, low, 2, 2), first('w2', low2)]);
  t.end();
});

t.test('a pull says what the worker holds', (t) => {
  const play = started();
  const [a, b] = [play.submit(), play.submit()];
  play.pull('w1', 1, 2);
  const missing = leasesIn(play.pull('w1', 2, 2, [first('w1', a)]));
  t.same(missing, [first('w1', b)], 'a lease that is missing from held is delivered again with the same token');
  t.same(play.history(b), ['JobSubmitted', 'JobLeased'], 'and is not recorded twice');
  const decided = play.pull('w1', 3, 0, [first('w1', a), first('w1', b), token('w1', 1, a, 9, 9)]);
  const revoked = decided.flatMap((effect) => (effect.kind === 'pulled' ? effect.revoked : []));
  t.same(revoked, [token('w1', 1, a, 9, 9)], 'what it should not hold is revoked');
  t.end();
});

t.test('a token is of one session and cannot be guessed', async (t) => {
  const play = new Play();
  play.register('w1');
  play.register('w2');
  const id = play.submit();
  const [given] = leasesIn(play.pull('w1', 1, 1));
  const revokedFor = (name: string, of: Token): boolean => {
    const sender = { workerId: worker(name), session: session(name) };
    const decided = [
      ...play.ask<'report'>({ kind: 'report', ...sender, reports: [{ ...ok(of), ...parseToken(of)! }] }).decided,
      ...play.ask<'heartbeat'>({ kind: 'heartbeat', ...sender, tokens: [of], progress: [] }).decided,
      ...play.pull(name, 2, 0, [of]),
    ];
    return decided.every((effect) => effect.kind === 'pulled' && effect.revoked.includes(of));
  };
  t.ok(revokedFor('w2', given!), 'another session cannot use it, nor learn from it');
  t.ok(revokedFor('w2', token('w2', 1, id, 1, 1)), 'nor the one that it would have been given itself');
  const forgeries = [`${id}/1/1`, `${id}/1/1/test.${'A'.repeat(22)}`, given!.slice(0, -1)] as Token[];
  for (const forged of forgeries) t.ok(revokedFor('w1', forged), 'a guess is not the token');
  t.equal(play.jobs.get(id)!.status, 'running', 'the attempt goes on');
  play.pull('w1', 3, 0, [], [ok(given!)]);
  t.equal(play.jobs.get(id)!.status, 'completed');
});

t.test('given another key, then what was leased under the older one is held and reported on all the same', async (t) => {
  const play = new Play();
  play.register('w1');
  const id = play.submit();
  const [given] = leasesIn(play.pull('w1', 1, 1));
  const older = { id: 'test', secret: Buffer.alloc(32, 7) };
  const core = newCore(new Keyring([{ id: 'new', secret: Buffer.alloc(32, 8) }, older]));
  for (const [nth, bytes] of play.commits.entries()) core.replay(journal.Commit.decode(bytes), nth + 1);
  core.lead({ nowMs: play.nowMs, monoMs: 0, draw: 0 });
  const pull = (pullSeq: number, held: Token[], reports: readonly ReturnType<typeof ok>[] = []): unknown[] => {
    const sender = { workerId: worker('w1'), session: session('w1') };
    const parsed = reports.map((report) => ({ ...report, ...parseToken(report.token)! }));
    const asked = { kind: 'pull' as const, ...sender, pullSeq, free: 1, expiresMs: 1, held, reports: parsed };
    core.step({ nowMs: play.nowMs, monoMs: 1, draw: 0 }, (step) => decide<'pull'>(step, asked, TO));
    const decided = decidedIn(core.take()?.effects ?? []);
    return decided.flatMap((effect) => (effect.kind === 'pulled' ? [...effect.revoked, ...effect.leases] : []));
  };
  t.strictSame(pull(2, [given!]), [], 'neither revoked nor delivered again');
  t.strictSame(pull(3, [], [ok(given!)]), []);
  t.equal(core.read(jobKind).get(id)!.status, 'completed');
});

t.test('a new leader delivers the same lease under the same token', async (t) => {
  const play = new Play();
  play.register('w1');
  const id = play.submit();
  const [given] = leasesIn(play.pull('w1', 1, 1));
  const next = play.replayed();
  t.equal(next.live(jobKind).tokens.of(next.read(jobKind).get(id)!), given);
});

t.test('a higher pullSeq supersedes the older pull, which is answered empty', (t) => {
  const play = started();
  play.pull('w1', 1, 5);
  const decided = play.pull('w1', 2, 5);
  t.equal(decided.length, 1);
  t.same(leasesIn(decided), []);
  const id = play.submit();
  t.same(play.history(id), ['JobSubmitted', 'JobLeased'], 'the newer one waits on');
  t.end();
});

t.test('keys and command ids', (t) => {
  const play = started();
  const id = play.submit({ key: 'k' });
  t.equal(play.submit({ key: 'k' }), id, 'the same key and payload is the same job');
  t.throws(() => play.submit({ key: 'k', payload: Buffer.from('2') }), /KEY_CONFLICT/);
  t.not(play.submit({ key: 'k', queue: 'other' }), id, 'keys are unique within a queue');
  const again = play.submit({ commandId: 'c' });
  t.equal(play.submit({ commandId: 'c' }), again);
  t.throws(() => play.submit({ commandId: 'c', payload: Buffer.from('2') }), /COMMAND_CONFLICT/);
  t.end();
});

t.test('what is remembered is forgotten by the commits’ own time', (t) => {
  const play = started();
  const id = play.submit({ key: 'k', commandId: 'c' });
  play.pull('w1', 1, 1);
  play.pull('w1', 2, 0, [], [ok(first('w1', id))]);
  play.nowMs += 61_000;
  play.submit();
  t.notOk(play.jobs.get(id), 'an ended job leaves the leader after a minute');
  t.equal(play.ask({ kind: 'get', target: { jobId: id } }).answer?.kind, 'archive', 'and the archive is asked');
  const { answer } = play.ask({ kind: 'cancel', target: { jobId: id }, reason: '', commandId: '', by: 'client' });
  t.match(answer, { kind: 'jobs', answers: [{ kind: 'archived', cancel: true }] });
  t.throws(() => play.submit({ key: 'k', payload: Buffer.from('2') }), /KEY_CONFLICT/, 'its key is kept for an hour');
  play.nowMs += 3_600_000;
  t.not(play.submit({ key: 'k', payload: Buffer.from('2') }), id);
  t.end();
});

t.test('cancelling a running job tells its worker through the open pull', (t) => {
  const play = started();
  const id = play.submit();
  play.pull('w1', 1, 2);
  play.pull('w1', 2, 1, [first('w1', id)]);
  const target = { jobId: id };
  const { decided } = play.ask({ kind: 'cancel', target, reason: 'enough', commandId: '', by: 'client' });
  t.same(decided.flatMap((effect) => (effect.kind === 'pulled' ? effect.cancel : [])), [first('w1', id)]);
  play.pull('w1', 3, 1, [], [{ token: first('w1', id), outcome: { kind: 'cancelled' } }]);
  t.equal(play.jobs.get(id)?.status, 'cancelled');
  t.end();
});

t.test('a session that the leader does not know must register', (t) => {
  const play = new Play();
  const [decided] = play.pull('w9', 1, 1);
  t.match(decided, { kind: 'refused', rejection: { code: 'UNKNOWN_WORKER' } });
  t.end();
});

t.test('a commit holds at most 500 events, and a decision is never torn', (t) => {
  const play = started();
  const jobs = Array.from({ length: 900 }, (_, nth) => ({ id: play.nextId(), job: { ...jobOf(nth) } }));
  play.ask({ kind: 'submit', by: 'client', waitMs: undefined, jobs });
  t.equal(play.jobs.size, 900);
  const sizes = play.commits.map((bytes) => journal.Commit.decode(bytes).events.length);
  t.equal(Math.max(...sizes) <= 500, true);
  const total = sizes.reduce((sum, size) => sum + size);
  t.equal(total, 1 + 900 + 18, 'one for the worker, one for each job, one more for each delayed job');
  for (const { id, job } of jobs) {
    if (job.delayMs > 0) t.same(play.history(id), ['JobSubmitted', 'JobDelayed']);
  }
  t.end();
});

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test('property: whatever happens, the journal folds to the very state that decided it, and the state is plain data', (t) => {
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 60 }), (script) => {
      const actors = new Actors();
      for (const act of script) {
        actors.act(act);
        const view = json(viewOf(actors.play.core.state));
        const again = newCore();
        restore(again.state, view, json(placesOf(actors.play.core.state)));
        t.same(json(viewOf(again.state)), view);
      }
      // Forgetting happens as a commit begins, so the two are compared after one.
      actors.play.submit();
      const live = json(viewOf(actors.play.core.state)) as { journalId: string; epoch: number };
      const replayed = json(viewOf(actors.play.replayed().state)) as object;
      t.same({ ...replayed, journalId: live.journalId, epoch: live.epoch }, live);
    }),
    { numRuns: 60 },
  );
  t.end();
});

t.test('property: no job has two valid tokens, and no job overtakes another in a queue', (t) => {
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 60 }), (script) => {
      const actors = new Actors();
      for (const act of script) {
        const ready = [...actors.play.jobs.all()].filter((job) => job.status === 'ready').map((job) => detached(job));
        actors.act(act);
        const { jobs } = actors.play;
        const taken = ready.filter((job) => jobs.get(job.id)?.lease !== job.lease);
        const left = ready.filter(({ id, lease }) => jobs.get(id)?.status === 'ready' && jobs.get(id)?.lease === lease);
        for (const one of taken) for (const { priority, place } of left) {
          if (priority > one.priority || (priority === one.priority && place < one.place)) return false;
        }
      }
      return true;
    }),
    { numRuns: 200 },
  );
  t.end();
});
