/**
 * Facts across a take-over: nothing that lies before the checkpoint is published again, only what the last second left
 * uncertain comes twice, and whoever drops what is not later than the last fact sees every fact once and in order.
 */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { subjects } from '../protocols/subjects.js';
import { connectClient } from '../sdk/client.js';
import { FactOrder } from '../sdk/watch.js';
import { connectNats } from '../streams/connect.js';
import { checkpointOf, openCheckpoints } from '../streams/heads.js';
import { openJournal } from '../streams/jetstream.js';
import { eventually, Reprise } from './broker.js';
import { leaderOf } from './processes.js';
import { type Me, Stranger } from './stranger.js';
import { Submitter } from './submitter.js';

const ZERO = 0 as Partition;
const JOBS = 3_000;
/** The checkpoint is written once a second; a busy machine writes it later. */
const UNCERTAIN_MS = 2_500;

const keyOf = ({ epoch, seq, index }: journal.Fact): string => `${epoch} ${seq} ${index}`;

async function stage(t: Test) {
  const reprise = await Reprise.start(t, { brokers: 0 });
  const brokers = [await reprise.startChild(), await reprise.startChild()];
  const client = await Stranger.connect(reprise);
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: true });
  t.teardown(async () => {
    await client.close();
    await nc.close();
  });
  const facts: journal.Fact[] = [];
  nc.subscribe(subjects.events(reprise.ns, 'job'), { callback: (_, { data }) => void facts.push(journal.Fact.decode(data) as journal.Fact) });
  await nc.flush();
  const checkpoint = async (): Promise<number> => checkpointOf((await openCheckpoints(nc, reprise.ns).read(ZERO)).heads, 'events')?.seq ?? 0;
  return { reprise, brokers, client, facts, checkpoint };
}

/** Every fact about jobs that the journal holds, in its order. */
async function committed(reprise: Reprise): Promise<{ key: string; nowMs: number }[]> {
  const source = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: ZERO });
  const found: { key: string; nowMs: number }[] = [];
  for await (const { seq, bytes } of source.replay(1)) {
    const { epoch, nowMs, events } = journal.Commit.decode(bytes);
    for (const [index, { kind }] of events.entries()) if (kind === 'job') found.push({ key: `${epoch} ${seq} ${index}`, nowMs });
  }
  await source.close();
  return found;
}

async function submit(client: Stranger, jobs: number): Promise<void> {
  for (let n = 0; n < jobs; n += 500) {
    const { code } = await client.json('job.submit', { jobs: Array.from({ length: Math.min(500, jobs - n) }, () => ({ type: 'x' })) });
    if (code !== '') throw new Error(code);
  }
}

t.test('a standby that takes over from a killed leader publishes nothing from before the checkpoint', async (t) => {
  const { reprise, brokers, client, facts, checkpoint } = await stage(t);
  await submit(client, JOBS);
  await eventually(() => facts.length === JOBS);
  const last = facts.at(-1)!.seq;
  await eventually(async () => (await checkpoint()) >= last);
  await (await eventually(() => leaderOf(client, brokers))).kill();
  t.equal((await client.patient('job.submit', { type: 'x', commandId: 'after' })).code, '', 'the standby leads');
  await eventually(() => facts.at(-1)!.epoch > facts[0]!.epoch);
  await wait(300);
  t.equal(facts.length, JOBS + 1, 'every fact came once');
  t.same(facts.map(keyOf), (await committed(reprise)).map(({ key }) => key), 'in the order of the journal');
});

for (const [how, disturb] of [['killed', 'SIGKILL'], ['paused and wakes up later', 'SIGSTOP']] as const) {
  t.test(`given a leader that is ${how} under load, then a watcher gets every fact, once and in order`, async (t) => {
    const { reprise, brokers, client, facts } = await stage(t);
    const submitter = new Submitter(client, { type: 'x' });
    t.teardown(async () => submitter.abandon());
    submitter.start(2_000);
    await eventually(() => facts.length > JOBS);
    const leader = await eventually(() => leaderOf(client, brokers));
    const disturbedMs = Date.now();
    leader.signal(disturb);
    await wait(3_000);
    leader.signal('SIGCONT');
    await wait(1_000);
    await submitter.finish(20_000);
    const all = await committed(reprise);
    await eventually(() => keyOf(facts.at(-1)!) === all.at(-1)!.key);

    const order = new FactOrder();
    t.same(facts.filter((fact) => order.isLater(fact)).map(keyOf), all.map(({ key }) => key), 'whoever drops what is not later has them all');
    const seen = new Set<string>();
    const again = facts.filter((fact) => seen.has(keyOf(fact)) || (seen.add(keyOf(fact)), false));
    t.comment(`${facts.length} facts, ${again.length} of them twice`);
    t.ok(again.every(({ nowMs }) => nowMs > disturbedMs - UNCERTAIN_MS), 'only what was committed just before comes twice');
    t.ok(Math.max(...facts.map(({ epoch }) => epoch)) > 1, 'another broker leads');
  });
}

t.test('a job that is watched while its leader pauses is told in order', async (t) => {
  const { reprise, brokers, client } = await stage(t);
  const watcher = await connectClient({ url: reprise.url, namespace: reprise.ns, giveUpMs: 30_000 });
  t.teardown(() => watcher.close());
  const [job] = await watcher.submit([{ type: 'again', retry: { maxAttempts: 1_000, backoff: { initialMs: 1, factor: 1, jitter: 0 } } }]);
  const told: journal.Fact[] = [];
  const watching = (async () => {
    for await (const seen of watcher.watch(job!.jobId)) if (seen.kind === 'fact') told.push(seen.fact);
  })();
  const worker = new Again(client);
  const working = worker.run();
  await eventually(() => told.length > 100);
  const leader = await eventually(() => leaderOf(client, brokers));
  leader.signal('SIGSTOP');
  await wait(2_500);
  leader.signal('SIGCONT');
  await eventually(() => told.at(-1)!.epoch > told[0]!.epoch, 20_000);
  const before = told.length;
  await eventually(() => told.length > before + 50, 20_000);
  worker.stop();
  await working;
  await client.patient('job.cancel', { jobId: job!.jobId, commandId: 'end' });
  await watching;

  const all = (await committed(reprise)).map(({ key }) => key);
  const first = all.indexOf(keyOf(told[0]!));
  t.same(told.map(keyOf), all.slice(first, first + told.length), 'nothing twice, nothing older, nothing left out');
});

/** A worker that asks for another attempt each time. */
class Again {
  private stopped = false;
  private me: Me | undefined;

  constructor(private readonly client: Stranger) {}

  stop(): void {
    this.stopped = true;
  }

  async run(): Promise<void> {
    let reports: object[] = [];
    await this.register();
    for (let pullSeq = 1; !this.stopped || reports.length > 0; pullSeq += 1) {
      const answer = await this.client.json('worker.pull', { ...this.me, pullSeq, free: this.stopped ? 0 : 1, expiresMs: 500, reports }, 1_500).catch(() => undefined);
      if (answer?.code === 'UNKNOWN_WORKER') await this.register();
      if (answer?.code !== '') await wait(20);
      else reports = (answer.body['leases'] as { token: string }[]).map(({ token }) => ({ token, outcome: 'retry', failure: { code: 'AGAIN', message: '' }, retryAfterMs: 1 }));
    }
  }

  private async register(): Promise<void> {
    const { session, proof } = this.me ?? {};
    this.me = await this.client.register('again', { session, proof, types: ['again'], capacity: 1 });
  }
}
