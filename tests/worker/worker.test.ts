/** A whole worker process against a scripted leader: what it does when replies are lost, repeated, late or refused. */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { performer } from '../../sdk/index.js';
import { FakeLeader } from './fake-leader.js';
import { freshServer, until, work } from './support.js';

const square = performer('square', async ({ n }: { n: number }) => n * n);
/** Runs until its signal is aborted. */
const patient = performer('patient', (_: unknown, { signal }) => new Promise((_resolve, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason));
}));
let napping = 0;
let mostNapping = 0;
const nap = performer('nap', async ({ ms }: { ms: number }) => {
  napping += 1;
  mostNapping = Math.max(mostNapping, napping);
  await wait(ms);
  napping -= 1;
});

const server = await freshServer();
t.teardown(() => server.remove());
let namespaces = 0;

async function scene(
  t: Pick<Test, 'teardown'>,
  partitions: number,
  performers: Parameters<typeof work>[1],
  options: Parameters<typeof work>[2] = {},
) {
  const namespace = `test${(namespaces += 1)}`;
  const leader = await FakeLeader.start(server.brokerUrl, namespace, partitions);
  const begin = (): ReturnType<typeof work> => work(server.url, performers, { namespace, graceMs: 500, ...options });
  const worker = await begin();
  t.teardown(async () => {
    await worker.stop();
    await leader.stop();
  });
  await until(() => leader.pulls.length > 0);
  return { leader, worker };
}

t.test('a worker performs its leases and reports them', async (t) => {
  const { leader, worker } = await scene(t, 1, [square], { concurrency: 5 });
  const registration = { types: ['square'], capacity: 5, workerId: worker.workerId, session: '' };
  t.match(leader.registered[0], registration, 'a new worker has no session yet');
  t.equal(worker.session, 'session-1', 'and uses the one that it gets');
  for (let n = 0; n < 100; n += 1) leader.submit({ type: 'square', json: { n } });
  t.ok(await until(() => leader.accepted.length === 100));
  const results = leader.accepted.map(({ result }) => Number(Buffer.from(result).toString()));
  t.same(results.sort((a, b) => a - b), Array.from({ length: 100 }, (_, n) => n * n));
  t.ok(leader.mostOffered <= 5, `at most 5 on offer: ${leader.mostOffered}`);
  t.same(leader.stale, []);
});

t.test('a report is sent at once while a pull is open, and pullSeq rises by one', async (t) => {
  const { leader } = await scene(t, 1, [nap], { concurrency: 3 });
  const beganMs = performance.now();
  leader.submit({ type: 'nap', json: { ms: 60 } });
  t.ok(await until(() => leader.accepted.length === 1));
  t.ok(performance.now() - beganMs < 500, 'not with the next pull in five seconds');
  t.same(leader.pulls.map(({ pullSeq }) => pullSeq), leader.pulls.map((_, index) => index + 1));
  const hasHeld = leader.pulls.some(({ held, free }) => held.length === 1 && free === 2);
  t.ok(hasHeld, 'a pull lists held leases, which take slots');
});

t.test('three partitions share the slots', async (t) => {
  mostNapping = 0;
  const { leader } = await scene(t, 3, [nap], { concurrency: 4 });
  for (let i = 0; i < 60; i += 1) leader.submit({ type: 'nap', json: { ms: 5 }, partition: i < 50 ? 0 : 1 + (i % 2) });
  t.ok(await until(() => leader.accepted.length === 60));
  t.equal(mostNapping, 4);
  t.ok(leader.mostOffered <= 4, `at most 4 on offer: ${leader.mostOffered}`);
});

t.test('partitions take turns if there are more of them than slots', async (t) => {
  const { leader } = await scene(t, 5, [square], { concurrency: 2 });
  for (let partition = 0; partition < 5; partition += 1) leader.submit({ type: 'square', json: { n: 1 }, partition });
  t.ok(await until(() => leader.accepted.length === 5));
  t.ok(leader.mostOffered <= 2, `at most 2 on offer: ${leader.mostOffered}`);
});

t.test('lost requests and lost replies lose no job', async (t) => {
  let handled = 0;
  const counting = performer('counting', async () => (handled += 1));
  const { leader } = await scene(t, 2, [counting], { concurrency: 4 });
  let seen = 0;
  leader.loseRequest = () => (seen += 1) % 7 === 0;
  leader.loseReply = () => (seen += 1) % 5 === 0;
  for (let i = 0; i < 30; i += 1) leader.submit({ type: 'counting', partition: i % 2 });
  t.ok(await until(() => leader.accepted.length === 30, 30_000), `${leader.accepted.length} of 30`);
  t.equal(handled, 30, 'no lease was performed twice');
  t.ok(leader.mostOffered <= 4, `at most 4 on offer: ${leader.mostOffered}`);
});

t.test('a lease that is delivered twice is performed once', async (t) => {
  let handled = 0;
  const slow = performer('slow', async () => {
    handled += 1;
    await wait(100);
  });
  const { leader } = await scene(t, 1, [slow, square], { concurrency: 3 });
  leader.loseReply = (_verb, reply) => {
    // Whatever is delivered is forgotten to be held, so it is delivered with the next pull again.
    if (reply.leases?.length) queueMicrotask(() => leader.submit({ type: 'square', json: { n: 1 } }));
    return false;
  };
  const token = leader.submit({ type: 'slow' });
  await until(() => handled === 1);
  const lease = leader.leased.get(token)!.lease;
  leader.loseReply = () => false;
  leader.submit({ ...lease });
  t.ok(await until(() => leader.accepted.some((report) => report.token === token)));
  leader.submit({ ...lease });
  await wait(100);
  t.equal(handled, 1);
});

t.test('a cancelled attempt is aborted and reported as cancelled', async (t) => {
  const { leader } = await scene(t, 1, [patient, nap], { concurrency: 2 });
  const token = leader.submit({ type: 'patient', leaseMs: 600 });
  t.ok(await until(() => leader.leased.size === 1));
  leader.cancelling.add(token);
  t.ok(await until(() => leader.accepted.length === 1), 'by a heartbeat');
  t.equal(leader.accepted[0]!.outcome, 'cancelled');
});

t.test('a revoked attempt is aborted and not reported', async (t) => {
  let reason: unknown;
  const watching = performer('watching', (_: unknown, { signal }) => new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      reason = signal.reason;
      resolve();
    });
  }));
  const { leader } = await scene(t, 1, [watching, square], { concurrency: 1 });
  const token = leader.submit({ type: 'watching', leaseMs: 600 });
  t.ok(await until(() => leader.leased.size === 1));
  leader.revoke(token);
  t.ok(await until(() => reason !== undefined));
  leader.submit({ type: 'square', json: { n: 2 } });
  t.ok(await until(() => leader.accepted.length === 1), 'the slot came back');
  t.same(leader.stale, [], 'a revoked attempt is not reported');
});

t.test('heartbeats renew only leases that are held for long, and carry progress', async (t) => {
  const telling = performer('telling', async (_: unknown, { progress }) => {
    for (let step = 1; step <= 6; step += 1) {
      progress(step / 6, `step ${step}`);
      await wait(100);
    }
  });
  const { leader } = await scene(t, 1, [telling, square], { concurrency: 2 });
  const published: string[] = [];
  leader.connection.subscribe('reprise.*.progress.*', {
    callback: (_error, message) => void published.push(message.string()),
  });
  await leader.connection.flush();
  const token = leader.submit({ type: 'telling', leaseMs: 600 });
  for (let n = 0; n < 20; n += 1) leader.submit({ type: 'square', json: { n }, leaseMs: 600 });
  t.ok(await until(() => leader.accepted.length === 21));
  t.ok(leader.heartbeats.length >= 2 && leader.heartbeats.length <= 5, `${leader.heartbeats.length} heartbeats`);
  t.ok(leader.heartbeats.every(({ tokens }) => tokens.length === 1 && tokens[0] === token));
  t.ok(leader.heartbeats.some(({ progress }) => (progress[0]?.fraction ?? 0) > 0));
  t.equal(leader.accepted.find((report) => report.token === token)!.outcome, 'ok', 'it outlived its first lease');
  t.match(JSON.parse(published[0]!), { attempt: 1, fraction: 1 / 6, message: 'step 1', jobId: token.split('/')[0] });
});

t.test('a lease that cannot be renewed ends the attempt', async (t) => {
  const { leader } = await scene(t, 1, [patient], { concurrency: 1 });
  const token = leader.submit({ type: 'patient', leaseMs: 500 });
  t.ok(await until(() => leader.leased.size === 1));
  leader.loseRequest = (verb) => verb === 'heartbeat';
  t.ok(await until(() => leader.accepted.length === 1, 2_000));
  t.match(leader.accepted[0], { token, outcome: 'retry', failure: { code: 'LEASE_EXPIRED' } });
});

t.test('an attempt is aborted at its time-out, even if its handler never ends', async (t) => {
  const deaf = performer('deaf', () => new Promise(() => undefined));
  const { leader } = await scene(t, 1, [patient, deaf, square], { concurrency: 2 });
  leader.submit({ type: 'patient', attemptMs: 100 });
  leader.submit({ type: 'deaf', attemptMs: 100 });
  t.ok(await until(() => leader.accepted.length === 1, 1_000));
  t.ok(await until(() => leader.accepted.length === 2, 4_000), 'given up after the grace');
  for (const report of leader.accepted) t.match(report, { outcome: 'retry', failure: { code: 'ATTEMPT_TIMED_OUT' } });
  leader.submit({ type: 'square', json: { n: 1 } });
  leader.submit({ type: 'square', json: { n: 1 } });
  t.ok(await until(() => leader.accepted.length === 4), 'both slots are back');
});

t.test('a new leader gets open reports and delivers leases', async (t) => {
  const { leader } = await scene(t, 1, [square, nap], { concurrency: 2 });
  leader.submit({ type: 'nap', json: { ms: 300 }, leaseMs: 600 });
  t.ok(await until(() => leader.leased.size === 1));
  leader.takeOver();
  t.ok(await until(() => leader.accepted.length === 1), 'what was held is reported to it');
  t.ok(await until(() => leader.registered.length > 1), 'and the worker registers with it');
  leader.submit({ type: 'square', json: { n: 3 } });
  t.ok(await until(() => leader.accepted.length === 2));
});

t.test('a reply of an older epoch is ignored', async (t) => {
  const { leader } = await scene(t, 1, [square], { concurrency: 1 });
  leader.epoch = 5;
  leader.submit({ type: 'square', json: { n: 1 } });
  t.ok(await until(() => leader.accepted.length === 1));
  leader.epoch = 4;
  leader.submit({ type: 'square', json: { n: 2 } });
  await wait(300);
  t.equal(leader.accepted.length, 1);
  leader.epoch = 5;
  t.ok(await until(() => leader.accepted.length === 2), 'delivered again by the right one');
});

t.test('a worker recovers from a leader that does not know it, does not lead, or is gone', async (t) => {
  const { leader } = await scene(t, 1, [square], { concurrency: 1 });
  for (const code of ['UNKNOWN_WORKER', 'NOT_LEADER', 'OVERLOADED', 'no such code', 'INVALID_ARGUMENT']) {
    let left = 3;
    leader.refuse = (verb) => (verb === 'pull' && (left -= 1) >= 0 ? code : undefined);
    const done = leader.accepted.length;
    for (let n = 0; n < 5; n += 1) leader.submit({ type: 'square', json: { n } });
    t.ok(await until(() => leader.accepted.length === done + 5), code);
    t.ok(leader.accepted.every(({ outcome }) => outcome === 'ok'), 'no result is lost by it');
  }
  leader.refuse = () => undefined;
  const before = leader.registered.length;
  leader.forgetSessions();
  leader.submit({ type: 'square', json: { n: 1 } });
  t.ok(await until(() => leader.registered.length > before));
});

t.test('a leader that answers empty pulls at once is not pulled from in a busy loop', async (t) => {
  const { leader } = await scene(t, 1, [square], { concurrency: 1 });
  leader.impatient = true;
  leader.submit({ type: 'square', json: { n: 1 } });
  await wait(1_000);
  t.equal(leader.accepted.length, 1);
  t.ok(leader.pulls.length < 12, `${leader.pulls.length} pulls in a second`);
});

t.test('a result that the leader refuses becomes a failure', async (t) => {
  const { leader } = await scene(t, 1, [square], { concurrency: 1 });
  leader.reject = ({ outcome }) => (outcome === 'ok' ? 'TOO_LARGE' : undefined);
  leader.submit({ type: 'square', json: { n: 1 } });
  t.ok(await until(() => leader.accepted.some(({ failure }) => failure?.code === 'RESULT_INVALID')));
  let busy = 2;
  leader.reject = () => ((busy -= 1) >= 0 ? 'OVERLOADED' : undefined);
  leader.submit({ type: 'square', json: { n: 1 } });
  t.ok(await until(() => leader.accepted.length === 2), 'one that it has no time for is sent again');
});

t.test('stop() waits for attempts, hands them back after the grace, reports them, and leaves', async (t) => {
  const { leader, worker } = await scene(t, 1, [patient, nap], { concurrency: 3 });
  leader.submit({ type: 'nap', json: { ms: 150 } });
  leader.submit({ type: 'patient' });
  t.ok(await until(() => leader.leased.size === 2));
  await worker.stop();
  t.equal(leader.accepted.length, 2);
  t.ok(leader.accepted.some(({ outcome }) => outcome === 'ok'));
  t.ok(leader.accepted.some(({ outcome }) => outcome === 'returned'), 'what is left is handed back');
  t.equal(leader.pulls.length, leader.pullsUntilDrained, 'no pull after it has said that it leaves');
  t.same(leader.drains.map(({ gone }) => gone), [false, true]);
  await worker.stopped;
});

t.test('invalid options and unreachable servers are errors', async (t) => {
  await t.rejects(work(server.url, [square], { namespace: 'a.b' }), { code: 'USAGE' });
  await t.rejects(work(server.url, [square], { concurrency: 0 }), { code: 'USAGE' });
  await t.rejects(work(server.url, [square], { concurrency: 1.5 }), { code: 'USAGE' });
  await t.rejects(work(server.url, [square], { queues: ['a b'] }), { code: 'USAGE' });
  await t.rejects(work(server.url, [square], { workerId: 'a b' }), { code: 'USAGE' });
  await t.rejects(work(server.url, [], {}), { code: 'USAGE' });
  await t.rejects(work(server.url, [square, square], {}), { code: 'PERFORMER_NOT_LOADED' });
  await t.rejects(work('nats://127.0.0.1:1', [square], {}), { code: 'SERVER_UNREACHABLE' });
});
