/** A server that takes only small messages: a payload that no commit can hold must not reach a leader. */
import t from 'tap';
import { startBroker } from '../gateways/nats/broker.js';
import { parseNamespace } from '../protocols/ids.js';
import { quiet } from './broker.js';
import { operatorServer } from './operator-server.js';

const broker = (url: string) =>
  startBroker({ url, namespace: parseNamespace('default')!, partitions: 1, version: '0.0.0', log: quiet });

t.test('given a max_payload below that of the largest job, then the broker does not start and says what to do', async (t) => {
  const server = await operatorServer(t, (text) => text.replace('max_payload: 1MB', 'max_payload: 300KB'));
  await t.rejects(broker(server.brokerUrl), {
    code: 'SERVER_MISCONFIGURED', message: /max_payload is 307200 bytes; .* at least 331776/, hint: /max_payload: 1MB/,
  });
});

t.test('given one that is just enough, then it starts', async (t) => {
  const server = await operatorServer(t, (text) => text.replace('max_payload: 1MB', 'max_payload: 331776'));
  const started = await broker(server.brokerUrl);
  t.teardown(() => started.stop());
  await started.ready;
});
