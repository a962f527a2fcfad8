/**
 * Messages that are not ours displace nothing and prevent no leadership, in whichever stream they are. Every known head
 * counts, whether it comes from the witness, from a checkpoint or from the broker's memory.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import pino from 'pino';
import t, { type Test } from 'tap';
import { verifyServer } from '../../audit/server.js';
import type { Partition } from '../../protocols/ids.js';
import { streams, subjects } from '../../protocols/subjects.js';
import { connectNats } from '../../streams/connect.js';
import { openCheckpoints, openWitness } from '../../streams/heads.js';
import { openJournal } from '../../streams/jetstream.js';
import { ensureTopology } from '../../streams/topology.js';
import { eventually, Reprise, within } from '../broker.js';
import { Stranger } from '../stranger.js';

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

/** A reply of the server, which an ordinary user of version 0.1.0 could direct into our streams. */
const apiReply = JSON.stringify({ type: 'io.nats.jetstream.api.v1.account_info_response', memory: 0, storage: 0 });

t.test('given messages that are not ours in every stream, then the leader stays, and another starts', async (t) => {
  const { reprise, nc, lines, submit, ns } = await stage(t);
  const places = {
    witness: subjects.witness(ns, ZERO),
    checkpoints: subjects.checkpoint(ns, ZERO, 'events'),
    leadership: subjects.leadership(ns, ZERO),
    journal: subjects.journal(ns, ZERO),
  };
  const writeForeign = async (subject: string) => {
    for (let n = 0; n < MANY; n += 1) await nc.request(subject, n % 2 ? apiReply : '');
  };
  for (const where of ['witness', 'checkpoints', 'leadership'] as const) await writeForeign(places[where]);
  const [host] = reprise.brokers[0]!.hosts;
  const { epoch } = host!.leader!;
  for (let n = 0; n < 5; n += 1) t.equal(await submit(`amid-${n}`), '');
  t.equal(host!.leader?.epoch, epoch, 'the leader was not deposed');
  await eventually(() => lines.some(({ where }) => where === 'leadership'));
  await writeForeign(places.journal);
  await reprise.stopBroker(reprise.brokers[0]!);
  for (const where of ['witness', 'checkpoints', 'leadership'] as const) await writeForeign(places[where]);
  await reprise.startBroker();
  t.equal(await submit('after'), '');
  for (const where of ['witness', 'checkpoints', 'leadership']) {
    t.ok(lines.some((line) => line.where === where && line.messages! >= MANY), `${where}: their number is logged`);
  }
  t.ok(lines.some(({ msg, messages }) => /in the journal are skipped/.test(msg) && messages! >= MANY));
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  t.match(finding, { ok: true, foreign: MANY });
  t.ok(finding!.foreignHeads >= 2 * MANY && finding!.witnessed > 0);
});

/** Removes the last commits, so that their positions are used again: what is left is a valid chain. */
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

t.test('given a lost tail and an emptied witness, then a checkpoint shows it, and no broker leads', async (t) => {
  const { reprise, client, nc, ns, jsm, last } = await stopped(t);
  const kept = await loseTail(nc, reprise, 5);
  await jsm.streams.purge(streams.witness(ns));
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  const from = 'the checkpoint of events';
  const problem = new RegExp(`${from} knows a commit at ${last}`);
  t.match(finding, { ok: false, position: kept + 1, problem, knownHeads: [{ from, seq: last }] });
  void reprise.startBroker().catch(() => undefined);
  const halted = await eventually(() => reprise.brokers[0]?.hosts[0]?.halted);
  t.match(halted, { code: 'JOURNAL_REGRESSED', message: /which the checkpoint of events knows/ });
  t.equal((await client.json('job.submit', { type: 'x' })).code, 'JOURNAL_REGRESSED');
});

t.test('given an emptied witness, then a broker leads and warns, and the audit is not ok', async (t) => {
  const { reprise, nc, lines, ns, jsm, last, submit } = await stopped(t);
  await jsm.streams.purge(streams.witness(ns));
  const [checked] = await verifyServer(reprise.brokerUrl, ns);
  const problem = new RegExp(`the witness knows no head.*the checkpoint of events knows up to position ${last}`);
  t.match(checked, { ok: false, position: undefined, problem });
  await jsm.streams.purge(`KV_${streams.checkpoints(ns)}`);
  const [unconfirmed] = await verifyServer(reprise.brokerUrl, ns);
  t.match(unconfirmed, { ok: false, problem: /no known head confirms it/, knownHeads: [] });
  await reprise.startBroker();
  t.equal(await submit('on'), '', 'so a restore or an upgrade needs no extra step');
  t.ok(lines.some(({ level, msg }) => level === 40 && /the witness knows no head/.test(msg)));
  await eventually(async () => (await openWitness(nc, ns).read(ZERO)).heads.length > 0);
  t.match((await verifyServer(reprise.brokerUrl, ns))[0], { ok: true, knownHeads: [{ from: 'the witness' }] });
});

t.test('given neither stream of heads, then the audit says that they cannot be read', async (t) => {
  const { reprise, ns, jsm } = await stopped(t);
  await jsm.streams.delete(streams.witness(ns));
  await jsm.streams.delete(`KV_${streams.checkpoints(ns)}`);
  const [finding] = await verifyServer(reprise.brokerUrl, ns);
  t.match(finding, { ok: false, problem: /the witness cannot be read.*the checkpoints cannot be read/ });
  await within(reprise.startBroker(), 15_000, 'the broker did not start');
});
