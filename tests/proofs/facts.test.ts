/**
 * Facts across a take-over. Nothing before the checkpoint is published again; only facts of about the last second may
 * be published twice; a watcher that drops what is not later than its last fact sees every fact once and in order.
 */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import { subjects } from '../../protocols/subjects.js';
import { connectClient } from '../../sdk/client.js';
import { FactOrder } from '../../sdk/watch.js';
import { connectNats } from '../../streams/connect.js';
import { checkpointOf, openCheckpoints } from '../../streams/heads.js';
import { openJournal } from '../../streams/jetstream.js';
import { eventually, Reprise } from '../broker.js';
import { leaderOf } from '../processes.js';
import { type Me, Stranger } from '../stranger.js';
import { Submitter } from '../submitter.js';

const ZERO = 0 as Partition;
const JOBS = 3_000;
/** The checkpoint is written once per second, on a busy machine later. */
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
  nc.subscribe(subjects.events(reprise.ns, 'job'), {
    callback: (_, { data }) => void facts.push(journal.Fact.decode(data) as journal.Fact),
  });
  await nc.flush();
  const checkpoint = async (): Promise<number> => {
    const { heads } = await openCheckpoints(nc, reprise.ns).read(ZERO);
    return checkpointOf(heads, 'events')?.seq ?? 0;
  };
  return { reprise, brokers, client, facts, checkpoint };
}

/** Every fact about jobs in the journal, in its order. */
async function committed(reprise: Reprise): Promise<{ key: string; nowMs: number }[]> {
  const source = await openJournal({ url: reprise.brokerUrl, ns: reprise.ns, partition: ZERO });
  const found: { key: string; nowMs: number }[] = [];
  for await (const { seq, bytes } of source.replay(1)) {
    const { epoch, nowMs, events } = journal.Commit.decode(bytes);
    for (const [index, { kind }] of events.entries()) {
      if (kind === 'job') found.push({ key: `${epoch} ${seq} ${index}`, nowMs });
    }
  }
  await source.close();
  return found;
}

async function submit(client: Stranger, jobs: number): Promise<void> {
  for (let n = 0; n < jobs; n += 500) {
    const batch = Array.from({ length: Math.min(500, jobs - n) }, () => ({ type: 'x' }));
    const { code } = await client.json('job.submit', { jobs: batch });
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
  t.equal(facts.length, JOBS + 1, 'every fact is published once');
  t.same(facts.map(keyOf), (await committed(reprise)).map(({ key }) => key), 'in the order of the journal');
});

for (const [how, disturb] of [['killed', 'SIGKILL'], ['suspended and resumed', 'SIGSTOP']] as const) {
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
    const later = facts.filter((fact) => order.isLater(fact)).map(keyOf);
    t.same(later, all.map(({ key }) => key), 'a watcher that drops what is not later gets all of them');
    const seen = new Set<string>();
    const again = facts.filter((fact) => seen.has(keyOf(fact)) || (seen.add(keyOf(fact)), false));
    t.comment(`${facts.length} facts, ${again.length} of them twice`);
    const areRecent = again.every(({ nowMs }) => nowMs > disturbedMs - UNCERTAIN_MS);
    t.ok(areRecent, 'only what was committed just before is published twice');
    t.ok(Math.max(...facts.map(({ epoch }) => epoch)) > 1, 'another broker leads');
  });
}

t.test('a watcher gets the facts of a job in order while its leader is suspended', async (t) => {
  const { reprise, brokers, client } = await stage(t);
  const watcher = await connectClient({ url: reprise.url, namespace: reprise.ns, giveUpMs: 30_000 });
  t.teardown(() => watcher.close());
  const retry = { maxAttempts: 1_000, backoff: { initialMs: 1, factor: 1, jitter: 0 } };
  const [job] = await watcher.submit([{ type: 'again', retry }]);
  const watched: journal.Fact[] = [];
  const watching = (async () => {
    for await (const seen of watcher.watch(job!.jobId)) if (seen.kind === 'fact') watched.push(seen.fact);
  })();
  const worker = new Again(client);
  const working = worker.run();
  await eventually(() => watched.length > 100);
  const leader = await eventually(() => leaderOf(client, brokers));
  leader.signal('SIGSTOP');
  await wait(2_500);
  leader.signal('SIGCONT');
  await eventually(() => watched.at(-1)!.epoch > watched[0]!.epoch, 20_000);
  const before = watched.length;
  await eventually(() => watched.length > before + 50, 20_000);
  worker.stop();
  await working;
  await client.patient('job.cancel', { jobId: job!.jobId, commandId: 'end' });
  await watching;

  const all = (await committed(reprise)).map(({ key }) => key);
  const first = all.indexOf(keyOf(watched[0]!));
  t.same(watched.map(keyOf), all.slice(first, first + watched.length), 'no fact is repeated, out of order or missing');
});

const RETRY = { outcome: 'retry', failure: { code: 'AGAIN', message: '' }, retryAfterMs: 1 };

/** A worker that reports every attempt as to be retried. */
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
      const pull = { ...this.me, pullSeq, free: this.stopped ? 0 : 1, expiresMs: 500, reports };
      const answer = await this.client.json('worker.pull', pull, 1_500).catch(() => undefined);
      if (answer?.code === 'UNKNOWN_WORKER') await this.register();
      if (answer?.code !== '') await wait(20);
      else reports = (answer.body['leases'] as { token: string }[]).map(({ token }) => ({ ...RETRY, token }));
    }
  }

  private async register(): Promise<void> {
    const { session, proof } = this.me ?? {};
    this.me = await this.client.register('again', { session, proof, types: ['again'], capacity: 1 });
  }
}
