/** Several requests in one message: each has its own reply, and none waits for another. */
import { headers, type Msg } from '@nats-io/nats-core';
import { headers as classicHeaders } from 'nats';
import t, { type Test } from 'tap';
import { startWorker } from '../worker/start.js';
import { performer } from '../worker/performer/performer.js';
import type { Partition } from '../protocols/ids.js';
import { bundle, error, job } from '../protocols/messages.js';
import { BUNDLE_HEADER, EVERY, subjects } from '../protocols/subjects.js';
import { connectClient, type Client } from '../sdk/client.js';
import { connectNats } from '../streams/connect.js';
import { openLeadership } from '../streams/leadership.js';
import { ensureTopology } from '../streams/topology.js';
import { queuesOf, quiet, Reprise } from './broker.js';
import { Stranger } from './stranger.js';

async function clientOf(t: Test, { url, ns }: Reprise, options: { gather?: boolean } = {}): Promise<Client> {
  const client = await connectClient({ url, namespace: ns, ...options });
  t.teardown(() => client.close());
  return client;
}

/** Counts the messages on a public subject from now on. */
async function counting(t: Test, { brokerUrl, ns }: Reprise, verb: string): Promise<() => Promise<number>> {
  const nc = await connectNats({ url: brokerUrl, name: 'counting', reconnect: false });
  t.teardown(() => nc.close());
  let messages = 0;
  nc.subscribe(subjects.command(ns, { noun: 'job', verb }), { callback: () => void (messages += 1) });
  await nc.flush();
  return async () => (await nc.flush(), messages);
}

t.test('calls of one turn are one message, and each has its own reply or error', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3 });
  const client = await clientOf(t, reprise);
  const submits = await counting(t, reprise, 'submit');
  const gets = await counting(t, reprise, 'get');
  const cancels = await counting(t, reprise, 'cancel');
  const queues = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const submitted = await Promise.all([
    ...queues.map((queue) => client.submit([{ type: 'x', queue, key: 'k', payload: queue }])),
    client.submit([{ type: 'x', queue: 'a', key: 'k', payload: 'other' }]),
  ]);
  t.match(submitted.pop(), [{ error: { code: 'KEY_CONFLICT' } }]);
  t.equal(await submits(), 1);
  const ids = submitted.map(([reply]) => reply!.jobId);
  t.equal(new Set(ids.map((id) => id.split('-')[0])).size, 3, 'of several partitions');
  const [missing, ...views] = await Promise.allSettled(
    [{ queue: 'a', key: 'none' }, ...ids.map((jobId) => ({ jobId }))].map((target) => client.get(target)),
  );
  t.match(missing, { status: 'rejected', reason: { name: 'RepriseError', code: 'NOT_FOUND' } });
  t.strictSame(views.map((view) => view.status === 'fulfilled' && view.value.queue), queues);
  t.equal(await gets(), 1);
  const cancelled = await Promise.all(ids.map((jobId) => client.cancel({ jobId })));
  t.ok(cancelled.every(({ status }) => status === 'cancelled'));
  t.equal(await cancels(), 1);

  const apart = await clientOf(t, reprise, { gather: false });
  await Promise.all(ids.map((jobId) => apart.get({ jobId })));
  t.equal(await gets(), 1 + ids.length, 'unless the client does not gather');
});

t.test('a call that waits is answered when its own job has ended', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await clientOf(t, reprise);
  let release = (): void => undefined;
  const released = new Promise<string>((resolve) => (release = () => resolve('late')));
  const performers = [performer('fast', (n: number) => n * 2), performer('slow', () => released)];
  const worker = await startWorker({ url: reprise.url, namespace: reprise.ns, performers, log: quiet });
  t.teardown(() => worker.stop());
  const submits = await counting(t, reprise, 'submit');
  const done: unknown[] = [];
  const slow = client.submit([{ type: 'slow' }], { wait: true }).then(([reply]) => done.push(reply!.result));
  await Promise.all([1, 2, 3].map(async (payload) => {
    const [reply] = await client.submit([{ type: 'fast', payload }], { wait: true });
    done.push(reply!.result);
  }));
  t.equal(await submits(), 1);
  t.strictSame([...done].sort(), [2, 4, 6], 'and not when all have');
  release();
  await slow;
  t.equal(done.at(-1), 'late');
});

t.test('many jobs submitted one by one at once are leased in the order of the calls', async (t) => {
  const reprise = await Reprise.start(t);
  const client = await clientOf(t, reprise);
  const numbers = Array.from({ length: 700 }, (_, nth) => nth);
  const replies = await Promise.all(numbers.map((payload) => client.submit([{ type: 'nth', payload }])));
  const ran: number[] = [];
  const performers = [performer('nth', (nth: number) => void ran.push(nth))];
  const worker = await startWorker({ url: reprise.url, namespace: reprise.ns, performers, concurrency: 1, log: quiet });
  t.teardown(() => worker.stop());
  await client.await({ jobId: replies.at(-1)![0]!.jobId });
  t.strictSame(ran, numbers);
});

t.test('a bundle that comes to a broker that leads nothing is passed on, in both encodings', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2, brokers: 2 });
  const client = await clientOf(t, reprise);
  for (let round = 0; round < 12; round += 1) {
    const queues = [...queuesOf(2), ...queuesOf(2)];
    const replies = await Promise.all(queues.map((queue) => client.submit([{ type: 'x', queue }])));
    t.strictSame(replies.map(([reply]) => reply!.position!.partition), [0, 1, 0, 1]);
  }
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  for (let round = 0; round < 12; round += 1) {
    const requests = queuesOf(2).map((queue, nth) => ({ nth, data: { type: 'x', queue, payload: { n: 1.0 } } }));
    const replies = await bundled(stranger, 'job.submit', JSON.stringify({ requests }), 2);
    t.strictSame(replies.map(({ nth }) => nth).sort(), [0, 1]);
    t.match(replies, [{ data: { status: 'ready' } }, { data: { status: 'ready' } }]);
  }
});

interface Reply {
  readonly nth: number;
  readonly refused?: true;
  readonly data: unknown;
}

/** Asks in JSON and collects so many replies, from one message or several. */
async function bundled({ nc, ns }: Stranger, subject: string, body: string, count: number): Promise<Reply[]> {
  const inbox = `_INBOX.bundle${Math.random()}`;
  const h = classicHeaders();
  h.set(BUNDLE_HEADER, '1');
  const replies: Reply[] = [];
  const subscription = nc.subscribe(inbox, { timeout: 5_000 });
  nc.publish(`reprise.${ns}.${subject}`, Buffer.from(body), { reply: inbox, headers: h });
  for await (const message of subscription) {
    const { replies: some, ...refusal } = message.json<{ replies?: Reply[] }>();
    replies.push(...(some ?? [{ nth: -1, refused: true, data: refusal }]));
    if (replies.length >= count) break;
  }
  return replies;
}

t.test('what is no bundle is refused as a whole, and what is no request as one of it', async (t) => {
  const reprise = await Reprise.start(t);
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const whole = async (body: unknown, text = JSON.stringify(body)): Promise<unknown> =>
    (await bundled(stranger, 'job.submit', text, 1))[0];
  const job = { type: 'x' };
  const empty = await whole({ requests: [] });
  t.match(empty, { nth: -1, data: { code: 'INVALID_ARGUMENT', message: /1 to 1000 requests/ } });
  const tooMany = Array.from({ length: 1_001 }, (_, nth) => ({ nth, data: job }));
  t.match(await whole({ requests: tooMany }), { nth: -1, data: { code: 'INVALID_ARGUMENT' } });
  t.match(await whole({ requests: [{ nth: -1, data: job }] }), { nth: -1, data: { code: 'INVALID_ARGUMENT' } });
  t.match(await whole({ requests: [{ nth: 0 }] }), { nth: -1, data: { code: 'INVALID_ARGUMENT' } });
  t.match(await whole(job), { nth: -1, data: { code: 'INVALID_ARGUMENT' } });
  t.match(await whole(undefined, '{"requests":'), { nth: -1, data: { code: 'MALFORMED' } });
  const text = await whole({ requests: [{ nth: 0, data: 'no' }] });
  t.match(text, { nth: -1, data: { code: 'INVALID_ARGUMENT', message: /object/ } });
  const wrong = [{ type: 'x', colour: 'red' }, { type: '*' }];
  const requests = [...wrong.map((data) => ({ nth: 7, data })), { nth: 9, data: job }];
  const replies = await bundled(stranger, 'job.submit', JSON.stringify({ requests }), 3);
  t.match(replies.find(({ nth }) => nth === 9), { data: { status: 'ready' } });
  const refused = replies.filter(({ nth }) => nth === 7);
  t.match(refused, [{ refused: true, data: { code: /INVALID/ } }, { refused: true, data: { code: /INVALID/ } }]);

  const h = headers();
  h.set(BUNDLE_HEADER, 'yes');
  const nc = await connectNats({ url: reprise.url, name: 'test', reconnect: false });
  t.teardown(() => nc.close());
  const subject = subjects.command(reprise.ns, { noun: 'job', verb: 'get' });
  const odd = await nc.request(subject, '{}', { headers: h, timeout: 5_000 });
  t.match(odd.json(), { code: 'INVALID_ARGUMENT', message: /Reprise-Bundle must be 1/ });
});

t.test('a partition that does not reply delays and fails no call to another one', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 2, brokers: 0 });
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'silent', reconnect: false });
  const remake = (): Promise<void> => ensureTopology(nc, reprise.ns, 2, { replicas: 1 });
  await remake();
  const partition = 1 as Partition;
  const leadership = await openLeadership(nc, { ns: reprise.ns, partition, holder: 'silent', remake });
  t.ok(await leadership.tryAcquire());
  const renewing = setInterval(() => void leadership.renew().catch(() => false), 300);
  const held: Msg[] = [];
  nc.subscribe(subjects.leader(reprise.ns, partition, EVERY), { callback: (_, msg) => void held.push(msg) });
  t.teardown(async () => {
    clearInterval(renewing);
    await nc.close();
  });
  await reprise.startBroker();
  const client = await clientOf(t, reprise);
  const [ours, theirs] = queuesOf(2) as [string, string];
  const all = [ours, theirs, ours, theirs].map((queue) => client.submit([{ type: 'x', queue }]));
  t.match(await Promise.all([all[0], all[2]]), [[{ status: 'ready' }], [{ status: 'ready' }]]);
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(held.length, 1, 'the other two are passed on in one message');
  const { requests } = bundle.Bundle.decode(held[0]!.data);
  const done = job.SubmitReply.encode({ jobs: [{ jobId: '1-0123456789abcdef', status: 'ready' }] }).finish();
  const refusal = error.Error.encode({ code: 'QUEUE_PAUSED', message: 'no' }).finish();
  const replies = [{ nth: requests![0]!.nth!, data: done }, { nth: requests![1]!.nth!, data: refusal, refused: true }];
  for (const reply of replies.reverse()) held[0]!.respond(bundle.BundleReplies.encode({ replies: [reply] }).finish());
  t.match(await all[1], [{ status: 'ready' }]);
  await t.rejects(all[3]!, { code: 'QUEUE_PAUSED' });
});

t.test('a broker that knows no bundles is asked one by one', async (t) => {
  const reprise = await Reprise.start(t, { brokers: 0 });
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'older', reconnect: false });
  t.teardown(() => nc.close());
  let bundles = 0;
  nc.subscribe(subjects.command(reprise.ns, { noun: 'job', verb: 'submit' }), {
    callback: (_, msg) => {
      const { jobs } = job.SubmitJobs.decode(msg.data);
      const reply = { jobs: jobs!.map(({ type }) => ({ jobId: type! })) };
      if (jobs!.length > 0) return void msg.respond(job.SubmitReply.encode(reply).finish());
      bundles += 1;
      const h = headers();
      h.set('Nats-Service-Error', 'INVALID_ARGUMENT: unknown fields');
      msg.respond(error.Error.encode({ code: 'INVALID_ARGUMENT', message: 'unknown fields' }).finish(), { headers: h });
    },
  });
  await nc.flush();
  const client = await clientOf(t, reprise);
  const submit = (): Promise<string[]> =>
    Promise.all(['a', 'b'].map(async (type) => (await client.submit([{ type }]))[0]!.jobId));
  t.strictSame([await submit(), await submit(), bundles], [['a', 'b'], ['a', 'b'], 1]);
});
