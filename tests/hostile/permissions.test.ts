/** What nats-server.conf allows everybody, one row for each rule, tried on the real server. */
import { setImmediate as soon } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import t from 'tap';
import { COMMANDS } from '../../actors/commands.js';
import type { Namespace } from '../../protocols/ids.js';
import { subjects } from '../../protocols/subjects.js';
import { address, gatewayUrl } from '../../streams/server/address.js';
import { startServer } from '../../streams/server/start.js';
import { serversOwn } from './servers-own.js';

const server = await startServer({ dataDir: t.testdir(), log: (line) => t.comment(line) });
const broker = await connect(address(server.brokerUrl));
const client = await connect(address(server.url));
const gateway = await connect(address(gatewayUrl(server.brokerUrl)));
t.teardown(async () => {
  await Promise.all([broker.close(), client.close(), gateway.close()]);
  await server.stop();
});

const manager = await jetstreamManager(broker);
await manager.streams.add({ name: 'REPRISE_t_JOURNAL_0', subjects: ['reprise.t.journal.0'] });
for (const text of ['one', 'two']) await jetstream(broker).publish('reprise.t.journal.0', text);

/** Whether the server complains about what `act` does. Its complaint comes before the answer to a flush. */
async function isDenied(connection: NatsConnection, act: () => void): Promise<boolean> {
  let denied = false;
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) denied ||= status.type === 'error' && /Permissions Violation/.test(status.error.message);
  })();
  act();
  await connection.flush();
  await soon();
  return denied;
}

const publishing = (subject: string) => isDenied(client, () => client.publish(subject));
const subscribing = (subject: string, queue?: string) =>
  isDenied(client, () => void client.subscribe(subject, { ...(queue && { queue }), callback: () => undefined }));

const JOURNAL = 'REPRISE_t_JOURNAL_0';
const SERVERS_OWN = serversOwn(JOURNAL);
const NO_PUBLISH = [
  'reprise.t.journal.0', 'reprise.t.witness.0', 'reprise.t.p.0.job.submit', 'reprise.t.event.job.0-x.JobCompleted',
  '$KV.REPRISE_t_LEASES.leader', '$O.files.C.x', '_INBOX_BROKER.x.y', '_INBOX_GATEWAY.x.y', ...SERVERS_OWN,
];
const MAY_PUBLISH = ['reprise.t.job.submit', 'reprise.t.worker.pull', 'reprise.t.progress.0-x', '$SRV.PING', '$SRV.INFO.reprise', 'own.subject', '_INBOX.x.y'];
const NO_SUBSCRIBE = [
  'reprise.t.job.submit', 'reprise.*.job.*', 'reprise.t.job.>', 'reprise.t.worker.pull', 'reprise.t.p.0.job.submit', 'reprise.t.journal.0', 'reprise.t.witness.*',
  '$KV.>', '$JS.EVENT.ADVISORY.>', '$SYS.>', '_INBOX_BROKER.>', '_INBOX_GATEWAY.>',
];
/** Of every command, and of nouns that may have some later. */
const LATER = ['queue', 'schedule', 'batch', 'machine', 'pool'].map((noun) => ({ noun, verb: 'get' }));
const REQUESTS = [...COMMANDS, ...LATER].map((command) => subjects.command('t' as Namespace, command));
const MAY_SUBSCRIBE = ['reprise.t.event.>', 'reprise.t.progress.*', '$SRV.PING', 'own.>', '_INBOX.x.>'];

t.test('a broker’s public face', async (t) => {
  const publishing = (subject: string) => isDenied(gateway, () => gateway.publish(subject));
  const no = [
    'reprise.t.journal.0', 'reprise.t.witness.0', 'reprise.t.event.job.0-x.JobCompleted', 'reprise.t.job.submit', 'reprise.t.worker.pull',
    'reprise.t.progress.0-x', '$KV.REPRISE_t_LEASES.0', '$SRV.PING', '_INBOX_BROKER.x.y', ...SERVERS_OWN,
  ];
  for (const subject of [...no, ...REQUESTS]) t.ok(await publishing(subject), `may not answer to ${subject}`);
  for (const subject of ['_INBOX.x.y', '_INBOX_GATEWAY.x.y', 'reprise.t.p.0.job.submit', 'own.inbox']) {
    t.notOk(await publishing(subject), `may publish to ${subject}`);
  }
});

t.test('everybody', async (t) => {
  for (const subject of NO_PUBLISH) t.ok(await publishing(subject), `may not publish to ${subject}`);
  for (const subject of MAY_PUBLISH) t.notOk(await publishing(subject), `may publish to ${subject}`);
  for (const subject of [...NO_SUBSCRIBE, ...REQUESTS]) t.ok(await subscribing(subject), `may not subscribe to ${subject}`);
  for (const subject of NO_SUBSCRIBE) t.ok(await subscribing(subject, 'brokers'), `nor to ${subject} in the brokers' group`);
  for (const subject of MAY_SUBSCRIBE) t.notOk(await subscribing(subject), `may subscribe to ${subject}`);
});

t.test('a broker may do all of it', async (t) => {
  const harmless = NO_PUBLISH.filter((subject) => !subject.startsWith('$') && subject !== 'reprise.t.journal.0');
  for (const subject of harmless) t.notOk(await isDenied(broker, () => broker.publish(subject)), `publish to ${subject}`);
  for (const subject of NO_SUBSCRIBE) {
    t.notOk(await isDenied(broker, () => broker.subscribe(subject, { callback: () => undefined }).unsubscribe()), `subscribe to ${subject}`);
  }
});

t.test('requests cannot be taken away from brokers by a wider subscription', async (t) => {
  let taken = 0;
  for (const subject of ['>', 'reprise.>', 'reprise.*.*.*', 'reprise.t.*.submit']) {
    client.subscribe(subject, { queue: 'brokers', callback: (error, message) => void (!error && message.subject === 'reprise.t.job.submit' && (taken += 1)) });
  }
  await client.flush();
  broker.subscribe('reprise.t.job.submit', { queue: 'brokers', callback: (_, message) => void message.respond('ours') });
  await broker.flush();
  for (let i = 0; i < 100; i += 1) t.equal((await client.request('reprise.t.job.submit', '', { timeout: 5_000 })).string(), 'ours');
  t.equal(taken, 0);
});

t.test('a wide subscription shows nothing of what brokers write', async (t) => {
  const seen: string[] = [];
  client.subscribe('>', { callback: (_, message) => void seen.push(message.subject) });
  await client.flush();
  for (const subject of ['reprise.t.journal.0', 'reprise.t.witness.0', '$KV.REPRISE_t_LEASES.0', '_INBOX_BROKER.x.y', 'reprise.t.event.job.x.JobCompleted']) broker.publish(subject, '');
  await broker.flush();
  await client.flush();
  t.same(seen, ['reprise.t.event.job.x.JobCompleted']);
});

t.test('ordinary users are told at once that they may not read a journal', async (t) => {
  const reader = await jetstreamManager(client, { checkAPI: false });
  await t.rejects(reader.streams.getMessage(JOURNAL, { seq: 1 }), /Permissions Violation/);
});
