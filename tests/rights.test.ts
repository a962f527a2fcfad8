/** A broker that cannot work fails before it does anything, and leaves nothing behind. */
import pino from 'pino';
import t, { type Test } from 'tap';
import { startBroker } from '../gateways/nats/broker.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { openJournal } from '../streams/jetstream.js';
import { startServer, type RunningServer } from '../streams/server/start.js';
import { until } from './command/rig.js';
import { operatorServer } from './operator-server.js';

const ns = 'rights' as Namespace;

/** What is expected of an error. */
interface Refusal {
  readonly code: string;
  readonly message?: RegExp;
  readonly hint?: RegExp;
}

/** Starts a broker and collects its log. */
function starting(url: string, partitions = 2) {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  return { lines, broker: startBroker({ url, namespace: ns, partitions, version: '0.0.0', log }) };
}

async function connections(monitoringUrl: string): Promise<number> {
  return ((await (await fetch(`${monitoringUrl}/connz`)).json()) as { num_connections: number }).num_connections;
}

type At = Pick<RunningServer, 'url' | 'monitoringUrl'>;

async function refused(t: Test, at: At, says: Refusal, partitions = 2): Promise<void> {
  const { lines, broker } = starting(at.url, partitions);
  await t.rejects(broker, { ...says });
  t.same(lines, [], 'nothing was logged before');
  await until('nothing stays open', async () => (await connections(at.monitoringUrl)) === 0);
}

async function embedded(t: Test): Promise<RunningServer> {
  const server = await startServer({ dataDir: t.testdir() });
  t.teardown(() => server.stop());
  return server;
}

t.test('given an ordinary user, then it is refused, whether the streams are there or not', async (t) => {
  const server = await embedded(t);
  const denied = { code: 'PERMISSION_DENIED', message: /Permissions Violation for Publish/, hint: /nats:\/\/broker:/ };
  await refused(t, server, denied);
  const { lines, broker } = starting(server.brokerUrl);
  await (await broker).ready;
  await (await broker).stop();
  t.notOk(lines.some((line) => line.includes('skipped')), 'the probes are not in a journal');
  await refused(t, server, denied);
  const journal = await openJournal({ url: server.brokerUrl, ns, partition: 0 as Partition });
  t.equal(await journal.lastSeq(), 1, 'one leader, and nothing else');
  await journal.close();
});

t.test('given another number of partitions, then it is refused, and the hint says which one to give', async (t) => {
  const server = await embedded(t);
  const { broker } = starting(server.brokerUrl, 1);
  await (await broker).stop();
  const mismatch = { code: 'STREAM_MISMATCH', hint: /--partitions 1/ };
  await refused(t, { ...server, url: server.brokerUrl }, mismatch, 3);
});

type Edit = (configuration: string) => string;
const GATEWAYS: Readonly<Record<string, readonly [Edit, Refusal]>> = {
  'is missing': [(text) => text.replace('user: gateway', 'user: other'), { code: 'PERMISSION_DENIED', message: /the user gateway/, hint: /add it/ }],
  'has another password': [
    (text) => text.replace(/(user: gateway\s+password:) \S+/, '$1 another1'), { code: 'PERMISSION_DENIED', message: /the user gateway, with the password of the user broker/ },
  ],
  'may not listen': [
    (text) => text.replace(/(user: gateway[^]*?subscribe:) ">"/, '$1 { deny: ["reprise.*.job.*"] }'),
    { code: 'PERMISSION_DENIED', message: /the user gateway\b.*Subscription to "reprise\.rights\.job\.submit"/ },
  ],
  'may not pass requests on': [
    (text) => text.replace(/(user: gateway[^]*?deny: \[)/, '$1 "reprise.*.p.>", '), { code: 'PERMISSION_DENIED', message: /the user gateway\b.*Publish to "reprise\.rights\.p\./ },
  ],
};

for (const [how, [edit, says]] of Object.entries(GATEWAYS)) {
  t.test(`given a gateway user that ${how}, then the error says so`, async (t) => {
    const { brokerUrl, monitoringUrl } = await operatorServer(t, edit);
    await refused(t, { url: brokerUrl, monitoringUrl }, says);
  });
}

const RIGHTS = [
  '$JS.API.STREAM.CREATE.>', '$JS.API.CONSUMER.CREATE.>', '$JS.API.STREAM.MSG.GET.>',
  'reprise.*.witness.>', 'reprise.*.event.>', '$KV.>',
];

for (const right of RIGHTS) {
  t.test(`given a broker user that may not publish to ${right}, then the error says so`, async (t) => {
    const denied = `$1 { deny: [${JSON.stringify(right)}] }`;
    const less = (text: string): string => text.replace(/(user: broker, [^]*?publish:) ">"/, denied);
    const { brokerUrl, monitoringUrl } = await operatorServer(t, less);
    await refused(t, { url: brokerUrl, monitoringUrl }, { code: 'PERMISSION_DENIED' });
  });
}
