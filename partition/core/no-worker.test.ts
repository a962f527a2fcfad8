import t from 'tap';
import type { JobId } from '../../protocols/ids.js';
import { job, Play, session, worker } from '../../tests/play.js';

const lacks = (play: Play, jobId: JobId): boolean => {
  const { answer } = play.ask<'get'>({ kind: 'get', target: { jobId } });
  if (answer?.kind !== 'view') throw new Error(`no view: ${JSON.stringify(answer)}`);
  return answer.noWorker;
};

/** The core of a leader that leads long enough to know its workers. */
function leading(): Play {
  const play = new Play();
  play.lead();
  play.tick(10_000);
  return play;
}

t.test('a ready job has noWorker until a worker registers that can do it', (t) => {
  const play = leading();
  const id = play.submit({ type: 'square', queue: 'q' });
  t.ok(lacks(play, id), 'nobody is there');
  play.register('w1', ['cube']);
  t.ok(lacks(play, id), 'no worker performs the type');
  play.register('w2', ['square'], ['other']);
  t.ok(lacks(play, id), 'no worker performs it on the queue');
  play.register('w3', ['square'], ['q', 'other']);
  t.notOk(lacks(play, id));
  play.ask<'drain'>({ kind: 'drain', workerId: worker('w3'), session: session('w3'), gone: false });
  t.ok(lacks(play, id), 'who drains takes nothing more');
  play.register('w4', ['square']);
  t.notOk(lacks(play, id), 'a worker without queues takes all');
  play.ask<'drain'>({ kind: 'drain', workerId: worker('w4'), session: session('w4'), gone: true });
  t.ok(lacks(play, id), 'who is gone neither');
  t.end();
});

t.test('a silent worker is not counted for ever', (t) => {
  const play = leading();
  play.register('w1');
  const id = play.submit();
  t.notOk(lacks(play, id));
  play.tick(61_000);
  t.ok(lacks(play, id));
  t.end();
});

t.test('only a job that waits for nothing else has noWorker, in every reply', (t) => {
  const play = leading();
  const ready = [{ id: play.nextId(), job: job() }];
  const delayed = [{ id: play.nextId(), job: { ...job(), delayMs: 1_000 } }];
  const answers = [
    play.ask<'submit'>({ kind: 'submit', by: 'c', waitMs: undefined, jobs: ready }).answer,
    play.ask<'submit'>({ kind: 'submit', by: 'c', waitMs: undefined, jobs: delayed }).answer,
  ];
  const told = answers.map((answer) => {
    const given = answer?.kind === 'jobs' ? answer.answers[0]! : undefined;
    return given?.kind === 'job' ? [given.status, given.noWorker] : undefined;
  });
  t.same(told, [
    ['ready', true], ['scheduled', false],
  ]);
  play.register('w1');
  const id = play.submit();
  t.notOk(lacks(play, id));
  play.pull('w1', 1, 5);
  t.notOk(lacks(play, id), 'it runs');
  t.end();
});

t.test('a new leader does not take the workers for gone before they had time to come back', (t) => {
  const play = new Play();
  play.lead();
  const id = play.submit();
  t.notOk(lacks(play, id));
  play.tick(5_900);
  t.notOk(lacks(play, id));
  play.tick(200);
  t.ok(lacks(play, id));
  t.end();
});
