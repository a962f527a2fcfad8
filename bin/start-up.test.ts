/** Every command ends: with its answer, or with what keeps it from working and a status. None hangs, and none is mute. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import pino from 'pino';
import { startBroker } from '../gateways/nats/broker.js';
import type { Namespace } from '../protocols/ids.js';
import { connectClient } from '../sdk/client.js';
import { dataIn, run, startDev, type Ran } from '../tests/command/rig.js';
import { denying, operatorServer } from '../tests/operator-server.js';

/** A busy machine starts a process slowly; a command that waits in vain takes longer than that, or for ever. */
const ENDS_WITHIN_MS = 15_000;
const EXAMPLES = join(import.meta.dirname, '../examples');

async function ends(t: Test, args: readonly string[], cwd: string, says: { code: number; stderr?: RegExp; stdout?: RegExp }, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const started = performance.now();
  const ran = await run(args, { cwd, env, withinMs: ENDS_WITHIN_MS });
  t.match(ran, says, args.join(' '));
  t.comment(`${args[0]} ended after ${Math.round(performance.now() - started)} ms`);
  return ran;
}

t.test('what cannot pass by itself ends a broker, a worker and dev', async (t) => {
  const dev = await startDev(t, ['--partitions', '2']);
  const as = (user: string): string => dev.nats.replace('//', `//${user}@`);
  const broker = as(`broker:${readFileSync(join(dataIn(dev.cwd), 'broker.secret'), 'utf8').trim()}`);
  const bad = join(dev.cwd, 'bad.js');
  writeFileSync(bad, 'setInterval(() => undefined, 1000);\nexport default 1;\n');
  await ends(t, ['broker', '--partitions', '3'], dev.cwd, { code: 1, stderr: /STREAM_MISMATCH[^]*hint: .*--partitions 2/ });
  await ends(t, ['dev', '--nats', broker, '--partitions', '3'], dev.cwd, { code: 1, stderr: /STREAM_MISMATCH[^]*The broker did not start/ });
  await ends(t, ['broker', '--partitions', '2', '--nats', dev.nats], tmpdir(), { code: 1, stderr: /^error: .*PERMISSION_DENIED.*\nhint: .*nats:\/\/broker:/ });
  await ends(t, ['broker', '--nats', as('broker:wrong')], dev.cwd, { code: 1, stderr: /PERMISSION_DENIED/ });
  await ends(t, ['broker', '--nats', 'nats://127.0.0.1:1'], dev.cwd, { code: 1, stderr: /SERVER_UNREACHABLE/ });
  await ends(t, ['broker', '--namespace', 'a.b'], dev.cwd, { code: 2, stderr: /namespace/ });
  await ends(t, ['worker', bad], dev.cwd, { code: 1, stderr: /PERFORMER_NOT_LOADED/ });
  await ends(t, ['worker', EXAMPLES, '--nats', as('somebody:wrong')], dev.cwd, { code: 1, stderr: /PERMISSION_DENIED/ });
  await ends(t, ['worker', EXAMPLES, '--nats', 'nats://127.0.0.1:1'], dev.cwd, { code: 1, stderr: /SERVER_UNREACHABLE/ });
  await ends(t, ['worker', EXAMPLES, '--namespace', 'a.b'], dev.cwd, { code: 2, stderr: /namespace/ });
  await ends(t, ['dev'], dev.cwd, { code: 1, stderr: /SERVER_FAILED[^]*hint: / });
  await ends(t, ['demo', '--nats', 'nats://127.0.0.1:1'], dev.cwd, { code: 1, stderr: /SERVER_UNREACHABLE/ });
});

t.test('a user who may not ask JetStream is told so at once, by every command that does', async (t) => {
  const [cwd, namespace] = [t.testdir(), 'default' as Namespace];
  for (const denied of ['$JS.>', '$JS.API.CONSUMER.MSG.NEXT.>']) {
    await t.test(`without ${denied}`, async (t) => {
      const server = await operatorServer(t, denying(denied));
      const broker = await startBroker({ url: server.brokerUrl, namespace, partitions: 1, version: '0.0.0', log: pino({ level: 'silent' }) });
      t.teardown(() => broker.stop());
      await broker.ready;
      const client = await connectClient({ url: server.url });
      t.teardown(() => client.close());
      const { jobId } = (await client.submit([{ type: 'square' }]))[0]!;
      await client.cancel({ jobId });
      const says = { code: 1, stderr: /^error: .*Permissions Violation.*PERMISSION_DENIED.*\nhint: .*broker user/ };
      const started = performance.now();
      for (const args of [['replay', jobId], ['audit', 'verify']]) await ends(t, [...args, '--nats', server.url], cwd, says);
      await ends(t, ['jobs', 'watch', jobId, '--nats', server.url], cwd, { code: 0, stdout: /status +cancelled/, stderr: /may not read the journal/ });
      if (denied === '$JS.>') {
        await ends(t, ['doctor', '--nats', server.url], cwd, { code: 0, stdout: /ok +rights[^]*warn +JetStream +.*Permissions Violation.*PERMISSION_DENIED/ });
        await ends(t, ['broker', '--nats', server.url], cwd, { code: 1, stderr: /PERMISSION_DENIED/ });
      }
      t.ok(performance.now() - started < 12_000, 'no request ran into its time-out of 5 s');
    });
  }
});

t.test('doctor says when ordinary users may ask the server itself', async (t) => {
  const server = await operatorServer(t, (text) => text.replaceAll('"$JS.>"', '"nothing.>"'));
  await ends(t, ['doctor', '--nats', server.url], t.testdir(), { code: 1, stdout: /warn +rights +ordinary users may send requests/ });
});

t.test('a worker or a client that may not ask brokers is told so at once', async (t) => {
  const server = await operatorServer(t, denying('reprise.*.worker.>', 'reprise.*.job.>'));
  const says = { code: 1, stderr: /PERMISSION_DENIED/ };
  await ends(t, ['worker', EXAMPLES, '--nats', server.url], process.cwd(), says);
  await ends(t, ['submit', 'square', '1', '--nats', server.url], process.cwd(), says);
});

t.test('a data folder that cannot be used is an error', async (t) => {
  const cwd = t.testdir({ file: '' });
  for (const data of ['/proc/x', '/proc/x/y', '/proc', './file']) {
    await ends(t, ['dev', '--data', data], cwd, { code: 1, stderr: /^error: The data folder .* cannot be used: .*SERVER_FAILED.*\nhint: / });
  }
  await ends(t, ['audit', 'verify', '--data', '/proc/x'], cwd, { code: 2, stderr: /\/proc\/x/ });
});

t.test('flags that cannot be honoured are errors', async (t) => {
  const cwd = t.testdir();
  const elsewhere = { REPRISE_NATS_URL: 'nats://127.0.0.1:1' };
  for (const command of ['dev', 'demo']) {
    await ends(t, [command, '--port', '5000'], cwd, { code: 2, stderr: /--port .*REPRISE_NATS_URL/ }, elsewhere);
    await ends(t, [command, '--data', 'x'], cwd, { code: 2, stderr: /--data .*REPRISE_NATS_URL/ }, elsewhere);
    await ends(t, [command, '--data', 'x', '--nats', 'nats://127.0.0.1:1'], cwd, { code: 2, stderr: /--data .*--nats/ });
  }
  await ends(t, ['audit', 'verify', '--data', 'x', '--nats', 'nats://127.0.0.1:1'], cwd, { code: 2, stderr: /--data.*--nats/ });
  await ends(t, ['submit', 'square', '1', '--wait-timeout', '5s'], cwd, { code: 2, stderr: /--wait/ });
});

t.test('what is no command, and numbers that are none, are errors also beside --help', async (t) => {
  const cwd = t.testdir();
  for (const args of ['nonsense --help', 'nonsense', 'help nonsense', 'jobs nonsense --help', 'jobs nonsense', 'audit nonsense']) {
    await ends(t, args.split(' '), cwd, { code: 2, stderr: /unknown command 'nonsense'/, stdout: /^$/ });
  }
  await ends(t, ['submti', 'square', '--help'], cwd, { code: 2, stderr: /Did you mean submit\?/ });
  await ends(t, ['jobs', 'wacth'], cwd, { code: 2, stderr: /Did you mean watch\?/ });
  for (const args of ['help', 'help submit', '--help', 'jobs --help', 'jobs help show']) await ends(t, args.split(' '), cwd, { code: 0, stdout: /Usage: / });
  for (const args of ['', 'jobs']) await ends(t, args.split(' ').filter(Boolean), cwd, { code: 2, stderr: /Usage: / });
  for (const args of [
    'broker --partitions 0', 'broker --partitions 257', 'broker --partitions 4k', 'broker --partitions 1e2', 'broker --replicas -1', 'dev --port 70000', 'dev --workers 2x',
    'worker x --concurrency 0', 'worker x --queues ,', 'submit x 1 --priority 1k', 'submit x 1 --delay 5parsecs', 'submit x 1 --timeout -5s', 'submit x 1 --attempts 0x3',
  ]) {
    await ends(t, args.split(' '), cwd, { code: 2, stderr: /is invalid\. .*(needed|time)/ });
  }
  for (const args of [['dev', '--data', ''], ['dev', '--performers', ''], ['worker', 'x', '--queues', ''], ['doctor', '--monitoring', '']]) {
    await ends(t, args, cwd, { code: 2, stderr: /is invalid/ });
  }
});

t.test('without a broker nothing is recorded, and that is said', async (t) => {
  const server = await operatorServer(t, (text) => text.replace('max_payload: 1MB', 'max_payload: 2MB'));
  const ran = await ends(t, ['submit', 'square', '1', '--nats', server.url], process.cwd(), { code: 1, stderr: /NO_BROKER.*\nhint: Start a broker.* Nothing was recorded\./ });
  t.notMatch(ran.stderr, /may have been recorded/);
});

t.test('port 0 is any free one, and doctor knows how durable dev’s server is, whoever names it', async (t) => {
  const folder = t.testdir({ one: {}, other: {} });
  const [one, other] = [await startDev(t, ['--port', '0'], join(folder, 'one')), await startDev(t, ['--port', '0'], join(folder, 'other'))];
  t.not(one.nats, other.nats);
  const durable = { code: 0, stdout: /ok +durability +fsync/ };
  await ends(t, ['doctor', '--nats', one.nats], one.cwd, durable);
  await ends(t, ['doctor', '--nats', one.nats.replace('127.0.0.1', 'localhost')], one.cwd, durable);
  await ends(t, ['doctor'], one.cwd, durable, { REPRISE_NATS_URL: one.nats });
  await ends(t, ['doctor', '--nats', other.nats], one.cwd, { code: 0, stdout: /warn +durability +unverified/ });
  await ends(t, ['doctor', '--monitoring', 'http://127.0.0.1:1'], one.cwd, { code: 0, stdout: /warn +durability +unverified: http:\/\/127\.0\.0\.1:1 does not answer/ });
});
