/** What a destination makes of commands that are broken, too many, too large or not for it. */
import pino from 'pino';
import t from 'tap';
import type { Deliverable, Deliverables } from '../../actors/delivery.js';
import type { ReplyTo } from '../../actors/reply.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { COMMANDS } from '../../actors/commands.js';
import { deliverables as received } from '../../gateways/deliverables.js';
import { DELIVERY_COMMANDS, receive, type Delivery } from '../../partition/core/deliveries.js';
import { MOST_BODY_BYTES, type Refusal } from '../../partition/core/outbox.js';

import { viewOf } from '../../partition/core/state.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { job, outbox } from '../../protocols/messages.js';
import { decodeCommit } from '../../streams/contents.js';
import { ThreeLeaders } from './conformance/leaders.js';
import { memoryRig } from './conformance/rigs.js';
import { counterKind, startCounter } from './counter.js';
import { deliverables, REFUSED, ThreePartitions } from './world.js';
import { QUEUES } from './cast.js';

const [P0, P1] = [0, 1] as [Partition, Partition];
const submit = deliverables.get('job.submit')!;

const delivery = (texts: readonly string[], of: Partial<Delivery> = {}): Delivery => ({
  origin: 'j0', from: P0, firstSeq: 1, ...of,
  commands: texts.map((text) => ({ command: 'job.submit', body: Buffer.from(text), by: 'counter/c' })),
});

/** Keys of the jobs of partition 1. */
const keysOf = ({ parts }: ThreePartitions): string[] => [...parts[P1]!.core.read(jobKind).all()].map(({ key }) => key);

const ORIGIN: ReplyTo = { replyTo: 'replyTo' };
const SUBMIT = { command: 'job.submit', by: 'counter/c' };
/** As brokers receive it. */
const REAL = received(COMMANDS, 3).get('job.submit')!;
const ONE = { type: 'square', queue: QUEUES[P1]! };
const submitJobs = (jobs: job.SubmitJob.$Properties[]): Uint8Array => job.SubmitJobs.encode({ jobs }).finish();

/** What is left of a new partition when it has received it. */
function receivedBy(as: Deliverable, of: Delivery): ThreePartitions['parts'][number] {
  const part = new ThreePartitions().parts[P1]!;
  const receiving = { deliverables: new Map([['job.submit', as]]), broken: new Map() };
  part.step(() => receive(part.core, of, receiving, ORIGIN));
  const before = JSON.stringify(viewOf(part.core.state));
  part.changeLeader();
  if (JSON.stringify(viewOf(part.core.state)) !== before) throw new Error('it folds to another state');
  return part;
}

t.test('given a command that breaks its leader, then it is refused the next time and holds nothing up', async (t) => {
  const lines: { level: number; why?: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const breaking = (breaks: Deliverable['decide']): Deliverables => new Map([['job.submit', {
    ...submit,
    decide(step, body, sender) {
      if (Buffer.from(body).toString().endsWith('c-3')) breaks(step, body, sender);
      else submit.decide(step, body, sender);
    },
  }]]);
  const table: [string, Deliverable['decide'], RegExp][] = [
    ['it throws', () => { throw new Error('no such thing'); }, /no such thing/],
    ['it makes too many events', (step, body, sender) => {
      for (let nth = 0; nth < 6; nth += 1) {
        submit.decide(step, Buffer.from(`${String(body)}-${nth}`), { ...sender, seq: 1_000 + nth });
      }
    }, /more events than it made room for/],
    ['it writes too many bytes', (step) => {
      const sent = { to: P0, command: 'job.submit', body: new Uint8Array(100_000) };
      step.send(sent, { kind: 'counter', id: 'c' }, { commandId: '', type: 'Test', by: '' });
    }, /bytes more than it made room for/],
    ['it leads where the chart does not', (step) => {
      startCounter(step, 'x', { to: P0, everyMs: 3_600_000, times: 1 });
      startCounter(step, 'x', { to: P0, everyMs: 3_600_000, times: 1 });
    }, /the chart leads to no status/],
  ];
  for (const [says, breaks, why] of table) {
    const leaders = new ThreeLeaders(await memoryRig(), { deliverables: breaking(breaks), log });
    await Promise.all([P0, P1].map((partition) => leaders.leading(partition)));
    await leaders.decide(P0, (step, to) => startCounter(step, 'c', { to: P1, everyMs: 1, times: 5 }, to));
    while ((await leaders.leading(P0)).read(counterKind).get('c')?.status !== 'ended') await leaders.committed(P0);
    const counter = (await leaders.leading(P0)).read(counterKind).get('c');
    t.match(counter, { accepted: 3, refused: ['UNSUPPORTED', 'UNSUPPORTED'] }, says);
    const keys = [...(await leaders.leading(P1)).read(jobKind).all()].map(({ key }) => key);
    t.strictSame(keys, ['c-2', 'c-4', 'c-5'], 'nothing of it is recorded');
    const said = lines.splice(0).filter((line) => why.test(line.why ?? ''));
    t.equal(said.length, 1, 'it is logged once');
    t.match(said[0]?.why, /command job.submit of counter\/c, number 3 from partition 0, could not be decided/);
    await leaders.stop();
  }
});

t.test('given a partition that does not exist, then commands to it are recorded as refused', async (t) => {
  const leaders = new ThreeLeaders(await memoryRig());
  t.teardown(() => leaders.stop());
  const to = 7 as Partition;
  await leaders.decide(P0, (step, replyTo) => startCounter(step, 'c', { to, everyMs: 1, times: 2 }, replyTo));
  while ((await leaders.leading(P0)).read(counterKind).get('c')?.status !== 'ended') await leaders.committed(P0);
  t.match((await leaders.leading(P0)).read(counterKind).get('c'), { refused: ['WRONG_PARTITION', 'WRONG_PARTITION'] });
});

t.test('given an origin whose journal was made anew, then its commands count from one', (t) => {
  const world = new ThreePartitions();
  t.match(world.receive(P1, delivery(['default a', 'default b'])), { receivedSeq: 2 });
  t.match(world.receive(P1, delivery(['default c'], { origin: 'another' })), { receivedSeq: 1 });
  t.strictSame(keysOf(world), ['a', 'b', 'c']);
  t.end();
});

t.test('given commands after a gap, then none is done and the reply says how far it came', (t) => {
  const world = new ThreePartitions();
  t.match(world.receive(P1, delivery(['default c'], { firstSeq: 3 })), { receivedSeq: 0 });
  t.strictSame(keysOf(world), []);
  t.end();
});

t.test('given a command of a newer version, then it is refused and the next one is done', (t) => {
  const world = new ThreePartitions();
  const { commands: [known], ...rest } = delivery(['default a']);
  const reply = world.receive(P1, { ...rest, commands: [{ ...known!, command: 'job.later' }, known!] });
  const message = 'this version receives no command job.later';
  t.strictSame(reply, { receivedSeq: 2, refused: [{ seq: 1, code: 'UNSUPPORTED', message }] });
  t.strictSame(keysOf(world), ['a']);
  t.end();
});

t.test('however many come and are refused, so many are remembered as fit into one request', (t) => {
  const world = new ThreePartitions();
  const texts = Array.from({ length: 3 * DELIVERY_COMMANDS }, (_, nth) => `${REFUSED} ${nth}`);
  let firstSeq = 1;
  for (let round = 1; round <= 3; round += 1) {
    const reply = world.receive(P1, delivery(texts.slice(firstSeq - 1), { firstSeq }));
    t.equal(reply?.receivedSeq, round * DELIVERY_COMMANDS, 'the rest is left for the next request');
    t.equal(world.parts[P1]!.core.state.outbox.refused('j0').length, DELIVERY_COMMANDS);
    firstSeq = reply!.receivedSeq + 1;
  }
  t.end();
});

t.test('given a long refusal that is cut within a character, then it can be read and folds to the same state', (t) => {
  const message = `${'x'.repeat(511)}\u{1f600}`;
  const long: Deliverable = { decide: (step) => step.refuse(ORIGIN, { code: 'UNSUPPORTED', message }) };
  const { core } = receivedBy(long, delivery(['']));
  const refused = core.state.outbox.refused('j0') as Refusal[];
  t.equal(refused[0]?.message, `${'x'.repeat(511)}\ufffd`);
  const reply = outbox.DeliveryReply.encode({ receivedSeq: 1, refused }).finish();
  t.match(outbox.DeliveryReply.decode(reply).refused, refused);
  t.end();
});

t.test('a command shares its commit with the record of it, whatever its size and however full the commit is', (t) => {
  const small = Array.from({ length: 93 }, (_, nth) => nth * 900);
  const sizes = [1, 100_000, 200_000, LIMITS.payloadBytes, 10, 250_000, 60_000, ...small];
  const commands = sizes.map((size, nth) => submitJobs([{ ...ONE, key: `k${nth}`, payload: Buffer.alloc(size) }]));
  const part = receivedBy(REAL, { ...delivery([]), commands: commands.map((body) => ({ ...SUBMIT, body })) });
  const commits = part.commits.slice(1).map((bytes) => ({ bytes, ...decodeCommit(bytes) }));
  t.ok(commits.length > 3, `${commits.length} commits`);
  for (const { bytes, events } of commits) {
    const inPairs = events.map((_, nth) => (nth % 2 ? 'CommandReceived' : 'JobSubmitted'));
    t.strictSame(events.map(({ type }) => type), inPairs);
    t.ok(bytes.length <= LIMITS.commitBytes);
  }
  t.equal([...part.core.read(jobKind).all()].length, DELIVERY_COMMANDS);
  t.end();
});

t.test('the largest job that a client may submit may be sent, and no more', (t) => {
  const label = (_: unknown, nth: number): [string, string] => [`${nth}`.padEnd(250, 'k'), 'v'.repeat(250)];
  const labels = Object.fromEntries(Array.from({ length: LIMITS.labels }, label));
  const jobs = [{ type: 'square', key: 'k'.repeat(256), payload: Buffer.alloc(LIMITS.payloadBytes), labels }];
  const body = job.SubmitJobs.encode({ jobs }).finish();
  t.ok(body.length <= MOST_BODY_BYTES);
  const world = new ThreePartitions();
  const part = world.parts[P0]!;
  const sendOf = (bytes: Uint8Array) => () => {
    part.core.makeRoom(bytes.length);
    const cause = { commandId: '', type: 'Test', by: '' };
    part.core.send({ to: P1, command: 'job.submit', body: bytes }, { kind: 'counter', id: 'c' }, cause);
  };
  part.step(sendOf(body));
  t.equal(part.core.underWay(P1), 1);
  t.throws(() => part.step(sendOf(new Uint8Array(MOST_BODY_BYTES + 1))), /the body of job.submit has 327681 bytes/);
  t.end();
});

t.test('given commands that a gateway would refuse or send elsewhere, then they are recorded as refused', (t) => {
  const table: [string, Uint8Array, string, RegExp][] = [
    ['no message', Buffer.from([255]), 'MALFORMED', /not the protobuf message/],
    ['a bad field', submitJobs([{ ...ONE, type: '' }]), 'INVALID_ARGUMENT', /type/],
    ['no entry', submitJobs([]), 'INVALID_ARGUMENT', /must have one entry, not 0/],
    ['two entries', submitJobs([ONE, ONE]), 'INVALID_ARGUMENT', /must have one entry, not 2/],
    ['another partition’s queue', submitJobs([{ ...ONE, queue: QUEUES[0]! }]), 'WRONG_PARTITION', /belongs to partition 0, this is 1/],
    ['what is right', submitJobs([ONE]), '', /^$/],
  ];
  for (const [says, body, code, message] of table) {
    const { core } = receivedBy(REAL, { ...delivery([]), commands: [{ ...SUBMIT, body }] });
    const [refusal] = core.state.outbox.refused('j0');
    t.equal(refusal?.code ?? '', code, says);
    t.match(refusal?.message ?? '', message, says);
    t.equal([...core.read(jobKind).all()].length, code === '' ? 1 : 0);
  }
  t.end();
});

t.test('many pending commands are settled in no more than linear time', (t) => {
  const took = (commands: number): number => {
    const world = new ThreePartitions();
    const part = world.parts[P0]!;
    const cause = { commandId: '', type: 'Test', by: '' };
    for (let nth = 0; nth < commands; nth += 1) {
      part.core.step(part.moment, () => {
        part.core.makeRoom();
        part.core.send({ to: P1, command: 'job.submit', body: new Uint8Array(8) }, { kind: 'counter', id: 'c' }, cause);
      });
    }
    part.step(() => startCounter(part.core, 'c', { to: P1, everyMs: 3_600_000, times: commands + 1 }));
    const started = performance.now();
    for (let seq = 100; seq <= commands; seq += 100) world.settle(P0, P1, { receivedSeq: seq, refused: [] });
    t.equal(part.core.underWay(P1), 0);
    return performance.now() - started;
  };
  took(1_000);
  const [few, many] = [took(4_000), took(40_000)];
  t.comment(`4,000 in ${Math.round(few)} ms, 40,000 in ${Math.round(many)} ms`);
  t.ok(many < 25 * few, 'ten times as many take about ten times as long');
  t.end();
});

t.test('given equal states, when they get the same delivery, then they record the same events', (t) => {
  const commands = [1, 2, 3].map((nth) => ({ ...SUBMIT, body: submitJobs([{ ...ONE, key: `k${nth}` }]) }));
  const of = { ...delivery([]), commands };
  const eventsOf = (origin: string): unknown[] =>
    receivedBy(REAL, { ...of, origin }).commits.flatMap((bytes) => decodeCommit(bytes).events)
      .map(({ content: _, ...event }) => event);
  const events = eventsOf('j0');
  t.strictSame(eventsOf('j0'), events);
  const ids = [...events, ...eventsOf('j2')].map((event) => (event as { id: string }).id);
  t.equal(new Set(ids.filter((id) => id.startsWith('1-'))).size, 6, 'each command has an id of its own');
  t.end();
});
