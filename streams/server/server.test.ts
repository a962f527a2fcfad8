import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import t from 'tap';
import { address } from './address.js';
import { startServer } from './start.js';
import { serverFacts } from './varz.js';

const QUIET = { log: (line: string) => t.comment(line) };
const GONE_WITHIN_MS = 15_000;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function isGone(pid: number): Promise<boolean> {
  for (const until = Date.now() + GONE_WITHIN_MS; Date.now() < until; await sleep(20)) if (!isAlive(pid)) return true;
  return false;
}

t.test('it answers, syncs before it acknowledges, and ends once', async (t) => {
  const dataDir = t.testdir();
  const server = await startServer({ dataDir, ...QUIET });
  t.teardown(() => server.stop());
  t.ok(isAlive(server.pid));
  const facts = await serverFacts(server.monitoringUrl);
  t.equal(facts.durability, 'fsync', 'sync_interval is always');
  t.equal(facts.maxPayload, 1024 * 1024);
  t.equal((await stat(join(dataDir, 'broker.secret'))).mode & 0o777, 0o600);
  for (const url of [server.url, server.brokerUrl]) await (await connect(address(url))).close();
  await t.rejects(connect({ servers: server.url, user: 'broker', pass: 'wrong' }), 'only with the password');

  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  t.same(await server.exited, { code: 0, signal: null });
  t.notOk(isAlive(server.pid));
  await t.rejects(serverFacts(server.monitoringUrl), { code: 'SERVER_UNREACHABLE' });
});

t.test('what is stored and the password survive a stop and a kill', async (t) => {
  const dataDir = t.testdir();
  const first = await startServer({ dataDir, ...QUIET });
  t.teardown(() => first.stop());
  const writer = await connect(address(first.brokerUrl));
  await (await jetstreamManager(writer)).streams.add({ name: 'KEPT', subjects: ['kept'] });
  await jetstream(writer).publish('kept', 'this');
  await writer.close();
  await first.stop();

  const second = await startServer({ dataDir, ...QUIET });
  t.teardown(() => second.stop());
  t.equal(new URL(second.brokerUrl).password, new URL(first.brokerUrl).password);
  const awake = setInterval(() => undefined, 1_000);
  process.kill(second.pid, 'SIGKILL');
  t.same(await second.exited, { code: null, signal: 'SIGKILL' }, 'the process that started it sees the signal');
  clearInterval(awake);

  const third = await startServer({ dataDir, port: second.port, ...QUIET });
  t.teardown(() => third.stop());
  t.equal(third.port, second.port, 'a restart can keep the port');
  const reader = await connect(address(third.brokerUrl));
  const stored = await (await jetstreamManager(reader)).streams.getMessage('KEPT', { seq: 1 });
  t.equal(stored?.string(), 'this');
  await reader.close();
});

t.test('only one server runs on a folder', async (t) => {
  const dataDir = t.testdir();
  const starts = await Promise.allSettled([startServer({ dataDir, ...QUIET }), startServer({ dataDir, ...QUIET })]);
  const [won, ...others] = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  t.teardown(() => won?.stop());
  t.ok(won && others.length === 0, 'of two at once');
  const message = /Another server, started by process \d+, uses/;
  await t.rejects(startServer({ dataDir, ...QUIET }), { code: 'SERVER_FAILED', message });
  t.ok(isAlive(won!.pid), 'the first one still runs');
  await won!.stop();
  await (await startServer({ dataDir, ...QUIET })).stop();
});

t.test('a lock that was left behind is taken over', async (t) => {
  const dataDir = t.testdir({ 'server.lock': `{"group":${2 ** 22 + 1},"parent":${process.pid}}` });
  await (await startServer({ dataDir, ...QUIET })).stop();
  await t.rejects(stat(join(dataDir, 'server.lock')), { code: 'ENOENT' });
});

t.test('a server that cannot start says why', async (t) => {
  const server = await startServer({ dataDir: t.testdir({ a: {} }), ...QUIET });
  t.teardown(() => server.stop());
  const taken = startServer({ dataDir: join(t.testdirName, 'a'), port: server.port, ...QUIET });
  await t.rejects(taken, { code: 'SERVER_FAILED', message: /address already in use/ });
});

/** A process that starts a server and prints its pid. */
function parent(dataDir: string, then: string) {
  const start = pathToFileURL(join(import.meta.dirname, 'start.ts')).href;
  const script = `import { startServer } from ${JSON.stringify(start)};
    const server = await startServer({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(server.pid);
    ${then}`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = once(createInterface(child.stdout), 'line').then(([line]) => Number(line));
  return { child, pid };
}

t.test('it ends with its parent, and the folder is free again', async (t) => {
  const dataDir = t.testdir();
  const { child, pid } = parent(dataDir, 'setInterval(() => undefined, 1000);');
  t.teardown(() => child.kill('SIGKILL'));
  const server = await pid;
  t.ok(isAlive(server));
  child.kill('SIGKILL');
  const next = await startServer({ dataDir, ...QUIET });
  t.teardown(() => next.stop());
  t.ok(await isGone(server));
});

t.test('it ends with its parent even if it does not react to TERM', async (t) => {
  const { child, pid } = parent(t.testdir(), 'setInterval(() => undefined, 1000);');
  t.teardown(() => child.kill('SIGKILL'));
  const server = await pid;
  process.kill(server, 'SIGSTOP');
  child.kill('SIGKILL');
  t.ok(await isGone(server));
});

t.test('it does not keep its parent alive', async (t) => {
  const { child, pid } = parent(t.testdir(), '');
  const server = await pid;
  const [code] = (await once(child, 'exit')) as [number | null];
  t.equal(code, 0);
  t.ok(await isGone(server));
});
