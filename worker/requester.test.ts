import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import t, { type Test } from 'tap';
import { parseNamespace, type Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import { connectNats } from '../streams/connect.js';
import { gatewayUrl } from '../streams/server/address.js';
import { startServer } from '../streams/server/start.js';
import { Requester } from './requester.js';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const ns = parseNamespace('test') as Namespace;
const REQUEST = Buffer.from('pull');

interface Requesting {
  readonly requester: Requester;
  readonly connection: NatsConnection;
}

async function requesting(t: Test, options: ConnectionOptions = {}): Promise<Requesting> {
  const connection = await connect({ servers: server.url, ...options });
  const requester = new Requester(connection, ns, () => performance.now());
  t.teardown(async () => {
    requester.stop();
    await connection.close();
  });
  return { requester, connection };
}

async function broker(t: Test, replyTo: (count: number) => string | undefined): Promise<void> {
  const connection = await connectNats({ url: gatewayUrl(server.brokerUrl), name: 'broker', reconnect: false });
  t.teardown(() => connection.close());
  let count = 0;
  connection.subscribe(subjects.command(ns, { noun: 'worker', verb: 'pull' }), {
    callback: (_, message) => {
      const text = replyTo((count += 1));
      if (text !== undefined) message.respond(text);
    },
  });
  await connection.flush();
}

t.test('given no broker, then NO_BROKER at once', async (t) => {
  const { requester } = await requesting(t);
  t.match(await requester.request('pull', REQUEST, 60_000), { refusal: { code: 'NO_BROKER', retryable: true } });
});

t.test('given several requests, then each gets its own reply, and one without a reply TIMED_OUT', async (t) => {
  await broker(t, (count) => (count === 2 ? undefined : `reply ${count}`));
  const { requester } = await requesting(t);
  const timeoutsMs = [60_000, 50, 60_000];
  const replies = await Promise.all(timeoutsMs.map((ms) => requester.request('pull', REQUEST, ms)));
  const received = replies.map(({ data, refusal }) => refusal?.code ?? Buffer.from(data!).toString());
  t.same(received, ['reply 1', 'TIMED_OUT', 'reply 3']);
});

t.test('given a user without permission to subscribe to replies, then PERMISSION_DENIED, for good', async (t) => {
  await broker(t, () => 'never received');
  const { requester } = await requesting(t, { inboxPrefix: '_INBOX_BROKER' });
  const denied = { refusal: { code: 'PERMISSION_DENIED', retryable: false } };
  t.match(await requester.request('pull', REQUEST, 60_000), denied);
  t.match(await requester.request('pull', REQUEST, 60_000), denied);
});

t.test('given a request that is larger than the server takes, then TOO_LARGE, for good', async (t) => {
  const { requester, connection } = await requesting(t);
  const request = new Uint8Array(connection.info!.max_payload + 1);
  t.match(await requester.request('report', request, 60_000), { refusal: { code: 'TOO_LARGE', retryable: false } });
});

t.test('given a closed connection, then SERVER_UNREACHABLE', async (t) => {
  const { requester, connection } = await requesting(t);
  await connection.close();
  const unreachable = { refusal: { code: 'SERVER_UNREACHABLE', retryable: true } };
  t.match(await requester.request('pull', REQUEST, 60_000), unreachable);
});
