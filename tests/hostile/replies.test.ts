/**
 * Nothing that an ordinary user publishes, or causes the server or a broker to publish, changes a stream of ours,
 * deposes a leader, or prevents one from starting. Tried: every request that the server or a broker answers, with its
 * reply set to every subject of ours; the server's message tracing, which publishes to the subject in a header; and a
 * responder with ordinary rights.
 */
import { connect, headers } from 'nats';
import t from 'tap';
import { eventually, Reprise } from '../broker.js';
import { readHistories } from '../histories.js';
import { Stranger, SUBJECTS } from '../stranger.js';
import { seedsOf, UNREGISTERED } from './mutations.js';
import { serversOwn } from './servers-own.js';

const reprise = await Reprise.start(t, { brokers: 0 });
const broker = await reprise.startChild();
const { ns } = reprise;
const client = await Stranger.connect(reprise);
t.teardown(() => client.close());
const attacker = await connect({ servers: reprise.url });
t.teardown(() => attacker.close());
const manager = await client.reader.jetstreamManager({ checkAPI: false });

const JOURNAL = `REPRISE_${ns}_JOURNAL_0`;
const LEADERSHIP = `KV_REPRISE_${ns}_LEASES`;

/** Subjects that our streams take in, and others whose messages are trusted. */
const TARGETS = [
  `reprise.${ns}.journal.0`, `reprise.${ns}.witness.0`,
  `$KV.REPRISE_${ns}_CHECKPOINTS.0.events`, `$KV.REPRISE_${ns}_LEASES.0`, `$KV.REPRISE_${ns}_KEYS.key`,
  `reprise.${ns}.p.0.job.submit`, `reprise.${ns}.p.0.worker.drain`,
  `reprise.${ns}.event.job.0-x.JobCompleted`, `reprise.${ns}.event.partition.0.LeaderStarted`,
  `reprise.${ns}.job.submit`, `reprise.${ns}.worker.drain`, `reprise.${ns}.progress.0-x`,
  '_INBOX_BROKER.x.1', '_INBOX_GATEWAY.x.1', '_INBOX.another.1',
  `$JS.API.STREAM.PURGE.${JOURNAL}`, `$JS.API.STREAM.DELETE.${JOURNAL}`, `$JS.API.STREAM.MSG.DELETE.${JOURNAL}`,
  `$JS.ACK.${JOURNAL}.c.1.1.1.1.0`, '$SYS.REQ.SERVER.PING', '$SRV.PING.reprise',
];

interface StreamSeen {
  readonly name: string;
  readonly subjects: unknown;
  readonly messages: number;
  readonly lastSeq: number;
}

/** The contents of our streams, without the one of leadership, which the leader renews all the time. */
async function streamsNow(): Promise<StreamSeen[]> {
  const seen: StreamSeen[] = [];
  for await (const { config, state } of manager.streams.list()) {
    if (config.name === LEADERSHIP) continue;
    const { messages, last_seq: lastSeq } = state;
    seen.push({ name: config.name, subjects: config.subjects, messages, lastSeq });
  }
  return seen.sort((a, b) => a.name.localeCompare(b.name));
}

/** Waits until the last known heads and checkpoints are written. */
async function quiet(): Promise<StreamSeen[]> {
  let before = '';
  return eventually(async () => {
    const now = await streamsNow();
    const same = JSON.stringify(now) === before;
    before = JSON.stringify(now);
    return same && now;
  }, 20_000, 1_500);
}

async function epoch(jobId: string): Promise<number> {
  const { body } = await client.patient('job.get', { jobId });
  return (body['position'] as { epoch: number }).epoch;
}

t.test('what an ordinary user causes changes nothing', { timeout: 120_000 }, async (t) => {
  const { body } = await client.patient('job.submit', { type: 'kept', payload: 1 });
  const jobId = body['jobId'] as string;
  const shown = Buffer.from(JSON.stringify({ jobId }));
  const services = ['PING', 'INFO', 'STATS'].flatMap((verb) => [`$SRV.${verb}`, `$SRV.${verb}.reprise`]);
  const requests: readonly (readonly [string, Uint8Array])[] = [
    ...serversOwn(JOURNAL).map((subject) => [subject, Buffer.alloc(0)] as const),
    ...services.map((subject) => [subject, Buffer.alloc(0)] as const),
    ...SUBJECTS.flatMap((subject) => seedsOf(UNREGISTERED)[subject]!.map((seed) => {
      return [`reprise.${ns}.${subject}`, client.encode(client.requestType(subject), seed)] as const;
    })),
    ...SUBJECTS.map((subject) => [`reprise.${ns}.${subject}`, Buffer.from('{"nonsense":1}')] as const),
    ...['get', 'await'].map((verb) => [`reprise.${ns}.job.${verb}`, shown] as const),
    ['own.echo', shown],
  ];
  attacker.subscribe('own.echo', { callback: (_, message) => void message.respond(message.data) });
  await attacker.flush();
  const before = await quiet();
  const led = await epoch(jobId);

  for (const target of TARGETS) {
    const traced = headers();
    traced.set('Nats-Trace-Dest', target);
    for (const [subject, data] of requests) {
      attacker.publish(subject, data, { reply: target });
      attacker.publish(subject, data, { reply: target, headers: traced });
    }
    attacker.publish(target, '');
    attacker.publish(target, shown);
    await attacker.flush();
  }
  const attempts = TARGETS.length * requests.length * 2;
  t.equal((await client.patient('job.get', { jobId })).code, '', `the broker answers after ${attempts} attempts`);
  t.strictSame(await quiet(), before, 'no stream has changed');
  t.equal(await epoch(jobId), led, 'the same leader still leads');
  t.ok(broker.isRunning);

  await broker.kill();
  await reprise.startChild();
  t.equal(await epoch(jobId), led + 1, 'after a kill the next leader starts');
  t.equal((await client.patient('job.submit', { type: 'kept', payload: 2 })).code, '');
  const { complaints, foreign } = await readHistories(client, 1);
  t.strictSame({ complaints, foreign }, { complaints: [], foreign: 0 });
});
