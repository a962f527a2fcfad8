/**
 * Content can be taken out of a journal, and everything goes on without it: the audit says what was removed, the broker
 * leads, jobs keep their outcomes. Content that was changed is found.
 */
import { realpathSync } from 'node:fs';
import { jetstreamManager, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import t, { type Test } from 'tap';
import { verifyServer } from '../audit/server.js';
import type { JobId, Namespace, Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { jobKind } from '../actors/job/job.kind.js';
import { history } from '../replay/history.js';
import { stepJson } from '../replay/step.js';
import { Steps } from '../replay/steps.js';
import { connectClient } from '../sdk/client.js';
import { performer } from '../sdk/index.js';
import { connectNats } from '../streams/connect.js';
import { removeContents } from '../streams/contents.js';
import { EncodedCommit } from '../streams/encoded-commit.js';
import { openJournal } from '../streams/jetstream.js';
import { startWorker } from '../worker/start.js';
import { eventually, Reprise } from './broker.js';
import { Stranger } from './stranger.js';
import { run } from './command/rig.js';
import { silent } from './worker/support.js';

const ZERO = 0 as Partition;
const PAYLOAD = { name: 'Anna', card: '4242 4242' };

interface Place {
  readonly seq: number;
  readonly index: number;
}

async function stage(t: Test) {
  const reprise = await Reprise.start(t);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: true });
  const handlers = [
    performer('greet', (payload: { name: string }) => Promise.resolve(`hello ${payload.name}`)),
    performer('fail', () => Promise.reject(new Error('no such file: /home/anna'))),
  ];
  const worker = await startWorker({ url: reprise.url, namespace: reprise.ns, performers: handlers, log: silent });
  t.teardown(async () => {
    await client.close();
    await nc.close();
  });
  const ids: JobId[] = [];
  for (const type of ['greet', 'fail', 'greet']) {
    const [ended] = await client.submit([{ type, payload: PAYLOAD, retry: { maxAttempts: 1 } }], { wait: true });
    ids.push(ended!.jobId as JobId);
  }
  await worker.stop();
  await reprise.stopBroker(reprise.brokers[0]!);
  return { reprise, client, nc, ids };
}

/** The position of an event of a job. */
async function placeOf(reprise: Reprise, id: JobId, type: string): Promise<Place> {
  for await (const fact of history({ url: reprise.brokerUrl, ns: reprise.ns }, id)) if (fact.event.type === type) return fact;
  throw new Error(`${id} has no ${type}`);
}

/** The same stream again, with one message changed: what a server's owner can do while no broker runs. */
async function rewrite(nc: NatsConnection, ns: Namespace, url: string, changes: ReadonlyMap<number, (bytes: Uint8Array) => Uint8Array>): Promise<void> {
  const jsm = await jetstreamManager(nc);
  const { config } = await jsm.streams.info(streams.journal(ns, ZERO));
  const source = await openJournal({ url, ns, partition: ZERO });
  const messages: Uint8Array[] = [];
  for await (const { seq, bytes } of source.replay(1)) messages.push(changes.get(seq)?.(bytes) ?? bytes);
  await source.close();
  await jsm.streams.delete(config.name);
  await jsm.streams.add(config);
  for (const bytes of messages) await jetstream(nc).publish(subjects.journal(ns, ZERO), bytes);
}

const without = (...indexes: number[]) => (bytes: Uint8Array) => removeContents(bytes, indexes);

/** One letter of the content is another one. */
const changedAt = (index: number) => (bytes: Uint8Array) => {
  const changed = Buffer.from(bytes);
  const content = new EncodedCommit(changed).content(index)!;
  content[content.length - 2]! ^= 1;
  return changed;
};

t.test('given contents that were removed, then the audit names them, the broker leads, and outcomes stay', async (t) => {
  const { reprise, client, nc, ids } = await stage(t);
  const [greeted, failed, other] = ids as [JobId, JobId, JobId];
  const places = [await placeOf(reprise, greeted, 'JobSubmitted'), await placeOf(reprise, greeted, 'JobCompleted'), await placeOf(reprise, failed, 'JobFailed')];
  await rewrite(nc, reprise.ns, reprise.brokerUrl, new Map(places.map(({ seq, index }) => [seq, without(index)])));

  const [finding] = await verifyServer(reprise.brokerUrl, reprise.ns);
  const types = ['JobSubmitted', 'JobCompleted', 'JobFailed'];
  const removed = places.map(({ seq, index }, nth) => ({ seq, index, kind: 'job', id: nth < 2 ? greeted : failed, type: types[nth] }));
  t.match(finding, { ok: true, removed: 3, removedContents: removed, changed: 0, problem: undefined });
  t.equal(finding!.removedContents[0]!.bytes, JSON.stringify(PAYLOAD).length);

  const cwd = realpathSync(t.testdir());
  const flags = ['audit', 'verify', '--nats', reprise.brokerUrl, '--namespace', reprise.ns];
  const { code, stdout } = await run(flags, { cwd });
  t.equal(code, 0);
  t.match(stdout, /ok .*\n\s+contents removed: 3\n\s+\d+\.\d+ JobSubmitted \S+ \(\d+ bytes\)\n/);
  t.match(JSON.parse((await run([...flags, '--json'], { cwd })).stdout), { ok: true, partitions: [{ ok: true, removed: 3, removedContents: removed }] });

  await reprise.startBroker();
  t.match(await client.get({ jobId: greeted }), { status: 'completed' });
  t.match(await client.get({ jobId: failed }), { status: 'failed', failure: { code: 'PERFORMER_ERROR', message: '' } }, 'the code stays, the text is gone');
  t.match(await client.get({ jobId: other }), { status: 'completed', result: 'hello Anna' });
  const steps = new Steps(jobKind, greeted);
  const told: string[] = [];
  for await (const fact of history({ url: reprise.brokerUrl, ns: reprise.ns }, greeted)) told.push(stepJson(steps.next(fact)));
  t.match(JSON.parse(told[0]!), { event: 'JobSubmitted', after: 'ready', removedBytes: JSON.stringify(PAYLOAD).length, payload: undefined });
  t.match(JSON.parse(told.at(-1)!), { event: 'JobCompleted', after: 'completed', removedBytes: 12 });
  t.notOk(told.join().includes('complaint'));
});

t.test('given a content that was changed, then the audit names its position, and the journal is not read back from there', async (t) => {
  const { reprise, client, nc, ids } = await stage(t);
  const changed = await placeOf(reprise, ids[0]!, 'JobCompleted');
  const removed = await placeOf(reprise, ids[2]!, 'JobSubmitted');
  await rewrite(nc, reprise.ns, reprise.brokerUrl, new Map([[changed.seq, changedAt(changed.index)], [removed.seq, without(removed.index)]]));
  const [finding] = await verifyServer(reprise.brokerUrl, reprise.ns);
  t.match(finding, { ok: false, position: changed.seq, problem: new RegExp(`event ${changed.index} does not match its hash`), changed: 1, removed: 1 });
  const { code, stdout } = await run(['audit', 'verify', '--nats', reprise.brokerUrl, '--namespace', reprise.ns], { cwd: realpathSync(t.testdir()) });
  t.equal(code, 1);
  t.match(stdout, new RegExp(`bad .*position ${changed.seq}: the content of event ${changed.index} does not match.*\\n\\s+contents removed: 1\\n`));

  await reprise.startBroker();
  await t.rejects(client.get({ jobId: ids[0]! }), { code: 'JOURNAL_BROKEN', message: /does not match its hash/ }, 'it is not given out');
  const [alone] = await client.submit([{ type: 'greet', payload: 'Anna', queue: 'none' }]);
  t.match(alone, { status: 'ready' }, 'and everything else goes on');
  await t.rejects(placeOf(reprise, ids[0]!, 'JobCompleted'), { code: 'JOURNAL_BROKEN', cause: { position: changed.seq } });
  t.match(await eventually(() => client.get({ jobId: ids[2]! })), { status: 'completed', result: 'hello Anna' });
});

t.test('given payloads of waiting jobs that were removed or changed, then no worker gets those jobs, and the others are leased in the same pull', async (t) => {
  const { reprise, client, nc } = await stage(t);
  await reprise.startBroker();
  const ids: JobId[] = [];
  for (const n of [1, 2, 3]) {
    const [ready] = await client.submit([{ type: 'wait', payload: { n }, retry: { maxCrashes: 1 }, timeouts: { heartbeatMs: 1_000 } }]);
    ids.push(ready!.jobId as JobId);
  }
  const [removed, changed, whole] = ids as [JobId, JobId, JobId];
  const places = [await placeOf(reprise, removed, 'JobSubmitted'), await placeOf(reprise, changed, 'JobSubmitted')] as const;
  await reprise.stopBroker(reprise.brokers[0]!);
  await rewrite(nc, reprise.ns, reprise.brokerUrl, new Map([[places[0].seq, without(places[0].index)], [places[1].seq, changedAt(places[1].index)]]));

  await reprise.startBroker();
  const stranger = await Stranger.connect(reprise);
  t.teardown(() => stranger.close());
  const me = await stranger.register('w', { types: ['wait'], queues: ['default'], capacity: 10 });
  const { code, body } = await stranger.json('worker.pull', { ...me, pullSeq: 1, free: 10, expiresMs: 2_000 });
  t.equal(code, '');
  const leases = body['leases'] as { jobId: string; token: string; payload: unknown }[];
  t.match(leases, [{ jobId: whole, payload: { n: 3 } }]);
  t.equal(leases.length, 1);

  const reports = [{ token: leases[0]!.token, outcome: 'ok', result: 1 }];
  t.match(await stranger.json('worker.pull', { ...me, pullSeq: 2, free: 0, expiresMs: 0, reports }), { code: '', body: { leases: [] } }, 'nor by the next pull');
  t.match(await client.await({ jobId: whole }), { status: 'completed' });
  for (const jobId of [removed, changed]) t.match(await client.await({ jobId }), { status: 'failed', failure: { code: 'CRASH_LOOP' } }, 'its lease expires');
});
