/** What nats-server.conf allows each user, one row for each rule, tried on the real server. */
import { setImmediate as soon } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Msg } from '@nats-io/nats-core';
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

/** Whether the server refuses what `act` does. Its refusal comes before the reply to a flush. */
async function isDenied(connection: NatsConnection, act: () => void): Promise<boolean> {
  let denied = false;
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) {
      denied ||= status.type === 'error' && /Permissions Violation/.test(status.error.message);
    }
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
  'reprise.t.snapshot.take', 'reprise.t.retention.set',
  '$KV.REPRISE_t_LEASES.leader', '$O.files.C.x', '_INBOX_BROKER.x.y', '_INBOX_GATEWAY.x.y',
  ...SERVERS_OWN,
];
const MAY_PUBLISH = [
  'reprise.t.job.submit', 'reprise.t.worker.pull', 'reprise.t.progress.0-x', '$SRV.PING', '$SRV.INFO.reprise',
  'own.subject', '_INBOX.x.y',
];
const NO_SUBSCRIBE = [
  'reprise.t.job.submit', 'reprise.*.job.*', 'reprise.t.job.>', 'reprise.t.worker.pull', 'reprise.t.p.0.job.submit',
  'reprise.t.journal.0', 'reprise.t.witness.*', '$KV.>', '$JS.EVENT.ADVISORY.>', '$SYS.>',
  '_INBOX_BROKER.>', '_INBOX_GATEWAY.>',
];
/** Of every command, and of nouns that may have some later. */
const LATER = ['queue', 'schedule', 'batch', 'machine', 'pool'].map((noun) => ({ noun, verb: 'get' }));
const REQUESTS = [...COMMANDS, ...LATER].map((command) => subjects.command('t' as Namespace, command));
const MAY_SUBSCRIBE = ['reprise.t.event.>', 'reprise.t.progress.*', '$SRV.PING', 'own.>', '_INBOX.x.>'];

t.test('the user gateway', async (t) => {
  const publishing = (subject: string) => isDenied(gateway, () => gateway.publish(subject));
  const no = [
    'reprise.t.journal.0', 'reprise.t.witness.0', 'reprise.t.event.job.0-x.JobCompleted', 'reprise.t.job.submit',
    'reprise.t.worker.pull', 'reprise.t.progress.0-x', '$KV.REPRISE_t_LEASES.0', '$SRV.PING', '_INBOX_BROKER.x.y',
    ...SERVERS_OWN,
  ];
  for (const subject of [...no, ...REQUESTS]) t.ok(await publishing(subject), `may not publish to ${subject}`);
  for (const subject of ['_INBOX.x.y', '_INBOX_GATEWAY.x.y', 'reprise.t.p.0.job.submit', 'own.inbox']) {
    t.notOk(await publishing(subject), `may publish to ${subject}`);
  }
});

t.test('an ordinary user', async (t) => {
  for (const subject of NO_PUBLISH) t.ok(await publishing(subject), `may not publish to ${subject}`);
  for (const subject of MAY_PUBLISH) t.notOk(await publishing(subject), `may publish to ${subject}`);
  for (const subject of [...NO_SUBSCRIBE, ...REQUESTS]) {
    t.ok(await subscribing(subject), `may not subscribe to ${subject}`);
  }
  for (const subject of NO_SUBSCRIBE) t.ok(await subscribing(subject, 'brokers'), `nor to ${subject} in a group`);
  for (const subject of MAY_SUBSCRIBE) t.notOk(await subscribing(subject), `may subscribe to ${subject}`);
});

t.test('the user broker may do all of it', async (t) => {
  const harmless = NO_PUBLISH.filter((subject) => !subject.startsWith('$') && subject !== 'reprise.t.journal.0');
  for (const subject of harmless) {
    t.notOk(await isDenied(broker, () => broker.publish(subject)), `publish to ${subject}`);
  }
  for (const subject of NO_SUBSCRIBE) {
    const subscribe = (): void => broker.subscribe(subject, { callback: () => undefined }).unsubscribe();
    t.notOk(await isDenied(broker, subscribe), `subscribe to ${subject}`);
  }
});

t.test('requests cannot be taken away from brokers by a wider subscription', async (t) => {
  let taken = 0;
  for (const subject of ['>', 'reprise.>', 'reprise.*.*.*', 'reprise.t.*.submit']) {
    client.subscribe(subject, {
      queue: 'brokers',
      callback: (error, message) => {
        if (!error && message.subject === 'reprise.t.job.submit') taken += 1;
      },
    });
  }
  await client.flush();
  const respond = { queue: 'brokers', callback: (_: unknown, message: Msg) => void message.respond('ours') };
  broker.subscribe('reprise.t.job.submit', respond);
  await broker.flush();
  for (let i = 0; i < 100; i += 1) {
    t.equal((await client.request('reprise.t.job.submit', '', { timeout: 5_000 })).string(), 'ours');
  }
  t.equal(taken, 0);
});

t.test('a wide subscription receives only facts of what brokers write', async (t) => {
  const seen: string[] = [];
  client.subscribe('>', { callback: (_, message) => void seen.push(message.subject) });
  await client.flush();
  const written = ['reprise.t.journal.0', 'reprise.t.witness.0', '$KV.REPRISE_t_LEASES.0', '_INBOX_BROKER.x.y'];
  for (const subject of [...written, 'reprise.t.event.job.x.JobCompleted']) broker.publish(subject, '');
  await broker.flush();
  await client.flush();
  t.same(seen, ['reprise.t.event.job.x.JobCompleted']);
});

t.test('an ordinary user that reads a journal gets an error at once', async (t) => {
  const reader = await jetstreamManager(client, { checkAPI: false });
  await t.rejects(reader.streams.getMessage(JOURNAL, { seq: 1 }), /Permissions Violation/);
});
