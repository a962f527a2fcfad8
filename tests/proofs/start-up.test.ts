/** Every command ends, with its result or with an error and an exit status. None hangs or fails silently. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import pino from 'pino';
import { startBroker } from '../../gateways/nats/broker.js';
import type { Namespace } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import { dataIn, fewAtOnce, run, startDev, type Dev, type Ran } from '../command/rig.js';
import { denying, operatorServer } from '../operator-server.js';

/** Enough for a slow start on a busy machine, and less than a command takes that hangs. */
const ENDS_WITHIN_MS = 15_000;
const EXAMPLES = join(import.meta.dirname, '../../examples');

interface Expected {
  readonly code: number;
  readonly stderr?: RegExp;
  readonly stdout?: RegExp;
}

type Row = readonly [args: readonly string[], expected: Expected];

async function ends(
  t: Test,
  args: readonly string[],
  cwd: string,
  expected: Expected,
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const started = performance.now();
  const ran = await run(args, { cwd, env, withinMs: ENDS_WITHIN_MS });
  t.match(ran, expected, args.join(' '));
  t.comment(`${args[0]} ended after ${Math.round(performance.now() - started)} ms`);
  return ran;
}

t.test('an error that a retry cannot change ends a broker, a worker and dev', async (t) => {
  const dev = await startDev(t, ['--partitions', '2']);
  const as = (user: string): string => dev.nats.replace('//', `//${user}@`);
  const broker = as(`broker:${readFileSync(join(dataIn(dev.cwd), 'broker.secret'), 'utf8').trim()}`);
  const bad = join(dev.cwd, 'bad.js');
  writeFileSync(bad, 'setInterval(() => undefined, 1000);\nexport default 1;\n');
  const noServer = ['--nats', 'nats://127.0.0.1:1'];
  const unreachable = { code: 1, stderr: /SERVER_UNREACHABLE/ };
  const denied = { code: 1, stderr: /PERMISSION_DENIED/ };
  // One after another: they use the folder of `dev`, or its .reprise/dev.json.
  const here: readonly Row[] = [
    [['broker', '--partitions', '3'], { code: 1, stderr: /STREAM_MISMATCH[^]*hint: .*--partitions 2/ }],
    [
      ['dev', '--nats', broker, '--partitions', '3'],
      { code: 1, stderr: /STREAM_MISMATCH[^]*The broker did not start/ },
    ],
    [['worker', bad], { code: 1, stderr: /PERFORMER_NOT_LOADED/ }],
    [['dev'], { code: 1, stderr: /SERVER_FAILED[^]*hint: / }],
  ];
  const elsewhere: readonly Row[] = [
    [['broker', '--nats', as('broker:wrong')], denied],
    [['broker', ...noServer], unreachable],
    [['broker', '--namespace', 'a.b'], { code: 2, stderr: /namespace/ }],
    [['worker', EXAMPLES, '--nats', as('somebody:wrong')], denied],
    [['worker', EXAMPLES, ...noServer], unreachable],
    [['worker', EXAMPLES, '--namespace', 'a.b'], { code: 2, stderr: /namespace/ }],
    [['demo', ...noServer], unreachable],
  ];
  for (const [args, expected] of here) await ends(t, args, dev.cwd, expected);
  await fewAtOnce(elsewhere, ([args, expected]) => ends(t, args, dev.cwd, expected));
  // In another folder, where no .reprise/dev.json leads to the broker's password.
  const hinted = { code: 1, stderr: /^error: .*PERMISSION_DENIED.*\nhint: .*nats:\/\/broker:/ };
  await ends(t, ['broker', '--partitions', '2', '--nats', dev.nats], tmpdir(), hinted);
});

t.test('without permission for JetStream every command that needs it fails at once', async (t) => {
  const [cwd, namespace] = [t.testdir(), 'default' as Namespace];
  for (const denied of ['$JS.>', '$JS.API.CONSUMER.MSG.NEXT.>']) {
    await t.test(`without ${denied}`, async (t) => {
      const server = await operatorServer(t, denying(denied));
      const log = pino({ level: 'silent' });
      const broker = await startBroker({ url: server.brokerUrl, namespace, partitions: 1, version: '0.0.0', log });
      t.teardown(() => broker.stop());
      await broker.ready;
      const client = await connectClient({ url: server.url });
      t.teardown(() => client.close());
      const { jobId } = (await client.submit([{ type: 'square' }]))[0]!;
      await client.cancel({ jobId });
      const says = { code: 1, stderr: /^error: .*Permissions Violation.*PERMISSION_DENIED.*\nhint: .*broker user/ };
      const started = performance.now();
      const partial = { code: 0, stdout: /status +cancelled/, stderr: /may not read the journal/ };
      const rows: Row[] = [
        [['replay', jobId], says], [['audit', 'verify'], says], [['jobs', 'watch', jobId], partial],
      ];
      if (denied === '$JS.>') {
        const warning = /ok +rights[^]*warn +JetStream +.*Permissions Violation.*PERMISSION_DENIED/;
        rows.push([['doctor'], { code: 0, stdout: warning }], [['broker'], { code: 1, stderr: /PERMISSION_DENIED/ }]);
      }
      await fewAtOnce(rows, ([args, expected]) => ends(t, [...args, '--nats', server.url], cwd, expected));
      t.ok(performance.now() - started < 12_000, 'no request waited for its time-out of 5 s');
    });
  }
});

t.test('doctor warns if ordinary users may send requests to the server', async (t) => {
  const server = await operatorServer(t, (text) => text.replaceAll('"$JS.>"', '"nothing.>"'));
  const warning = /warn +rights +ordinary users may send requests/;
  await ends(t, ['doctor', '--nats', server.url], t.testdir(), { code: 1, stdout: warning });
});

t.test('a worker or a client without permission for requests to brokers fails at once', async (t) => {
  const server = await operatorServer(t, denying('reprise.*.worker.>', 'reprise.*.job.>'));
  const says = { code: 1, stderr: /PERMISSION_DENIED/ };
  await fewAtOnce([['worker', EXAMPLES], ['submit', 'square', '1']], (args) =>
    ends(t, [...args, '--nats', server.url], process.cwd(), says));
});

t.test('a data folder that cannot be used is an error', async (t) => {
  const cwd = t.testdir({ file: '' });
  const stderr = /^error: The data folder .* cannot be used: .*SERVER_FAILED.*\nhint: /;
  await fewAtOnce(['/proc/x', '/proc/x/y', '/proc', './file'], (data) =>
    ends(t, ['dev', '--data', data], cwd, { code: 1, stderr }));
  await ends(t, ['audit', 'verify', '--data', '/proc/x'], cwd, { code: 2, stderr: /\/proc\/x/ });
});

t.test('flags that do not apply are errors', async (t) => {
  const cwd = t.testdir();
  const noServer = ['--nats', 'nats://127.0.0.1:1'];
  const elsewhere = { REPRISE_NATS_URL: 'nats://127.0.0.1:1' };
  const rows = ['dev', 'demo'].flatMap((command): [...Row, NodeJS.ProcessEnv?][] => [
    [[command, '--port', '5000'], { code: 2, stderr: /--port .*REPRISE_NATS_URL/ }, elsewhere],
    [[command, '--data', 'x'], { code: 2, stderr: /--data .*REPRISE_NATS_URL/ }, elsewhere],
    [[command, '--data', 'x', ...noServer], { code: 2, stderr: /--data .*--nats/ }],
  ]);
  rows.push([['audit', 'verify', '--data', 'x', ...noServer], { code: 2, stderr: /--data.*--nats/ }]);
  rows.push([['submit', 'square', '1', '--wait-timeout', '5s'], { code: 2, stderr: /--wait/ }]);
  await fewAtOnce(rows, ([args, expected, env]) => ends(t, args, cwd, expected, env));
});

t.test('unknown commands and invalid values are errors, also with --help', async (t) => {
  const cwd = t.testdir();
  const unknown = [
    'nonsense', 'nonsense --help', 'help nonsense', 'jobs nonsense', 'jobs nonsense --help', 'audit nonsense',
  ];
  const near: readonly Row[] = [
    [['submti', 'square', '--help'], { code: 2, stderr: /Did you mean submit\?/ }],
    [['jobs', 'wacth'], { code: 2, stderr: /Did you mean watch\?/ }],
  ];
  const help = ['help', 'help submit', '--help', 'jobs --help', 'jobs help show'];
  const invalid = [
    'broker --partitions 0', 'broker --partitions 257', 'broker --partitions 4k', 'broker --partitions 1e2',
    'broker --replicas -1', 'dev --port 70000', 'dev --workers 2x', 'worker x --concurrency 0', 'worker x --queues ,',
    'submit x 1 --priority 1k', 'submit x 1 --delay 5parsecs', 'submit x 1 --timeout -5s', 'submit x 1 --attempts 0x3',
    'submit x 1 --max-crashes 0', 'submit x 1 --backoff 1s,,2s', 'submit x 1 --expires soon',
  ];
  const empty = [['dev', '--data'], ['dev', '--performers'], ['worker', 'x', '--queues'], ['doctor', '--monitoring']];
  const rows: readonly Row[] = [
    ...rowsOf(unknown, { code: 2, stderr: /unknown command 'nonsense'/, stdout: /^$/ }),
    ...near,
    ...rowsOf(help, { code: 0, stdout: /Usage: / }),
    ...rowsOf(['', 'jobs'], { code: 2, stderr: /Usage: / }),
    ...rowsOf(invalid, { code: 2, stderr: /is invalid\. .*(needed|time)/ }),
    ...empty.map((args): Row => [[...args, ''], { code: 2, stderr: /is invalid/ }]),
  ];
  await fewAtOnce(rows, ([args, expected]) => ends(t, args, cwd, expected));
});

function rowsOf(lines: readonly string[], expected: Expected): Row[] {
  return lines.map((line): Row => [line.split(' ').filter(Boolean), expected]);
}

t.test('without a broker nothing is recorded, and the error says so', async (t) => {
  const server = await operatorServer(t, (text) => text.replace('max_payload: 1MB', 'max_payload: 2MB'));
  const says = { code: 1, stderr: /NO_BROKER.*\nhint: Start a broker.* Nothing was recorded\./ };
  const ran = await ends(t, ['submit', 'square', '1', '--nats', server.url], process.cwd(), says);
  t.notMatch(ran.stderr, /may have been recorded/);
});

t.test('port 0 is any free port, and doctor finds the durability of dev’s server under every address', async (t) => {
  const folder = t.testdir({ one: {}, other: {} });
  const started = ['one', 'other'].map((name) => startDev(t, ['--port', '0'], join(folder, name)));
  const [one, other] = await Promise.all(started as [Promise<Dev>, Promise<Dev>]);
  t.not(one.nats, other.nats);
  const durable = { code: 0, stdout: /ok +durability +fsync/ };
  const unverified = { code: 0, stdout: /warn +durability +unverified/ };
  const stdout = /warn +durability +unverified: http:\/\/127\.0\.0\.1:1 does not answer/;
  const rows: readonly [...Row, NodeJS.ProcessEnv?][] = [
    [['doctor', '--nats', one.nats], durable],
    [['doctor', '--nats', one.nats.replace('127.0.0.1', 'localhost')], durable],
    [['doctor'], durable, { REPRISE_NATS_URL: one.nats }],
    [['doctor', '--nats', other.nats], unverified],
    [['doctor', '--monitoring', 'http://127.0.0.1:1'], { code: 0, stdout }],
  ];
  await fewAtOnce(rows, ([args, expected, env]) => ends(t, args, one.cwd, expected, env));
});
