import { existsSync, realpathSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { fewAtOnce, isAlive, run, startDev, until, type Dev } from '../command/rig.js';

interface Step {
  readonly event: string;
  readonly position: string;
  readonly time: string;
  readonly before: string;
  readonly after: string;
  readonly cause: { readonly type: string; readonly by: string };
  readonly changed: Record<string, { before: unknown; after: unknown }>;
  readonly failure?: object;
}

const json = <T>(text: string): T => JSON.parse(text) as T;
const outputOf = async <T>(dev: Dev, ...args: string[]): Promise<T> =>
  json<T>((await dev.run(...args, '--json')).stdout);
function writePerformer(folder: string, name: string, work: string): Promise<void> {
  const code = `import { performer } from "reprise";\nexport default performer("${name}", ${work});\n`;
  return writeFile(join(folder, `${name}.js`), code);
}
const lines = <T>(text: string): T[] => text.trim().split('\n').map((line) => json<T>(line));

// Most of them wait for processes.
t.jobs = 2;

t.test('a job from submit to replay, on a system that one command starts', async (t) => {
  const dev = await startDev(t);
  t.match(dev.pids, { server: Number, broker: Number, workers: [Number] });
  await t.test('from submit to replay', (t) => submitToReplay(t, dev));
  await t.test('a running job can be watched and cancelled, and so can a waiting one', (t) => cancelling(t, dev));
  t.equal((await dev.run('audit', 'verify')).code, 0);
  t.equal(await dev.stop(), 0);
  for (const pid of [dev.pids.server, dev.pids.broker, ...dev.pids.workers]) t.notOk(isAlive(pid), 'nothing is left');
  t.notOk(existsSync(join(dev.cwd, '.reprise', 'dev.json')));
});

async function submitToReplay(t: Test, dev: Dev): Promise<void> {
  const done = await dev.run('submit', 'square', '{"n":12}', '--wait', '--json');
  t.equal(done.code, 0, done.stderr);
  const answer = json<{ jobId: string; status: string; result: number }>(done.stdout);
  t.match(answer, { status: 'completed', result: 144 });
  t.equal((await dev.run('submit', 'square', '{"n":5}', '--wait')).stdout, '25\n', 'only the result');

  const replay = await dev.run('replay', answer.jobId, '--json');
  const steps = lines<Step>(replay.stdout);
  t.same(steps.map(({ event }) => event), ['JobSubmitted', 'JobLeased', 'JobCompleted']);
  const changes = steps.map(({ before, after }) => `${before} ${after}`);
  t.same(changes, ['absent ready', 'ready running', 'running completed']);
  t.same(steps.map(({ cause }) => cause.type), ['SubmitJob', 'Pull', 'ReportAttempt']);
  t.match(steps[0]!.cause.by, /^[^@]+@[^@]+$/, 'the command says who gave it: a user at a host');
  t.match(steps[1]!.changed, { attempt: { before: 0, after: 1 } });
  const text = /JobSubmitted[^]*absent → ready[^]*payload {2}\{"n":12\}[^]*result {3}144/;
  t.match((await dev.run('replay', answer.jobId)).stdout, text);

  const show = outputOf(dev, 'jobs', 'show', answer.jobId);
  const [shown, doctor] = await Promise.all([show, dev.run('doctor')]);
  t.match(shown, { status: 'completed', result: 144, type: 'square' });
  t.match(doctor.stdout, /ok +durability +fsync[^]*ok +rights +ordinary users may not send requests to the server/);
  t.equal(doctor.code, 0);
}

async function cancelling(t: Test, dev: Dev): Promise<void> {
  const { jobId } = json<{ jobId: string }>((await dev.run('submit', 'sleep', '{"ms":60000}', '--json')).stdout);
  const watching = dev.run('jobs', 'watch', jobId, '--json');
  const status = async (): Promise<string> =>
    (await outputOf<{ status: string }>(dev, 'jobs', 'show', jobId)).status;
  await until('it runs', async () => (await status()) === 'running');
  t.match(await dev.run('jobs', 'cancel', jobId, '--reason', 'enough'), { code: 0, stdout: /asked to stop/ });
  const printed = lines<Step & { kind: string }>((await watching).stdout);
  const seen = printed.filter(({ kind }) => kind === 'event').map(({ event }) => event);
  t.same(seen, ['JobSubmitted', 'JobLeased', 'JobCancelRequested', 'JobCancelled']);
  t.match(await dev.run('jobs', 'cancel', jobId), { code: 0 }, 'cancelling again is no error');
  const late = await outputOf<{ jobId: string }>(dev, 'submit', 'square', '{"n":1}', '--delay', '1h');
  t.match(await outputOf(dev, 'jobs', 'cancel', late.jobId), { status: 'cancelled' }, 'before it is due');
}

t.test('performers of one’s own', async (t) => {
  const dev = await startWithPerformers(t);
  await t.test('payloads, keys and labels are accepted, and invalid ones are refused', (t) => payloads(t, dev));
  await t.test('a job that fails is tried three times with growing waits, and the replay shows it', (t) =>
    failing(t, dev));
  await t.test('an unhandled rejection in a performer ends its worker, but not the other jobs in it', (t) =>
    rejecting(t, dev));
  await t.test('a changed performer is loaded again', (t) => reloading(t, dev));
});

async function payloads(t: Test, dev: Dev): Promise<void> {
  await writeFile(join(dev.cwd, 'bytes.bin'), Buffer.from([0, 255, 1]));
  t.equal((await run(['submit', 'echo', '-', '--wait'], { cwd: dev.cwd, input: '{"a":1}' })).stdout, '{"a":1}\n');
  const bytes = await outputOf(dev, 'submit', 'echo', '@bytes.bin', '--wait');
  t.match(bytes, { contentType: 'application/octet-stream', resultBase64: 'AP8B' });

  const keyed = ['--key', 'k', '--queue', 'q'];
  const { jobId } = await outputOf<{ jobId: string }>(dev, 'submit', 'echo', '1', ...keyed, '--label', 'a=b');
  t.match(await outputOf(dev, 'submit', 'echo', '1', ...keyed), { jobId, duplicate: true });
  t.match(await outputOf(dev, 'jobs', 'show', ...keyed), { jobId, labels: { a: 'b' } });
  const conflict = await dev.run('submit', 'echo', '2', ...keyed);
  t.match(conflict, { code: 1, stdout: '', stderr: /^error: .*KEY_CONFLICT.*\nhint: / });
  const failed = await dev.run('submit', 'broken', '--attempts', '1', '--wait');
  t.match(failed, { code: 1, stdout: '', stderr: /failed: PERFORMER_ERROR: no luck\nhint: .*replay/ });

  const refused = [
    [['submit', 'echo', 'not json'], /not JSON/],
    [['submit', 'echo', '1', '--priority', '1.5'], /whole number/],
    [['submit', 'echo', '1', '--attempts', '0'], /between 1 and 1000/],
    [['submit', 'echo', '1', '--delay', '5 parsecs'], /500ms/],
    [['submit', 'echo', '1', '--frobnicate'], /unknown option/],
    [['frobnicate'], /unknown command/],
    [['jobs', 'show'], /id/],
    [['submit', 'echo', '@nowhere'], /nowhere/],
  ] as const;
  await fewAtOnce(refused, async ([args, stderr]) => {
    t.match(await dev.run(...args), { code: 2, stdout: '', stderr }, args.join(' '));
  });
  t.match(await dev.run('submit', 'a b', '1'), { code: 1, stderr: /INVALID_ARGUMENT/ });
  t.match(await dev.run('replay', '0-0123456789abcdef'), { code: 1, stderr: /NOT_FOUND/ });
}

async function failing(t: Test, dev: Dev): Promise<void> {
  const ran = await dev.run('submit', 'broken', '--attempts', '3', '--wait', '--json');
  t.equal(ran.code, 1);
  const { jobId } = json<{ jobId: string }>(ran.stdout);
  const steps = lines<Step>((await dev.run('replay', jobId, '--json')).stdout);
  t.same(steps.map(({ event }) => event), [
    'JobSubmitted',
    'JobLeased', 'JobRetryScheduled', 'JobBecameReady',
    'JobLeased', 'JobRetryScheduled', 'JobBecameReady',
    'JobLeased', 'JobFailed',
  ]);
  const retries = steps.filter(({ event }) => event === 'JobRetryScheduled');
  const waits = retries.map(({ time, changed }) => Number(changed['dueMs']!.after) - Date.parse(time));
  t.ok(waits[1]! > waits[0]!, `${waits.join(' ms, then ')} ms`);
  t.match(steps.at(-1)!.failure, { code: 'PERFORMER_ERROR', message: 'no luck' });
}

async function rejecting(t: Test, dev: Dev): Promise<void> {
  const client = await dev.client();
  const [beside] = await client.submit([{ type: 'steady' }]);
  const [careless] = await client.submit([{ type: 'careless' }], { wait: true, waitMs: 20_000 });
  t.match(careless, { status: 'completed', result: 1 });
  const other = await client.await({ jobId: beside!.jobId }, { waitMs: 20_000 });
  t.match(other, { status: 'completed', result: 2, attempt: 1 });
  await until('the worker is gone', () => !isAlive(dev.pids.workers[0]!));
  t.match(dev.log(), /left behind[^]*unhandledRejection[^]*worker died; it is started again/);
  t.equal((await dev.run('submit', 'version', '--wait')).stdout, '1\n', 'the next worker performs jobs');
}

async function reloading(t: Test, dev: Dev): Promise<void> {
  const version = async (): Promise<string> =>
    (await dev.run('submit', 'version', '--wait', '--wait-timeout', '20s')).stdout;
  t.equal(await version(), '1\n');
  await writePerformer(join(dev.cwd, 'performers'), 'version', '() => 2');
  await until('the new one answers', async () => (await version()) === '2\n');
}

t.test('dev restarts a killed worker, broker or server, and jobs complete', async (t) => {
  const dev = await startDev(t);
  const client = await dev.client();
  const works = async (): Promise<boolean> => {
    const [answer] = await client.submit([{ type: 'square', payload: { n: 3 } }], { wait: true, waitMs: 60_000 });
    return answer!.result === 9;
  };
  t.ok(await works());
  const { server, broker, workers } = dev.pids;
  for (const [name, pid] of Object.entries({ worker: workers[0]!, broker, server })) {
    process.kill(pid, 'SIGKILL');
    await until(`${name} is gone`, () => !isAlive(pid));
    t.ok(await works(), `after kill -9 of the ${name}`);
    await until('dev logs it', () => dev.log().includes(`${name} died`));
  }
  t.equal((await dev.run('audit', 'verify')).code, 0);
});

t.test('nothing survives kill -9 of dev, and the next one starts on the same folder', async (t) => {
  const dev = await startDev(t);
  dev.child.kill('SIGKILL');
  for (const pid of [dev.pids.server, dev.pids.broker, ...dev.pids.workers]) {
    await until(`${pid} is gone`, () => !isAlive(pid));
  }
  const again = await startDev(t, [], dev.cwd);
  t.equal((await again.run('submit', 'square', '{"n":2}', '--wait')).stdout, '4\n');
});

t.test('./performers is served when it is created, and submit says if no worker performs a type', async (t) => {
  const dev = await startDev(t);
  const serves = (line: RegExp): Promise<void> => until(`dev prints ${line}`, () => line.test(dev.log()));
  const folder = join(dev.cwd, 'performers');
  await mkdir(folder);
  t.equal((await dev.run('submit', 'square', '{"n":3}', '--wait')).stdout, '9\n', 'an empty folder changes nothing');
  await writePerformer(folder, 'later', '() => 1');
  await serves(/The workers perform: later of [^"]*performers/);
  t.equal((await dev.run('submit', 'later', '--wait')).stdout, '1\n');

  let waiting = '';
  const lacking = /No worker that is registered now performs type square on queue default\./;
  await until('submit says that no worker does it', async () => {
    const ran = await dev.run('submit', 'square', '{"n":4}');
    waiting = ran.stdout.trim();
    return lacking.test(ran.stderr);
  });
  t.match(await dev.run('jobs', 'show', waiting), { code: 0, stdout: lacking });
  t.match(await outputOf(dev, 'jobs', 'show', waiting), { status: 'ready', noWorker: true });
  t.match(await dev.run('submit', 'square', '1', '--wait', '--wait-timeout', '1s'), { code: 1, stderr: lacking });

  await rm(folder, { recursive: true });
  await serves(/The workers perform: [^"]*square[^"]* of [^"]*examples[^]*$/);
  const client = await dev.client();
  t.match(await client.await({ jobId: waiting }, { waitMs: 20_000 }), { status: 'completed', result: 16 });
  t.notOk('noWorker' in (await client.get({ jobId: waiting })));
  await mkdir(folder);
  await writePerformer(folder, 'again', '() => 2');
  await serves(/The workers perform: again of [^"]*performers/);
});

t.test('a performer that cannot be loaded ends dev, and the error names it', async (t) => {
  const dir = t.testdir({ performers: { 'bad.js': 'export default 1;\n' } });
  const ran = await run(['dev', '--json'], { cwd: dir });
  t.match(ran, { code: 1, stderr: /bad\.js: [^]*The worker did not start/ });
  t.notOk(ran.stderr.includes('started again'));
});

t.test('a port in use is an error, and so is a missing server', async (t) => {
  const dir = t.testdir();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const dev = await run(['dev', '--port', String(port)], { cwd: dir });
  t.match(dev, { code: 2, stderr: new RegExp(`Port ${port} is in use`) });
  const noServer = ['--nats', 'nats://127.0.0.1:1'];
  const submit = await run(['submit', 'square', '1', ...noServer], { cwd: dir });
  t.match(submit, { code: 1, stderr: /SERVER_UNREACHABLE[^]*hint: / });
  t.match(await run(['doctor', ...noServer], { cwd: dir }), { code: 1, stdout: /fail +server/ });
});

t.test('every command has help with an example', async (t) => {
  const cwd = t.testdir();
  const commands = [
    '', 'dev', 'broker', 'worker', 'submit', 'jobs', 'jobs show', 'jobs watch', 'jobs cancel', 'replay', 'audit',
    'audit verify', 'snapshots', 'snapshots verify', 'archive', 'system', 'doctor', 'demo',
  ];
  await fewAtOnce(commands, async (command) => {
    const { code, stdout } = await run([...command.split(' ').filter(Boolean), '--help'], { cwd });
    t.equal(code, 0);
    t.match(stdout, /Usage: reprise[^]*Examples?:\n/, command || 'reprise');
  });
});

/** `dev` in a folder that has ./performers. */
async function startWithPerformers(t: Test): Promise<Dev> {
  const cwd = realpathSync(t.testdir({ performers: {} }));
  const performers = {
    echo: '(payload) => payload',
    broken: '() => { throw new Error("no luck"); }',
    version: '() => 1',
    steady: 'async () => { await new Promise((done) => setTimeout(done, 500)); return 2; }',
    careless: '() => { void Promise.reject(new Error("left behind")); return 1; }',
  };
  const folder = join(cwd, 'performers');
  await Promise.all(Object.entries(performers).map(([name, work]) => writePerformer(folder, name, work)));
  return startDev(t, [], cwd);
}
