/** `reprise replay` for actors of every kind, from the journals of a real server. */
import t from 'tap';
import type { Partition } from '../protocols/ids.js';
import { openJournal } from '../streams/jetstream.js';
import { queuesOf, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger } from './stranger.js';

interface Step {
  readonly partition?: number;
  readonly event: string;
  readonly before: string;
  readonly after: string;
  readonly changed: Record<string, { before: unknown; after: unknown }>;
}

t.test('a queue, a worker and a job, with 3 partitions', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3 });
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const cwd = t.testdir();
  const where = ['--nats', reprise.brokerUrl, '--namespace', reprise.ns];
  const replay = (...words: string[]) => run(['replay', ...words, ...where], { cwd });
  const steps = async (name: string): Promise<Step[]> => {
    const { code, stdout, stderr } = await replay(name, '--json');
    t.equal(code, 0, stderr);
    return stdout.trim().split('\n').map((line) => JSON.parse(line) as Step);
  };
  const told = (all: Step[]) => all.map(({ partition, event, before, after }) => [partition, event, before, after]);
  const [, , queue] = queuesOf(3) as [string, string, string];

  t.match(await replay(`queue/${queue}`), {
    code: 1, stdout: '', stderr: /No journal holds an event of queue "queue-\d+"[^]*hint: .*paused/,
  }, 'before its first event');
  await stranger.patient('queue.pause', { queue, reason: 'closed' });
  await stranger.patient('queue.resume', { queue });
  const ofQueue = await steps(`queue/${queue}`);
  t.same(told(ofQueue), [[2, 'QueuePaused', 'absent', 'paused'], [2, 'QueueResumed', 'paused', 'open']]);
  t.match(ofQueue[1]!.changed, { reason: { before: 'closed', after: '' } });
  const { stdout } = await replay(`queue/${queue}`);
  t.match(stdout, /^partition 2\n.*QueuePaused +absent → paused\n.*cause +PauseQueue[^]*reason: closed\n/);

  for (const capacity of [2, 3]) {
    const me = await stranger.register('w', { types: ['x'], capacity });
    await stranger.patient('worker.drain', { ...me, gone: true });
  }
  const ofWorker = await steps('worker/w');
  t.same(told(ofWorker), [
    [0, 'WorkerRegistered', 'absent', 'registered'], [0, 'WorkerGone', 'registered', 'gone'],
    [0, 'WorkerRegistered', 'absent', 'registered'], [0, 'WorkerGone', 'registered', 'gone'],
  ], 'when it registers again, it is a new actor');
  t.same(ofWorker[2]!.changed['capacity'], { before: null, after: 3 });

  const { body } = await stranger.patient('job.submit', { jobs: [{ type: 'x', queue: 'other', commandId: 'c' }] });
  const [{ jobId }] = body['jobs'] as [{ jobId: string }];
  t.same(told(await steps(jobId)), [[undefined, 'JobSubmitted', 'absent', 'ready']]);
  t.same(await steps(`job/${jobId}`), await steps(jobId), 'a job is also named by its kind');

  t.match(await replay('machine/m'), {
    code: 2, stdout: '', stderr: /There is no kind of actor "machine"[^]*hint: .*job, worker, queue/,
  });
  t.match(await replay('worker/nobody'), {
    code: 1, stdout: '', stderr: /No journal holds an event of worker "nobody"/,
  });
  t.match(await replay('queue/'), { code: 1, stderr: /queue ""/ });
  t.match(await replay('job/x'), { code: 1, stderr: /"x" is not a job id/ });
  const ordinary = await run(['replay', 'queue/mail', '--nats', reprise.url, '--namespace', reprise.ns], { cwd });
  t.match(ordinary, { code: 1, stderr: /PERMISSION_DENIED/ }, 'an ordinary user may not read journals');
});

t.test('given a truncated journal whose archive is not known, then it is asked for, and nothing is called broken', async (t) => {
  const reprise = await Reprise.start(t);
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  await stranger.patient('queue.pause', { queue: 'q', reason: 'closed' });
  await stranger.patient('queue.resume', { queue: 'q' });
  const journal = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: 0 as Partition });
  const { lastSeq } = await journal.end();
  await journal.truncate(lastSeq);
  await journal.close();
  const where = ['--nats', reprise.brokerUrl, '--namespace', reprise.ns, '--json'];
  const ran = await run(['replay', 'queue/q', ...where], { cwd: t.testdir() });
  t.equal(ran.code, 1);
  const message = `The journal of partition 0 begins at ${lastSeq}, and no archive of it is known.`;
  t.match(JSON.parse(ran.stdout), { error: { code: 'NOT_FOUND', message, hint: /--archive/ } });
});
