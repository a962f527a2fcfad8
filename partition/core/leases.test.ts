/** How long a lease runs for the leader and for the worker that it is handed to. */
import t from 'tap';
import fc from 'fast-check';
import { jobKind } from '../../actors/job/job.kind.js';
import { workerKind } from '../../actors/worker/worker.kind.js';
import type { Token } from '../../protocols/ids.js';
import { decide, first, job, leasesIn, Play, POLICY, decidedIn, session, worker, type Decided } from '../../tests/play.js';

const LEASE_MS = POLICY.heartbeatMs;
const leaseMsIn = (decided: readonly Decided[]): number[] => decided.flatMap((effect) => (effect.kind === 'pulled' ? effect.leases.map((lease) => lease.leaseMs) : []));
const answers = (decided: readonly Decided[]): number => decided.filter((effect) => effect.kind === 'pulled').length;

const started = (...names: string[]): Play => {
  const play = new Play();
  for (const name of names) play.register(name);
  return play;
};

t.test('a lease that is delivered again keeps its end, and the worker gets the time that is left', (t) => {
  const play = started('w1');
  const id = play.submit();
  t.same(leaseMsIn(play.pull('w1', 1, 1)), [LEASE_MS]);
  play.nowMs += 300;
  const again = play.pull('w1', 2, 1);
  t.same([leasesIn(again), leaseMsIn(again)], [[first('w1', id)], [LEASE_MS - 300]]);
  play.nowMs += LEASE_MS - 301;
  play.tick(0);
  t.equal(play.jobs.get(id)?.status, 'running');
  play.tick(1);
  t.same(play.history(id), ['JobSubmitted', 'JobLeased', 'JobReclaimed'], 'it ends as if it had been delivered once');
  t.end();
});

t.test('a lease that is delivered again and again without being held ends', (t) => {
  const play = started('w1');
  const id = play.submit();
  play.pull('w1', 1, 1);
  for (let n = 2; n < 2 + LEASE_MS / 20; n += 1) {
    play.tick(20);
    play.pull('w1', n, 1);
  }
  t.same(play.history(id).slice(0, 3), ['JobSubmitted', 'JobLeased', 'JobReclaimed']);
  t.end();
});

t.test('a lease with less than half of its time left is not delivered; another job gets the slot', (t) => {
  const play = started('w1');
  const id = play.submit();
  play.pull('w1', 1, 1);
  play.nowMs += LEASE_MS / 2 + 1;
  const other = play.submit();
  t.same(leasesIn(play.pull('w1', 2, 1)), [first('w1', other, 2)]);
  t.same(play.history(id), ['JobSubmitted', 'JobLeased']);
  t.end();
});

t.test('what the worker holds is renewed', (t) => {
  const play = started('w1');
  const id = play.submit();
  play.pull('w1', 1, 1);
  for (let n = 2; n < 6; n += 1) {
    play.tick(LEASE_MS - 1);
    play.pull('w1', n, 0, [first('w1', id)]);
  }
  t.equal(play.jobs.get(id)?.status, 'running');
  t.end();
});

t.test('a new leader gives every lease its full time, from when it begins to lead', (t) => {
  const play = started('w1');
  const id = play.submit();
  play.pull('w1', 1, 1);
  const core = play.replayed();
  core.lead({ nowMs: play.nowMs, monoMs: 0, draw: 0 });
  const pull = (pullSeq: number, monoMs: number): number[] => {
    const command = { kind: 'pull' as const, workerId: worker('w1'), session: session('w1'), pullSeq, free: 1, expiresMs: 1_000, held: [], reports: [] };
    core.step({ nowMs: play.nowMs, monoMs, draw: 0 }, (step) => decide<'pull'>(step, command, { replyTo: 'replyTo' }));
    return leaseMsIn(decidedIn(core.take()?.effects ?? []));
  };
  t.same(pull(2, 100), [LEASE_MS - 100]);
  t.same(pull(3, 300), [LEASE_MS - 300], 'once');
  t.equal(core.read(jobKind).get(id)?.status, 'running');
  t.end();
});

t.test('a pull that has waited for longer than half of the lease is answered without it, and the next pull brings it', (t) => {
  const play = started('w1');
  play.pull('w1', 1, 1);
  play.tick(LEASE_MS / 2);
  t.same(play.history(play.submit()), ['JobSubmitted', 'JobLeased'], 'up to then it brings the lease');
  play.pull('w1', 2, 1, [first('w1', play.submit())]);
  const old = started('w1');
  old.pull('w1', 1, 1);
  old.tick(LEASE_MS / 2 + 1);
  const id = old.nextId();
  const { decided } = old.ask<'submit'>({ kind: 'submit', by: 'client', waitMs: undefined, jobs: [{ id, job: job() }] });
  t.same([answers(decided), leasesIn(decided)], [1, []]);
  t.same(old.history(id), ['JobSubmitted'], 'no attempt is counted');
  t.same(leaseMsIn(old.pull('w1', 2, 1)), [LEASE_MS]);
  t.end();
});

t.test('a long lease is granted to a pull of any age, but does not overtake a short one', (t) => {
  const play = started('w1');
  play.pull('w1', 1, 5);
  play.tick(LEASE_MS - 1);
  const long = { ...POLICY, heartbeatMs: 60_000 };
  const ids = [play.nextId(), play.nextId(), play.nextId()];
  const jobs = [long, POLICY, long].map((policy, nth) => ({ id: ids[nth]!, job: { ...job(), policy } }));
  const { decided } = play.ask<'submit'>({ kind: 'submit', by: 'client', waitMs: undefined, jobs });
  t.same(leasesIn(decided), [first('w1', ids[0]!)]);
  t.same(leasesIn(play.pull('w1', 2, 4, [first('w1', ids[0]!)])), [first('w1', ids[1]!, 2), first('w1', ids[2]!, 2)]);
  t.end();
});

t.test('of many waiting pulls that are too old only as many are answered as the jobs need', (t) => {
  const names = Array.from({ length: 20 }, (_, nth) => `w${nth}`);
  const play = started(...names);
  for (const name of names) play.pull(name, 1, 1);
  play.tick(LEASE_MS - 1);
  const jobs = Array.from({ length: 3 }, () => ({ id: play.nextId(), job: job() }));
  const { decided } = play.ask<'submit'>({ kind: 'submit', by: 'client', waitMs: undefined, jobs });
  t.equal(answers(decided), 3);
  t.equal(play.core.live(workerKind).waiting.size, 17);
  t.end();
});

t.test('an attempt that is to be stopped ends its worker’s pull once; heartbeats say it until it has stopped', (t) => {
  const play = started('w1');
  const id = play.submit();
  play.pull('w1', 1, 2);
  play.ask<'cancel'>({ kind: 'cancel', target: { jobId: id }, reason: '', commandId: '', by: 'client' });
  const cancels = (decided: readonly Decided[]): string[] => decided.flatMap((effect) => (effect.kind === 'pulled' ? effect.cancel : []));
  t.same(cancels(play.pull('w1', 2, 1, [first('w1', id)])), [first('w1', id)]);
  t.equal(answers(play.pull('w1', 3, 1, [first('w1', id)])), 0, 'this one waits for work');
  for (let n = 0; n < 2; n += 1) {
    const { decided } = play.ask<'heartbeat'>({ kind: 'heartbeat', workerId: worker('w1'), session: session('w1'), tokens: [first('w1', id)], progress: [] });
    t.same(cancels(decided), [first('w1', id)]);
  }
  t.same(leasesIn(play.pull('w1', 4, 1, [], [{ token: first('w1', id), outcome: { kind: 'cancelled' } }])), []);
  t.equal(play.jobs.get(id)?.status, 'cancelled');
  t.end();
});

t.test('property: a worker that counts from when it sent its pull never takes a lease for longer than the leader does', (t) => {
  const act = fc.record({ passes: fc.integer({ min: 0, max: 700 }), does: fc.constantFrom('submit', 'pull', 'pull and hold'), late: fc.integer({ min: 0, max: 200 }) });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const play = started('w1');
      let sentMs = 0;
      let pullSeq = 0;
      const until = new Map<Token, number>();
      for (const { passes, does, late } of acts) {
        const decided = [...play.tick(passes)];
        const held = does === 'pull and hold' ? [...until.keys()].filter((token) => until.get(token)! > play.nowMs) : [];
        if (does === 'submit') play.submit();
        else {
          sentMs = play.nowMs;
          // It is under way for a while.
          decided.push(...play.tick(late), ...play.pull('w1', (pullSeq += 1), 2, held));
          for (const token of held) until.set(token, Math.max(until.get(token)!, sentMs + LEASE_MS));
        }
        for (const effect of decided) if (effect.kind === 'pulled') for (const { token, leaseMs } of effect.leases) {
          if (leaseMs * 2 < LEASE_MS) return false;
          until.set(token, sentMs + leaseMs);
        }
        for (const effect of decided) if (effect.kind === 'pulled') for (const token of effect.revoked) until.delete(token as Token);
        const { jobs } = play;
        const stillHeld = [...until].filter(([, endMs]) => endMs > play.nowMs).map(([token]) => token);
        if (stillHeld.some((token) => jobs.get(token.split('/')[0] as never)?.status !== 'running')) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.end();
});
