/**
 * Brokers of release 0.3.0 and of this build take turns on one server, until this build writes something that the old
 * one cannot read. There the old one halts, with the reason in its log and in its refusals, and the new one goes on.
 * Run by `npm run test:old-build`, and not with the other tests: it needs the history, and builds the old release.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { message, type ReplyReceiver } from '../../actors/reply.js';
import { verifyServer } from '../../audit/server.js';
import { startBroker, type Broker } from '../../gateways/nats/broker.js';
import type { Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import { connectClient, type Client } from '../../sdk/client.js';
import { Chain } from '../../streams/chain.js';
import { openJournal } from '../../streams/jetstream.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { eventually, NAMESPACE, quiet, within } from '../broker.js';
import { KINDS_WITH_NEWER, newerKind, startSilent } from '../counter/newer.js';
import { buildOld, isInHistory, OldBroker, type OldBuild } from './old-build.js';

/** The last commit of release 0.3.0. */
const OLD = { commit: 'f80d27baa8e7902458e8893c90420d266e7e36c3', version: '0.3.0' };
const [NEW_VERSION, P0] = ['9.8.7', 0 as Partition];

class Turns {
  /** Ids of the jobs so far. */
  readonly jobs: string[] = [];

  private constructor(
    private readonly t: Test,
    readonly server: RunningServer,
    private readonly old: OldBuild,
  ) {}

  static async begin(t: Test, old: OldBuild): Promise<Turns> {
    const dataDir = await mkdtemp(join(tmpdir(), 'reprise-turns-'));
    const server = await startServer({ dataDir });
    t.teardown(async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    return new Turns(t, server, old);
  }

  startOld(): OldBroker {
    const broker = OldBroker.start(this.old, this.server.brokerUrl, NAMESPACE);
    this.t.teardown(() => broker.kill());
    return broker;
  }

  async startNew(): Promise<Broker> {
    const broker = await startBroker({
      url: this.server.brokerUrl, namespace: NAMESPACE, partitions: 1, version: NEW_VERSION, log: quiet,
      kinds: KINDS_WITH_NEWER,
    });
    this.t.teardown(() => broker.stop());
    return broker;
  }

  async client(giveUpMs = 15_000, gather = true): Promise<Client> {
    const client = await connectClient({ url: this.server.url, namespace: NAMESPACE, giveUpMs, gather });
    this.t.teardown(() => client.close());
    return client;
  }

  /** Submits a job, and gets all that there are. */
  async work(who: string): Promise<void> {
    const client = await this.client();
    const [submitted] = await client.submit([{ type: 'turn', payload: who, key: `${who}-${this.jobs.length}` }]);
    this.t.equal(submitted?.error, undefined, `${who} takes a job`);
    this.jobs.push(submitted!.jobId!);
    const statuses: string[] = [];
    for (const jobId of this.jobs) statuses.push((await client.get({ jobId })).status);
    this.t.ok(statuses.every((status) => status === 'ready'), `${who} has all ${statuses.length}`);
  }

  /**
   * Whichever broker takes the request. A halted one of 0.3.0 refuses until it looks who leads, every 5 s, and passes
   * requests on from then.
   */
  async isServed(): Promise<boolean> {
    // Each request by itself: a bundle is taken by one of the brokers.
    const client = await this.client(undefined, false);
    const jobId = this.jobs[0]!;
    const asked = await Promise.allSettled(Array.from({ length: 30 }, () => client.get({ jobId })));
    await client.close();
    return asked.every(({ status }) => status === 'fulfilled');
  }

  /** Of each commit the version of its envelope, what it needs, and the types of its events. */
  async story(): Promise<[number, number, string][]> {
    const source = await openJournal({ url: this.server.brokerUrl, ns: NAMESPACE, partition: P0 });
    const chain = new Chain(P0);
    const story: [number, number, string][] = [];
    for await (const stored of source.replay(1)) {
      const accepted = chain.accept(stored);
      if (accepted.kind === 'foreign') throw new Error(accepted.why);
      const { version, minReader, events } = accepted.commit;
      story.push([version, minReader, events.map(named).join(' ')]);
    }
    await source.close();
    return story;
  }
}

/** The type of an event; of a barrier also the release that wrote it. */
const named = ({ type, body }: journal.Event.$Properties): string =>
  type === 'VersionBarrier' ? `${type} of ${journal.VersionBarrier.decode(body!).release}` : type!;

const leading = (broker: Broker) => eventually(() => broker.hosts[P0]!.leader, 15_000);
const halted = (broker: OldBroker) => eventually(() => broker.logged('the partition has halted'), 20_000);

async function writeSomethingNew(broker: Broker): Promise<void> {
  const leader = await leading(broker);
  await within(new Promise<void>((resolve, reject) => {
    const reply: ReplyReceiver['reply'] = ({ refused }) =>
      refused ? reject(new Error(`${refused.code}: ${refused.message}`)) : resolve();
    const to: ReplyReceiver = { replyTo: 'replyTo', reply };
    leader.decide(to, (step) => {
      step.makeRoom();
      startSilent(step, newerKind, 'new');
      step.answer(to, () => message({}), undefined);
    });
  }), 5_000, 'the new event was not written');
}

async function takeTurns(t: Test, turns: Turns): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    const old = turns.startOld();
    await eventually(() => old.logged('leading'), 20_000);
    await turns.work('the old build');
    await old.stop();
    const broker = await turns.startNew();
    await leading(broker);
    await turns.work('the new build');
    await broker.stop();
  }
  const turn = [[1, 2, 'LeaderStarted'], [2, 2, 'JobSubmitted']];
  t.strictSame(await turns.story(), [...turn, ...turn, ...turn, ...turn], 'nothing of it is new to the old build');
}

async function haltTheOld(t: Test, turns: Turns): Promise<void> {
  const broker = await turns.startNew();
  await leading(broker);
  const old = turns.startOld();
  await eventually(() => old.logged('ready'), 20_000);
  await writeSomethingNew(broker);
  await turns.work('the new build');
  await broker.stop();

  const why = await halted(old);
  const needs = /needs a reader of version 3; this one is 2/;
  t.match(why, { level: 'fatal', code: 'JOURNAL_TOO_NEW', hint: 'Upgrade Reprise.', err: { message: needs } });
  t.comment(`${why.msg}: ${why.err?.message} ${why.hint}`);
  const client = await turns.client(1_000);
  const answers = await client.submit([{ type: 'turn' }]).catch((error: unknown) => [{ error }]);
  t.match(answers, [{ error: { code: 'JOURNAL_TOO_NEW', message: needs } }], 'it refuses jobs with the same reason');
  t.equal(old.log.filter(({ msg }) => msg === 'leading').length, 0, 'it has not led');

  const startedMs = performance.now();
  const next = await turns.startNew();
  await leading(next);
  const afterMs = (): string => `after ${Math.round(performance.now() - startedMs)} ms, beside the halted one`;
  t.comment(`the new build leads ${afterMs()}`);
  await eventually(() => turns.isServed(), 15_000);
  t.comment(`every request is served ${afterMs()}`);
  await turns.work('the new build');
  t.ok(old.isRunning, 'while the old one is there');
}

if (!(await isInHistory(OLD.commit))) {
  t.plan(0, `the commit ${OLD.commit} of release ${OLD.version} is not in this clone: use one with the whole history`);
} else {
  t.setTimeout(120_000);
  const startedMs = performance.now();
  const old = await buildOld(OLD.commit, OLD.version);
  t.teardown(() => old.remove());
  t.comment(`release ${OLD.version} was built in ${Math.round(performance.now() - startedMs)} ms`);

  t.test('both builds take turns until something new is written; there the old one halts', async (t) => {
    const turns = await Turns.begin(t, old);
    await takeTurns(t, turns);
    const before = (await turns.story()).length;
    await haltTheOld(t, turns);
    const story = (await turns.story()).slice(before);
    t.strictSame(story.filter(([, , types]) => types !== 'JobSubmitted'), [
      [1, 2, 'LeaderStarted'], [2, 3, `VersionBarrier of ${NEW_VERSION} CounterStarted`], [1, 3, 'LeaderStarted'],
    ], 'one barrier, and every later epoch begins where an old broker halts');
    const findings = await verifyServer(turns.server.brokerUrl, NAMESPACE);
    t.match(findings, [{ ok: true, problem: undefined }], 'audit verify');
  });
}
