/** The worker when its connection is cut, and when its process is asleep for longer than its leases last. */
import { spawn } from 'node:child_process';
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { performer } from '../../sdk/index.js';
import { FakeLeader } from './fake-leader.js';
import { freshServer, until, work } from './support.js';

const server = await freshServer();
t.teardown(() => server.remove());

/** A way to the server that can be cut. */
async function cuttable(): Promise<{ url: string; cut: () => void; close: () => void }> {
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = dial(server.port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return { url: `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`, cut, close: () => (cut(), proxy.close()) };
}

t.test('a worker goes on after its connection was cut', async (t) => {
  const way = await cuttable();
  const leader = await FakeLeader.start(server.brokerUrl, 'cut', 2);
  let handled = 0;
  const count = performer('count', async () => {
    handled += 1;
    await wait(20);
  });
  const worker = await work(way.url, [count], { namespace: 'cut', concurrency: 4 });
  t.teardown(async () => {
    await worker.stop();
    way.close();
    await leader.stop();
  });
  t.ok(await until(() => leader.pulls.length > 1));
  for (let i = 0; i < 80; i += 1) leader.submit({ type: 'count', partition: i % 2 });
  for (let i = 0; i < 4; i += 1) {
    await wait(60);
    way.cut();
    await until(() => leader.registered.length > i + 1);
  }
  t.ok(await until(() => leader.accepted.length === 80, 15_000), `${leader.accepted.length} of 80`);
  t.equal(handled, 80, 'nothing was performed twice');
  t.equal(leader.registered.length, 5, 'registered after each cut');
});

t.test('after a cut open requests are sent again before their time-out', async (t) => {
  const way = await cuttable();
  const leader = await FakeLeader.start(server.brokerUrl, 'cut1', 1);
  const worker = await work(way.url, [performer('job', () => 1)], { namespace: 'cut1' });
  t.teardown(async () => {
    await worker.stop();
    way.close();
    await leader.stop();
  });
  await until(() => leader.pulls.length > 0);
  way.cut();
  t.ok(await until(() => leader.pulls.length > 1, 2_000));
  leader.submit({ type: 'job' });
  t.ok(await until(() => leader.accepted.length === 1, 1_000));
});

t.test('a worker that was suspended for longer than its lease aborts the attempt', async (t) => {
  const leader = await FakeLeader.start(server.brokerUrl, 'asleep');
  const script = fileURLToPath(new URL('./child.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), script, server.url, 'asleep'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await leader.stop();
  });
  t.ok(await until(() => leader.pulls.length > 0, 10_000));
  const token = leader.submit({ type: 'waiting', json: { ms: 2_500 }, leaseMs: 600 });
  t.ok(await until(() => said.includes('started')));
  await wait(400);
  t.notMatch(said, /aborted/);
  child.kill('SIGSTOP');
  await wait(1_200);
  // By now its leader has given the job to another worker.
  leader.revoke(token);
  const requests = leader.requests.length;
  child.kill('SIGCONT');
  t.ok(await until(() => said.includes('aborted'), 1_000), 'the attempt is aborted before anything is reported');
  leader.submit({ type: 'square', json: { n: 12 } });
  t.ok(await until(() => leader.accepted.length === 1));
  t.equal(Buffer.from(leader.accepted[0]!.result).toString(), '144', 'the worker goes on');
  t.ok(await until(() => said.includes('ended'), 4_000));
  await wait(300);
  t.ok(leader.requests.length > requests);
  t.equal(leader.accepted.length, 1, 'the late result changes nothing');
});
