import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import t, { type Test } from 'tap';
import { parseNamespace, type Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import { connectNats } from '../streams/connect.js';
import { gatewayUrl } from '../streams/server/address.js';
import { startServer } from '../streams/server/start.js';
import { Asker } from './asker.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const ns = parseNamespace('test') as Namespace;
const REQUEST = Buffer.from('pull');

async function asking(t: Test, options: ConnectionOptions = {}): Promise<{ asker: Asker; connection: NatsConnection }> {
  const connection = await connect({ servers: server.url, ...options });
  const asker = new Asker(connection, ns, () => performance.now());
  t.teardown(async () => {
    asker.stop();
    await connection.close();
  });
  return { asker, connection };
}

async function broker(t: Test, answer: (asked: number) => string | undefined): Promise<void> {
  const connection = await connectNats({ url: gatewayUrl(server.brokerUrl), name: 'broker', reconnect: false });
  t.teardown(() => connection.close());
  let asked = 0;
  connection.subscribe(subjects.command(ns, { noun: 'worker', verb: 'pull' }), {
    callback: (_, message) => {
      const text = answer((asked += 1));
      if (text !== undefined) message.respond(text);
    },
  });
  await connection.flush();
}

t.test('given nobody serves, then NO_BROKER at once', async (t) => {
  const { asker } = await asking(t);
  t.match(await asker.ask('pull', REQUEST, 60_000), { refusal: { code: 'NO_BROKER', retryable: true } });
});

t.test('given several requests, then each gets its own answer, and one that is not answered TIMED_OUT', async (t) => {
  await broker(t, (asked) => (asked === 2 ? undefined : `answer ${asked}`));
  const { asker } = await asking(t);
  const answers = await Promise.all([60_000, 50, 60_000].map((timeoutMs) => asker.ask('pull', REQUEST, timeoutMs)));
  t.same(answers.map(({ data, refusal }) => refusal?.code ?? Buffer.from(data!).toString()), ['answer 1', 'TIMED_OUT', 'answer 3']);
});

t.test('given a user who may not listen for answers, then PERMISSION_DENIED, for good', async (t) => {
  await broker(t, () => 'never heard');
  const { asker } = await asking(t, { inboxPrefix: '_INBOX_BROKER' });
  const denied = { refusal: { code: 'PERMISSION_DENIED', retryable: false } };
  t.match(await asker.ask('pull', REQUEST, 60_000), denied);
  t.match(await asker.ask('pull', REQUEST, 60_000), denied);
});

t.test('given a request that is larger than the server takes, then TOO_LARGE, for good', async (t) => {
  const { asker, connection } = await asking(t);
  const request = new Uint8Array(connection.info!.max_payload + 1);
  t.match(await asker.ask('report', request, 60_000), { refusal: { code: 'TOO_LARGE', retryable: false } });
});

t.test('given a closed connection, then SERVER_UNREACHABLE', async (t) => {
  const { asker, connection } = await asking(t);
  await connection.close();
  t.match(await asker.ask('pull', REQUEST, 60_000), { refusal: { code: 'SERVER_UNREACHABLE', retryable: true } });
});
