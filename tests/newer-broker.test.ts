/**
 * Another broker may be newer, and answer with a code that this version does not know. It is passed on as that broker
 * said it, and ends nothing. The newer broker here holds the lease of partition 1 and answers on its subjects.
 */
import { headers, type Msg } from '@nats-io/nats-core';
import pino from 'pino';
import t, { type Test } from 'tap';
import { performer } from '../worker/performer/performer.js';
import { startWorker } from '../worker/start.js';
import type { Partition } from '../protocols/ids.js';
import { error, job } from '../protocols/messages.js';
import { EVERY, subjects } from '../protocols/subjects.js';
import { connectClient } from '../sdk/client.js';
import { connectNats } from '../streams/connect.js';
import { openLeadership } from '../streams/leadership.js';
import { ensureTopology } from '../streams/topology.js';
import { queuesOf, Reprise } from './broker.js';
import { Stranger } from './stranger.js';

const FOREIGN = {
  code: 'QUOTA_EXCEEDED', message: 'the tenant has no more jobs: 0', hint: 'Buy some.', retryable: true,
};
const QUEUES = queuesOf(2);
const BOTH = { jobs: QUEUES.map((queue) => ({ type: 'x', queue })) };

type Respond = (msg: Msg) => void;
const refuse = (
  of: typeof FOREIGN, status: string | undefined, body = error.Error.encode(of).finish(),
): Respond => (msg) => {
  const h = headers();
  h.set('Nats-Service-Error', `${of.code}: ${of.message}`);
  if (status !== undefined) h.set('Nats-Service-Error-Code', status);
  msg.respond(body, { headers: h });
};

interface NewerBroker {
  reprise: Reprise;
  client: Stranger;
  answerWith(respond: Respond): void;
}

async function newerBroker(t: Test): Promise<NewerBroker> {
  const reprise = await Reprise.start(t, { partitions: 2, brokers: 0 });
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'newer', reconnect: false });
  const remake = (): Promise<void> => ensureTopology(nc, reprise.ns, 2, { replicas: 1 });
  await remake();
  const partition = 1 as Partition;
  const leadership = await openLeadership(nc, { ns: reprise.ns, partition, holder: 'newer', remake });
  t.ok(await leadership.tryAcquire());
  const renewing = setInterval(() => void leadership.renew().catch(() => false), 300);
  let respond: Respond = refuse(FOREIGN, '402');
  const everything = subjects.leader(reprise.ns, partition, EVERY);
  nc.subscribe(everything, { callback: (denied, msg) => (denied ? undefined : respond(msg)) });
  const client = await Stranger.connect(reprise);
  t.teardown(async () => {
    clearInterval(renewing);
    await Promise.all([client.close(), nc.close()]);
  });
  await reprise.startBroker();
  return { reprise, client, answerWith: (next) => (respond = next) };
}

t.test('a code that is not in our table', async (t) => {
  const { reprise, client, answerWith } = await newerBroker(t);
  const submitted = async (): Promise<unknown[]> => {
    const inJson = (await client.json('job.submit', BOTH)).body['jobs'] as object[];
    const inProtobuf = (await client.proto('job.submit', BOTH)).body['jobs'] as object[];
    const taken = [inJson[0], inProtobuf[0]];
    t.match(taken, [{ status: 'ready' }, { status: 'ready' }], 'the job of our own partition is taken');
    return [(inJson[1] as { error: unknown }).error, (inProtobuf[1] as { error: unknown }).error];
  };

  t.test('for all jobs of a partition is that of each', async (t) => t.strictSame(await submitted(), [FOREIGN, FOREIGN]));

  t.test('for one job is passed on', async (t) => {
    answerWith((msg) => msg.respond(job.SubmitReply.encode({ jobs: [{ error: FOREIGN }] }).finish()));
    t.strictSame(await submitted(), [FOREIGN, FOREIGN]);
    const shy = { code: 'QUOTA_EXCEEDED', message: '', hint: '', retryable: false };
    answerWith((msg) => msg.respond(job.SubmitReply.encode({ jobs: [{ error: { code: shy.code } }] }).finish()));
    t.strictSame(await submitted(), [shy, shy], 'and what it does not say is empty');
  });

  t.test('for a worker comes with its status, in both forms', async (t) => {
    const register = { workerId: 'w', types: ['x'], capacity: 1 };
    answerWith(refuse(FOREIGN, '402'));
    const inJson = await client.json('worker.register', register);
    const inProtobuf = await client.proto('worker.register', register);
    for (const answer of [inJson, inProtobuf]) {
      t.match(answer, { code: FOREIGN.code, status: '402', header: `${FOREIGN.code}: ${FOREIGN.message}` });
      t.strictSame(answer.body, FOREIGN);
    }
    for (const [retryable, status] of [[true, '503'], [false, '500']] as const) {
      answerWith(refuse({ ...FOREIGN, retryable }, undefined));
      t.equal((await client.json('worker.register', register)).status, status, 'one that fits, if it has none');
    }
    answerWith(refuse(FOREIGN, '402', new Uint8Array([0xff])));
    const { code, message } = FOREIGN;
    const bare = await client.json('worker.register', register);
    t.strictSame(bare.body, { code, message, hint: '', retryable: false }, 'and from its header alone');
  });

  t.test('is the code of the error that our client and our worker throw', async (t) => {
    answerWith(refuse({ ...FOREIGN, retryable: false }, '402'));
    const ours = await connectClient({ url: reprise.url, namespace: reprise.ns, giveUpMs: 500 });
    t.teardown(() => ours.close());
    const expected = { name: 'RepriseError', code: FOREIGN.code, hint: FOREIGN.hint, retryable: false };
    await t.rejects(ours.get({ queue: QUEUES[1]!, key: 'k' }), expected);
    const errors = (await ours.submit([...BOTH.jobs])).map((each) => each.error);
    t.match(errors, [undefined, { code: FOREIGN.code, hint: FOREIGN.hint }]);
    const { stopped } = await startWorker({
      url: reprise.url, namespace: reprise.ns, performers: [performer('x', () => 1)], log: pino({ level: 'silent' }),
    });
    await t.rejects(stopped, { name: 'RepriseError', code: FOREIGN.code });
  });
});

t.test('an answer that cannot be read is one whose outcome is unknown', async (t) => {
  const { client, answerWith } = await newerBroker(t);
  const unreadable: [string, Respond][] = [
    ['garbage', (msg) => msg.respond(new Uint8Array([0x0a, 0xff, 0xff]))],
    ['no answer for the job', (msg) => msg.respond(job.SubmitReply.encode({ jobs: [] }).finish())],
  ];
  for (const [name, respond] of unreadable) {
    answerWith(respond);
    const [taken, lost] = (await client.json('job.submit', BOTH)).body['jobs'] as [object, object];
    t.match([taken, lost], [{ status: 'ready' }, { error: { code: 'UNKNOWN', retryable: true } }], name);
  }
  answerWith((msg) => msg.respond(new Uint8Array([0x0a, 0xff, 0xff])));
  const me = await client.register('w', { types: ['x'], capacity: 1 });
  t.match(await client.json('worker.drain', me), { code: 'UNKNOWN', status: '504' });
});

t.test('a job that is refused here is not sent on, where protobuf would make another number of it', async (t) => {
  const { client, answerWith } = await newerBroker(t);
  let asked = 0;
  answerWith((msg) => {
    const { jobs } = job.SubmitJobs.decode(msg.data);
    asked += jobs.length;
    const taken = jobs.map(() => ({ jobId: '1-0000000000000000', status: 'ready' }));
    msg.respond(job.SubmitReply.encode({ jobs: taken }).finish());
  });
  const [ours, theirs] = QUEUES;
  const wrapped = { type: 'x', priority: 2 ** 32 + 7 };
  const jobs = [
    { type: 'x', queue: theirs }, { ...wrapped, queue: theirs },
    { type: 'x', queue: ours }, { ...wrapped, queue: ours },
  ];
  const answers = (await client.json('job.submit', { jobs })).body['jobs'] as object[];
  t.match(answers, [
    { status: 'ready' }, { error: { code: 'INVALID_ARGUMENT' } },
    { status: 'ready' }, { error: { code: 'INVALID_ARGUMENT' } },
  ]);
  t.equal(asked, 1);
  const said = Object.keys(answers[0]!);
  t.strictSame(said, ['jobId', 'status', 'duplicate'], 'and what the other broker did not say is not said');
});
