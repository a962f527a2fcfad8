import t from 'tap';
import { jobKind } from '../job/job.kind.js';
import { Play, session, worker } from '../../tests/play.js';

const AFTER_MS = 5_000;

function started(): Play {
  const play = new Play();
  play.lead();
  play.tick(10_000);
  const settings = { unworkableAfterMs: AFTER_MS };
  play.ask({ kind: 'queue.set', queue: 'default', settings, unset: [], reason: '', commandId: '', by: '' });
  return play;
}

const wait = (play: Play, ms: number): void => {
  for (let passed = 0; passed < ms; passed += 1_000) play.tick(1_000);
};

t.test('given a job that no registered worker could do, then it ends when its time is over, with the reason', (t) => {
  const play = started();
  play.register('w', ['cube']);
  const id = play.submit({});
  const other = play.submit({ type: 'cube' });
  wait(play, AFTER_MS - 1_000);
  t.match(play.jobs.get(id), { status: 'ready' });
  wait(play, 3_000);
  t.match(play.jobs.get(id), { status: 'unworkable', failure: { code: 'UNWORKABLE', message: /1 of 1 lack types .*nearest is w/ } });
  t.match(play.jobs.get(other), { status: 'ready' }, 'one that a worker could do waits');
  t.match(play.replayed().read(jobKind).get(id), { status: 'unworkable' });
  t.end();
});

t.test('given an able worker that is cordoned or drains, then no job ends', (t) => {
  for (const how of ['cordon', 'drain'] as const) {
    const play = started();
    play.register('w');
    const of = { workerId: worker('w'), session: session('w') };
    if (how === 'drain') play.ask({ kind: 'drain', ...of, gone: false });
    else play.ask({ kind: 'cordon', workerId: of.workerId, reason: '', commandId: '', by: 'anna' });
    const id = play.submit({});
    wait(play, 3 * AFTER_MS);
    t.match(play.jobs.get(id), { status: 'ready' }, how);
  }
  t.end();
});

t.test('given a worker that comes in time, then the time begins anew when it has gone', (t) => {
  const play = started();
  const id = play.submit({});
  wait(play, AFTER_MS - 2_000);
  play.register('w');
  wait(play, 2_000);
  play.ask({ kind: 'drain', workerId: worker('w'), session: session('w'), gone: true });
  wait(play, AFTER_MS - 2_000);
  t.match(play.jobs.get(id), { status: 'ready' });
  wait(play, 4_000);
  t.match(play.jobs.get(id), { status: 'unworkable' });
  t.end();
});
