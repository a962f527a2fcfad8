/**
 * Bad input changes nothing: named cases, one by one. The broker is a process of its own: it must not die of it. Random
 * and mutated requests are in hostile/fuzz.test.ts.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Msg } from 'nats';
import t from 'tap';
import { EVERY_COMMAND } from '../actors/command.js';
import { commandOf } from '../actors/commands.js';
import { ERRORS } from '../protocols/errors.js';
import { eventually, Reprise } from './broker.js';
import { readHistories } from './histories.js';
import { UNREGISTERED, UNKNOWN } from './hostile/mutations.js';
import { Stranger, type Answer, type Body } from './stranger.js';

const LEGAL: ReadonlySet<string> = new Set(Object.keys(ERRORS));

const reprise = await Reprise.start(t, { brokers: 0 });
await reprise.startChild();
const client = await Stranger.connect(reprise);
t.teardown(() => client.close());
const manager = await client.reader.jetstreamManager({ checkAPI: false });
const lastSeq = async (): Promise<number> => (await manager.streams.info(`REPRISE_${reprise.ns}_JOURNAL_0`)).state.last_seq;
const codeOf = (msg: Msg): string => (msg.headers?.get('Nats-Service-Error') ?? '').split(':')[0]!;
/** It lives, and takes work; started again for the next test if it does not. */
async function isAlive(): Promise<boolean> {
  const alive = reprise.children.at(-1)!.isRunning;
  if (!alive) await reprise.startChild();
  const { code } = await client.patient('job.submit', { type: 'next', payload: 1 });
  return alive && code === '';
}

/** A session that was given out and is over. */
const gone = await client.register('gone', { types: ['gone'], capacity: 1 });
await client.patient('worker.drain', { ...gone, gone: true });

t.beforeEach(async () => void (await isAlive()));

t.test('each named case is refused with its code, and nothing else changes', async (t) => {
  const submit = (more: Body): readonly ['job.submit', Body] => ['job.submit', { type: 'named', ...more }];
  const pull = (more: Body): readonly ['worker.pull', Body] => ['worker.pull', { ...gone, pullSeq: 1, free: 1, expiresMs: 100, ...more }];
  const cases: readonly (readonly [string, keyof typeof ERRORS, readonly [string, unknown]])[] = [
    ['an unknown field', 'INVALID_ARGUMENT', submit({ foo: 1 })],
    ['an unknown field whose name fills the request', 'INVALID_ARGUMENT', submit({ ['"'.repeat(400_000)]: 1 })],
    ['a label whose name fills the request', 'INVALID_ARGUMENT', submit({ labels: { ['"'.repeat(400_000)]: 1 } })],
    ['a label whose name begins with a dash', 'INVALID_ARGUMENT', submit({ labels: { '-a': 'x' } })],
    ['a label whose value has a line break', 'INVALID_ARGUMENT', submit({ labels: { 'a.b/c_d-9': 'x\n' } })],
    ['a wrong type', 'INVALID_ARGUMENT', submit({ priority: 'high' })],
    ['a payload over the limit', 'TOO_LARGE', submit({ payload: 'x'.repeat(300_000) })],
    ['an unknown job', 'NOT_FOUND', ['job.get', { jobId: UNKNOWN }]],
    ['an id with wildcards', 'INVALID_ARGUMENT', ['job.get', { jobId: '0-*' }]],
    ['an id with control characters', 'INVALID_ARGUMENT', ['job.cancel', { jobId: '0-00000000\r\n000000' }]],
    ['a queue with a dot', 'INVALID_ARGUMENT', submit({ queue: 'a.b' })],
    ['a queue with a wildcard', 'INVALID_ARGUMENT', submit({ queue: '>' })],
    ['a type with a space', 'INVALID_ARGUMENT', submit({ type: 'a b' })],
    ['a key with control characters', 'INVALID_ARGUMENT', submit({ key: 'a\u0000b' })],
    ['a worker id with a wildcard', 'INVALID_ARGUMENT', ['worker.register', { workerId: '*', types: ['t'], capacity: 1 }]],
    ['a session with a dot', 'INVALID_ARGUMENT', ['worker.drain', { workerId: 'w', session: 'a.b' }]],
    ['a negative count', 'INVALID_ARGUMENT', pull({ free: -1 })],
    ['a fractional count', 'INVALID_ARGUMENT', pull({ free: 1.5 })],
    ['a fractional pullSeq', 'INVALID_ARGUMENT', pull({ pullSeq: 1.5 })],
    ['more free slots than any worker has', 'INVALID_ARGUMENT', pull({ free: 1e9 })],
    ['a pull that waits too long', 'INVALID_ARGUMENT', pull({ expiresMs: 60_000 })],
    ['no capacity', 'INVALID_ARGUMENT', ['worker.register', { workerId: 'nobody', types: ['t'], capacity: 0 }]],
    ['an absurd delay', 'INVALID_ARGUMENT', submit({ delayMs: 1e15 })],
    ['a negative delay', 'INVALID_ARGUMENT', submit({ delayMs: -1 })],
    ['a fractional delay', 'INVALID_ARGUMENT', submit({ delayMs: 0.5 })],
    ['an absurd date', 'INVALID_ARGUMENT', submit({ runAt: '+275760-09-13T00:00:00.000Z' })],
    ['delay and date together', 'INVALID_ARGUMENT', submit({ delayMs: 5, runAt: 1e12 })],
    ['absurd attempts', 'INVALID_ARGUMENT', submit({ retry: { maxAttempts: 1e6 } })],
    ['no attempts', 'INVALID_ARGUMENT', submit({ retry: { maxAttempts: 0 } })],
    ['fractional attempts', 'INVALID_ARGUMENT', submit({ retry: { maxAttempts: 1.5 } })],
    ['a lease too short', 'INVALID_ARGUMENT', submit({ timeouts: { heartbeatMs: 1 } })],
    ['an absurd backoff', 'INVALID_ARGUMENT', submit({ retry: { backoff: { factor: 1e9 } } })],
    ['no waits', 'INVALID_ARGUMENT', submit({ retry: { backoff: { listMs: [] } } })],
    ['two backoffs', 'INVALID_ARGUMENT', submit({ retry: { backoff: { fixedMs: 1, listMs: [1] } } })],
    ['an unknown preset', 'INVALID_ARGUMENT', submit({ retry: { preset: 'FASTEST' } })],
    ['no crashes', 'INVALID_ARGUMENT', submit({ retry: { maxCrashes: 0 } })],
    ['a negative time to the start', 'INVALID_ARGUMENT', submit({ timeouts: { startMs: -1 } })],
    ['no jobs', 'INVALID_ARGUMENT', ['job.submit', { jobs: [] }]],
    ['too many jobs', 'INVALID_ARGUMENT', ['job.submit', { jobs: Array.from({ length: 1_001 }, () => ({ type: 't' })) }]],
    ['a pull of a session that is over', 'UNKNOWN_WORKER', pull({})],
    ['a pull without a proof', 'SESSION_UNPROVED', pull({ proof: '' })],
    ['a pull with the proof of another session', 'SESSION_UNPROVED', pull({ session: 'another' })],
    ['a pull with the proof of another worker', 'SESSION_UNPROVED', pull({ workerId: 'another' })],
    ['a registration with a session of its own', 'SESSION_UNPROVED', ['worker.register', { ...UNREGISTERED, types: ['t'], capacity: 1 }]],
    ['a partition that does not exist', 'WRONG_PARTITION', pull({ partition: 1 })],
    ['a token of another partition', 'WRONG_PARTITION', ['worker.heartbeat', { ...gone, tokens: ['7-0000000000000000/1/1'] }]],
    ['an unknown requirement', 'REQUIREMENT_INVALID', submit({ require: { gpu: '1' } })],
    ['a requirement that contradicts itself', 'REQUIREMENT_CONTRADICTORY',
      submit({ require: { region: 'eu', not: { region: 'eu' } } })],
    ['capabilities of a wrong type', 'CAPABILITIES_INVALID',
      ['worker.register', { workerId: 'w', types: ['x'], capacity: 1, capabilities: { models: 'sdxl' } }]],
    ['neither id nor key', 'INVALID_ARGUMENT', ['job.get', {}]],
    ['both id and key', 'INVALID_ARGUMENT', ['job.get', { jobId: UNKNOWN, key: 'k' }]],
  ];
  const before = await lastSeq();
  for (const [name, code, [subject, body]] of cases) {
    const answer = await client.json(subject, body, 3_000).catch((error: unknown): Answer => ({ code: String(error), status: '', header: '', body: {} }));
    t.equal(answer.code, code, name);
    const { codes } = commandOf(subject)!;
    t.ok(([...EVERY_COMMAND, ...codes] as string[]).includes(code), `${subject} says that it may be refused with ${code}`);
    if (answer.code !== code) t.ok(await isAlive(), `${name}: the broker lives`);
  }
  for (const [name, text] of [['JSON cut off', '{"type":'], ['JSON that is only begun', '{'], ['a list in a brace', '{[]}']] as const) t.equal(codeOf(await client.raw('job.submit', text)), 'MALFORMED', name);
  t.equal(codeOf(await client.raw('job.submit', Buffer.from([0x0a, 0xff, 0xff]))), 'MALFORMED', 'protobuf cut off');
  t.equal(codeOf(await client.raw('job.get', Buffer.from([0xfa, 0x01, 0x00]))), 'INVALID_ARGUMENT', 'an unknown protobuf field');
  const groups = Buffer.alloc(100_000, 0x1b);
  t.match(codeOf(await client.raw('job.get', groups)), /^(MALFORMED|INVALID_ARGUMENT)$/, 'groups in groups in groups');
  t.equal(codeOf(await client.raw('job.submit', '')), 'INVALID_ARGUMENT', 'nothing at all');
  t.equal(await lastSeq(), before, 'the journal is where it was');
  t.ok(await isAlive());
});

t.test('__proto__ pollutes nothing', async (t) => {
  const before = await lastSeq();
  t.equal(codeOf(await client.raw('job.submit', '{"type":"named","__proto__":{"queue":"x"}}')), 'INVALID_ARGUMENT');
  t.equal(codeOf(await client.raw('job.submit', '{"type":"named","labels":{"__proto__":"x"}}')), 'INVALID_ARGUMENT', 'as a label');
  t.equal(codeOf(await client.raw('job.submit', '{"type":"named","retry":{"__proto__":{"maxAttempts":5}}}')), 'INVALID_ARGUMENT');
  t.equal(await lastSeq(), before);
});

t.test('a payload nested two hundred thousand deep is taken or refused, and never kills', async (t) => {
  const deep = '['.repeat(120_000) + ']'.repeat(120_000);
  const inJson = await client.raw('job.submit', `{"type":"deep","payload":${deep}}`, 3_000).then(codeOf, String);
  t.match(inJson, /^(|INVALID_ARGUMENT|MALFORMED|TOO_LARGE)$/, 'in JSON');
  t.ok(await isAlive(), 'the broker lives');
  const { code } = await client.proto('job.submit', { jobs: [{ type: 'deep', payload: Buffer.from(deep) }] });
  t.equal(code, '', 'in protobuf it is opaque');
  const me = await client.register('deep', { types: ['deep'], capacity: 1 });
  const pulled = await client.raw('worker.pull', JSON.stringify({ ...me, pullSeq: 1, free: 1, expiresMs: 500 }), 3_000).then(codeOf, String);
  t.ok(pulled === '' || LEGAL.has(pulled), `and whoever pulls it in JSON is answered: ${pulled}`);
  t.ok(await isAlive(), 'the broker lives');
});

t.test('a payload that grows when it is shown as JSON is answered all the same', async (t) => {
  const payload = Buffer.from(`[${'9e20,'.repeat(52_000)}1]`);
  t.equal((await client.proto('job.submit', { jobs: [{ type: 'grows', payload }] })).code, '');
  const me = await client.register('grows', { types: ['grows'], capacity: 1 });
  const pulled = await client.raw('worker.pull', JSON.stringify({ ...me, pullSeq: 1, free: 1, expiresMs: 500 }), 3_000).then(codeOf, String);
  t.ok(pulled === '' || LEGAL.has(pulled), `answered: ${pulled}`);
  t.ok(await isAlive(), 'the broker lives');
});

t.test('results that do not fit into one answer are answered all the same', async (t) => {
  const me = await client.register('big', { types: ['big'], capacity: 8 });
  const waiting = client.raw('job.submit', JSON.stringify({ jobs: Array.from({ length: 8 }, () => ({ type: 'big' })), wait: true, waitMs: 8_000 }), 10_000).then(codeOf, String);
  const tokens = await eventually(async () => {
    const { body } = await client.json('worker.pull', { ...me, pullSeq: 1, free: 8, expiresMs: 1_000 });
    const leases = body['leases'] as { token: string }[];
    return leases.length === 8 && leases.map((each) => each.token);
  });
  for (const token of tokens) await client.patient('worker.report', { ...me, reports: [{ token, outcome: 'ok', result: 'x'.repeat(200_000) }] }, 3).catch(() => {});
  const code = await waiting;
  t.ok(code === '' || LEGAL.has(code), `answered: ${code}`);
  t.ok(await isAlive(), 'the broker lives');
});

t.test('one key with two payloads is a conflict; the first stays', async (t) => {
  const first = await client.json('job.submit', { type: 'keyed', key: 'same', payload: 1 });
  const before = await lastSeq();
  t.equal((await client.json('job.submit', { type: 'keyed', key: 'same', payload: 2 })).code, 'KEY_CONFLICT');
  t.equal((await client.json('job.get', { queue: 'default', key: 'same' })).body['jobId'], first.body['jobId']);
  t.equal(await lastSeq(), before);
});

t.test('a request whose answer would go into a journal or to the server is not answered there', async (t) => {
  const before = await lastSeq();
  for (const reply of [`reprise.${reprise.ns}.journal.0`, `$JS.API.STREAM.PURGE.REPRISE_${reprise.ns}_JOURNAL_0`, `reprise.${reprise.ns}.job.submit`]) {
    client.nc.publish(`reprise.${reprise.ns}.job.get`, JSON.stringify({ jobId: UNKNOWN }), { reply });
  }
  await client.nc.flush();
  await wait(200);
  t.equal(await lastSeq(), before);
  t.ok(await isAlive());
});

t.test("a stranger's message in a journal subject", async (t) => {
  const subject = `reprise.${reprise.ns}.journal.0`;

  t.test('of an ordinary user is refused by the server', async (t) => {
    const before = await lastSeq();
    const denied = eventually(async () => {
      for await (const status of client.nc.status()) if (String(status.data).includes('PERMISSIONS_VIOLATION')) return true;
      return false;
    });
    client.nc.publish(subject, 'a stranger was here');
    t.ok(await denied);
    t.equal(await lastSeq(), before);
    t.ok(await isAlive());
  });

  t.test('of a broker user is skipped with an alarm; the chain goes on and nothing is lost', async (t) => {
    const { username: user, password: pass, host } = new URL(reprise.brokerUrl);
    const intruder = await connect({ servers: host, user, pass });
    t.teardown(() => intruder.close());
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      intruder.publish(subject, n === 1 ? Buffer.alloc(0) : Buffer.from(`stranger ${n}`));
      await intruder.flush();
      const { code, body } = await client.patient('job.submit', { type: 'kept', commandId: `kept-${n}`, payload: n });
      t.equal(code, '', 'the next submit succeeds');
      ids.push(body['jobId'] as string);
    }
    const { jobs, complaints, foreign } = await readHistories(client, 1);
    t.strictSame(complaints, [], 'one chain');
    t.equal(foreign, 3);
    t.equal(new Set(ids).size, 3);
    t.ok(ids.every((id) => jobs.get(id)?.status === 'ready'), 'nothing is lost');
  });
});
