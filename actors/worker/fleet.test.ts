/** What operators do with workers, and what lists say of them. */
import t from 'tap';
import { leasesIn, Play, session, worker, type Decided } from '../../tests/play.js';
import { mergedPage, type Page } from './page.js';
import { statusesIn, viewIn } from '../../tests/worker/views.js';
import { wholeOf, type View } from './view.js';
import { workerKind } from './worker.kind.js';

const order = (play: Play, kind: 'cordon' | 'uncordon' | 'retire', of = 'w1'): Decided | undefined =>
  play.ask<typeof kind>({ kind, workerId: worker(of), reason: 'hot', commandId: '', by: 'anna' }).answer;
const started = (...names: string[]): Play => {
  const play = new Play();
  for (const name of names) play.register(name);
  return play;
};
const isDrained = (decided: readonly Decided[]): boolean =>
  decided.some((each) => each.kind === 'pulled' && each.drain);
const W1 = { workerId: worker('w1'), reason: '', commandId: '', by: 'anna' };

t.test('a cordoned worker gets no leases, keeps what it runs, and stays so when it registers again', async (t) => {
  const play = started('w1');
  const first = play.submit();
  const held = leasesIn(play.pull('w1', 1, 1));
  t.equal(held.length, 1);
  play.pull('w1', 2, 1, held);
  order(play, 'cordon');
  play.submit();
  t.match(viewIn(play, 'w1'), { status: 'cordoned', running: 1, cordoned: { by: 'anna', reason: 'hot' } });
  t.equal(play.jobs.get(first)?.status, 'running');
  play.register('w1');
  t.same(leasesIn(play.pull('w1', 3, 5, held)), []);
  t.same(leasesIn(play.tick(500)), [], 'its pull waits');
  const { decided } = play.ask<'uncordon'>({ kind: 'uncordon', ...W1 });
  t.equal(leasesIn(decided).length, 1, 'and gets a job at once');
  t.match(viewIn(play, 'w1'), { running: 2, status: 'ready' });
});

t.test('a cordon is known to every replay, and outlives the worker', async (t) => {
  const play = started('w1');
  order(play, 'cordon');
  play.ask<'drain'>({ kind: 'drain', workerId: worker('w1'), session: session('w1'), gone: true });
  t.match(viewIn(play, 'w1'), { status: 'gone', cordoned: { by: 'anna' }, gone: 'drained' });
  t.match(play.replayed().read(workerKind).get('w1'), { status: 'gone', cordoned: { by: 'anna', reason: 'hot' } });
  play.register('w1');
  play.submit();
  t.same(leasesIn(play.pull('w1', 1, 5)), []);
  order(play, 'uncordon');
  play.ask<'drain'>({ kind: 'drain', workerId: worker('w1'), session: session('w1'), gone: true });
  t.equal(play.core.read(workerKind).get('w1'), undefined);
});

t.test('a worker that an operator drains is told so by every reply, also after it registers again', async (t) => {
  const play = started('w1', 'w2');
  play.pull('w1', 1, 1);
  const { decided } = play.ask<'retire'>({ kind: 'retire', ...W1 });
  t.ok(isDrained(decided), 'its open pull is answered');
  t.match(viewIn(play, 'w1'), { status: 'draining', drained: { by: 'anna' } });
  play.register('w1');
  t.ok(isDrained(play.pull('w1', 2, 1)));
  const heartbeat = { workerId: worker('w1'), session: session('w1'), tokens: [], progress: [] };
  t.ok(isDrained(play.ask<'heartbeat'>({ kind: 'heartbeat', ...heartbeat }).decided));
  t.notOk(isDrained(play.pull('w2', 1, 0)));
  play.submit();
  t.same(leasesIn(play.pull('w1', 3, 1)), []);
  play.lead();
  t.ok(isDrained(play.pull('w1', 4, 1)), 'the next leader knows it from the journal');
});

t.test('the statuses of a worker', async (t) => {
  const play = new Play();
  const status = (): unknown => statusesIn(play)['w1'];
  play.register('w1');
  t.equal(status(), 'starting');
  play.pull('w1', 1, 10);
  t.equal(status(), 'ready');
  for (let nth = 0; nth < 10; nth += 1) play.submit();
  const held = leasesIn(play.pull('w1', 2, 10));
  t.equal(status(), 'busy');
  t.ok(held.length > 0);
  play.nowMs += 2_600;
  t.equal(status(), 'suspect', 'silent for longer than it is expected to be, and its leases are not over');
  play.tick(70_000);
  t.equal(status(), 'gone');
  t.match(viewIn(play, 'w1'), { gone: 'silent', running: 0 });
  play.register('w1');
  t.equal(status(), 'starting');
});

t.test('the load comes with pulls and heartbeats, is shown, and is not recorded', async (t) => {
  const play = started('w1');
  const before = play.commits.length;
  const load = { slots: 0.5, eventLoopMs: 3, memoryBytes: 5_000_000, attempts: 5 };
  const who = { workerId: worker('w1'), session: session('w1') };
  play.ask<'heartbeat'>({ kind: 'heartbeat', ...who, tokens: [], progress: [], load });
  t.match(viewIn(play, 'w1'), { load });
  const pull = { pullSeq: 1, free: 1, expiresMs: 1, held: [], reports: [] };
  play.ask<'pull'>({ kind: 'pull', ...who, ...pull, load: { ...load, attempts: 1 } });
  t.match(viewIn(play, 'w1'), { load: { attempts: 1 } });
  t.equal(play.commits.length, before);
});

t.test('the parts of several partitions become one view', async (t) => {
  const times = { silentMs: 40, expectedMs: 7_000 };
  const late = { silentMs: 9_000, expectedMs: 30_000 };
  const home: View = { workerId: 'w1', status: 'starting', capacity: 4, running: 1, ...late };
  const other: View = { workerId: 'w1', status: 'ready', running: 3, ...times, load: { attempts: 4 } };
  t.match(wholeOf([home, other]), { status: 'busy', running: 4, ...times, load: { attempts: 4 } });
  t.match(wholeOf([home, { ...other, silentMs: 8_000, running: 0 }]), { status: 'suspect', running: 1 });
  t.match(wholeOf([{ ...home, cordoned: { by: 'anna' } }, other]), { status: 'cordoned' });
  const page = (ids: readonly string[], next = ''): Page =>
    ({ workers: ids.map((workerId) => ({ ...other, workerId })), next });
  const merged = mergedPage([page(['a', 'b'], 'b'), page(['a', 'c'])], 10);
  t.same(merged.workers.map(({ workerId }) => workerId), ['a', 'b']);
  t.equal(merged.next, 'b');
});
