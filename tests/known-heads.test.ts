/**
 * Foreign messages in a stream of Reprise neither prevent leadership nor displace anything. Every known head of a
 * journal counts, wherever it is known from.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import pino from 'pino';
import t, { type Test } from 'tap';
import { verifyServer } from '../audit/server.js';
import type { Partition } from '../protocols/ids.js';
import { streams, subjects } from '../protocols/subjects.js';
import { connectNats } from '../streams/connect.js';
import { openCheckpoints, openWitness } from '../streams/heads.js';
import { openJournal } from '../streams/jetstream.js';
import { ensureTopology } from '../streams/topology.js';
import { eventually, Reprise, within } from './broker.js';
import { Stranger } from './stranger.js';

const ZERO = 0 as Partition;
const MANY = 70;

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly where?: string;
  readonly messages?: number;
}

async function stage(t: Test) {
  const lines: Line[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line) as Line) });
  const reprise = await Reprise.start(t, { log });
  const client = await Stranger.connect(reprise);
  const nc = await connectNats({ url: reprise.brokerUrl, name: 'test', reconnect: true });
  t.teardown(async () => {
    await client.close();
    await nc.close();
  });
  const submit = async (commandId: string) => (await client.patient('job.submit', { type: 'x', commandId })).code;
  for (let n = 0; n < 20; n += 1) t.equal(await submit(`before-${n}`), '');
  return { reprise, client, nc, lines, submit, ns: reprise.ns };
}

const answered = JSON.stringify({ type: 'io.nats.jetstream.api.v1.account_info_response', memory: 0, storage: 0 });

t.test('given messages of strangers in every stream of ours, then the leader and the next one go on', async (t) => {
  const { reprise, nc, lines, submit, ns } = await stage(t);
  const places = {
    witness: subjects.witness(ns, ZERO),
    checkpoints: subjects.checkpoint(ns, ZERO, 'events'),
    leases: subjects.lease(ns, ZERO),
    journal: subjects.journal(ns, ZERO),
  };
  const strange = async (subject: string) => {
    for (let n = 0; n < MANY; n += 1) await nc.request(subject, n % 2 ? answered : '');
  };
  for (const where of ['witness', 'checkpoints', 'leases'] as const) await strange(places[where]);
  const [host] = reprise.brokers[0]!.hosts;
  const { epoch } = host!.leader!;
  for (let n = 0; n < 5; n += 1) t.equal(await submit(`amid-${n}`), '');
  t.equal(host!.leader?.epoch, epoch, 'the leader stays');
  await eventually(() => lines.some(({ where }) => where === 'leases'));
  await strange(places.journal);
  await reprise.stopBroker(reprise.brokers[0]!);
  for (const where of ['witness', 'checkpoints', 'leases'] as const) await strange(places[where]);
  await reprise.startBroker();
  t.equal(await submit('after'), '');
  for (const where of ['witness', 'checkpoints', 'leases']) {
    const isLogged = lines.some((line) => line.where === where && line.messages! >= MANY);
    t.ok(isLogged, `${where}: logged, with the number of messages`);
  }
  t.ok(lines.some(({ msg, messages }) => /strangers in the journal/.test(msg) && messages! >= MANY));
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  t.match(finding, { ok: true, foreign: MANY });
  t.ok(finding!.foreignHeads >= 2 * MANY && finding!.witnessed > 0);
});

/** Loses the last commits, so that their positions are used again: what is left is a valid chain. */
async function loseTail(nc: NatsConnection, reprise: Reprise, commits: number): Promise<number> {
  const { ns } = reprise;
  const read = async () => {
    const source = await openJournal({ url: reprise.brokerUrl, ns, partition: ZERO });
    const all: Uint8Array[] = [];
    for await (const { bytes } of source.replay(1)) all.push(bytes);
    await source.close();
    return all;
  };
  const all = await read();
  const jsm = await jetstreamManager(nc);
  await jsm.streams.delete(streams.journal(ns, ZERO));
  await ensureTopology(nc, ns, 1);
  for (const bytes of all.slice(0, -commits)) await nc.request(subjects.journal(ns, ZERO), bytes);
  return all.length - commits;
}

async function stopped(t: Test) {
  const staged = await stage(t);
  const { reprise, nc, ns } = staged;
  const journal = await openJournal({ url: reprise.brokerUrl, ns, partition: ZERO });
  const last = await journal.lastSeq();
  await journal.close();
  await eventually(async () => (await openCheckpoints(nc, ns).read(ZERO)).heads.at(-1)?.seq === last);
  await reprise.stopBroker(reprise.brokers[0]!);
  return { ...staged, last, jsm: await jetstreamManager(nc) };
}

t.test('given a lost tail and an emptied witness, then no broker leads, and the audit fails', async (t) => {
  const { reprise, client, nc, ns, jsm, last } = await stopped(t);
  const kept = await loseTail(nc, reprise, 5);
  await jsm.streams.purge(streams.witness(ns));
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  t.match(finding, {
    ok: false,
    position: kept + 1,
    problem: new RegExp(`the checkpoint of events knows a commit at ${last}`),
    vouchers: [{ from: 'the checkpoint of events', seq: last }],
  });
  void reprise.startBroker().catch(() => undefined);
  const halted = await eventually(() => reprise.brokers[0]?.hosts[0]?.halted);
  t.match(halted, { code: 'JOURNAL_REGRESSED', message: /which the checkpoint of events knows/ });
  t.equal((await client.json('job.submit', { type: 'x' })).code, 'JOURNAL_REGRESSED');
});

t.test('given an emptied witness, then the partition is led with an alarm, and the audit fails', async (t) => {
  const { reprise, nc, lines, ns, jsm, last, submit } = await stopped(t);
  await jsm.streams.purge(streams.witness(ns));
  const [checked] = await verifyServer(reprise.brokerUrl, ns);
  const problem = new RegExp(`the witness knows no head.*the checkpoint of events vouches to ${last}`);
  t.match(checked, { ok: false, position: undefined, problem });
  await jsm.streams.purge(`KV_${streams.checkpoints(ns)}`);
  const [unvouched] = await verifyServer(reprise.brokerUrl, ns);
  t.match(unvouched, { ok: false, problem: /nothing vouches for it/, vouchers: [] });
  await reprise.startBroker();
  t.equal(await submit('on'), '', 'a restore or an upgrade needs no manual step');
  t.ok(lines.some(({ level, msg }) => level === 40 && /the witness knows no head/.test(msg)));
  await eventually(async () => (await openWitness(nc, ns).read(ZERO)).heads.length > 0);
  t.match((await verifyServer(reprise.brokerUrl, ns))[0], { ok: true, vouchers: [{ from: 'the witness' }] });
});

t.test('given neither checkpoints nor a witness, then the audit says that they cannot be read', async (t) => {
  const { reprise, ns, jsm } = await stopped(t);
  await jsm.streams.delete(streams.witness(ns));
  await jsm.streams.delete(`KV_${streams.checkpoints(ns)}`);
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  t.match(finding, { ok: false, problem: /the witness cannot be read.*the checkpoints cannot be read/ });
  await within(reprise.startBroker(), 15_000, 'the broker did not start');
});
