import { jetstreamManager } from '@nats-io/jetstream';
import t from 'tap';
import { connectNats } from './connect.js';
import { mayListen } from './listeners.js';
import { startServer } from './server/start.js';

const SUBJECT = 'reprise.default.event.job.>';

const server = await startServer({ dataDir: t.testdir() });
t.teardown(() => server.stop());
const broker = await connectNats({ url: server.brokerUrl, name: 'broker', reconnect: true });
const client = await connectNats({ url: server.url, name: 'client', reconnect: true });
t.teardown(() => Promise.all([broker.close(), client.close()]));

t.test('given no subscription to facts of jobs, then it is certain that there are no listeners', async (t) => {
  t.equal(await mayListen(broker, SUBJECT), false);
  const elsewhere = client.subscribe('reprise.default.event.partition.*.LeaderStarted');
  await client.flush();
  t.equal(await mayListen(broker, SUBJECT), false);
  elsewhere.unsubscribe();
});

const PATTERNS = [
  'reprise.default.event.job.0-0123456789abcdef.JobCompleted',
  'reprise.*.event.*.*.JobCompleted',
  'reprise.default.>',
  '>',
];

for (const pattern of PATTERNS) {
  t.test(`given a subscription to ${pattern}, then there may be listeners, until it ends`, async (t) => {
    const subscription = client.subscribe(pattern);
    await client.flush();
    t.equal(await mayListen(broker, SUBJECT), true);
    subscription.unsubscribe();
    await client.flush();
    t.equal(await mayListen(broker, SUBJECT), false);
  });
}

t.test('given a stream that stores facts, then there may be listeners', async (t) => {
  const jsm = await jetstreamManager(broker);
  await jsm.streams.add({ name: 'FACTS', subjects: ['reprise.*.event.job.*.JobCompleted'] });
  t.equal(await mayListen(broker, SUBJECT), true);
  await jsm.streams.delete('FACTS');
  t.equal(await mayListen(broker, SUBJECT), false);
});

t.test('given a server that does not reply, then there may be listeners', async (t) => {
  const deaf = { info: {}, request: () => Promise.reject(new Error('no responders')) } as unknown as typeof broker;
  t.equal(await mayListen(deaf, SUBJECT), true);
});

t.test('given a server in a cluster that has no listeners, then there may be some at another server', async (t) => {
  const { info } = broker;
  const asked = (more: object): typeof broker => {
    const connection = { info: { ...info, ...more }, request: broker.request.bind(broker) };
    return connection as unknown as typeof broker;
  };
  t.equal(await mayListen(asked({}), SUBJECT), false);
  t.equal(await mayListen(asked({ cluster: 'C1' }), SUBJECT), true);
});
