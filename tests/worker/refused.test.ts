/** If requests or reports are refused, a worker loses no result and no lease, and does not retry in a busy loop. */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { worker } from '../../protocols/messages.js';
import { performer } from '../../sdk/index.js';
import { FakeLeader } from './fake-leader.js';
import { freshServer, until, work } from './support.js';

const square = performer('square', async ({ n }: { n: number }) => n * n);
const text = ({ result }: worker.Report): string => Buffer.from(result).toString();

const server = await freshServer();
t.teardown(() => server.remove());
let namespaces = 0;

async function scene(
  t: Pick<Test, 'teardown'>,
  performers: Parameters<typeof work>[1],
  concurrency: number,
): Promise<FakeLeader> {
  const namespace = `test${(namespaces += 1)}`;
  const leader = await FakeLeader.start(server.brokerUrl, namespace);
  const worker = await work(server.url, performers, { namespace, concurrency, graceMs: 500 });
  t.teardown(async () => {
    await worker.stop();
    await leader.stop();
  });
  await until(() => leader.pulls.length > 0);
  return leader;
}

const CODES = ['JOURNAL_FULL', 'JOURNAL_BROKEN', 'NOT_LEADER', 'PERMISSION_DENIED', 'UNKNOWN_WORKER', 'A_NEW_CODE'];

for (const code of CODES) {
  t.test(`given that requests are refused with ${code} for a while, then every result is reported later`, async (t) => {
    const leader = await scene(t, [square], 10);
    let refused = 0;
    leader.refuse = (verb, reports) => {
      const isRefused = reports.length > 0 || (refused > 0 && verb === 'pull');
      return isRefused ? ((refused += 1), code) : undefined;
    };
    for (let n = 0; n < 10; n += 1) leader.submit({ type: 'square', json: { n } });
    t.ok(await until(() => refused >= 4));
    leader.refuse = () => undefined;
    t.ok(await until(() => leader.accepted.length === 10), `${leader.accepted.length} of 10`);
    t.same(leader.accepted.map(text).sort(), Array.from({ length: 10 }, (_, n) => String(n * n)).sort());
    leader.submit({ type: 'square', json: { n: 12 } });
    t.ok(await until(() => leader.accepted.length === 11), 'and the worker takes new work');
  });
}

t.test('given a halted partition, then registration waits for it, and a registered worker goes on', async (t) => {
  const leader = await FakeLeader.start(server.brokerUrl, 'still');
  let refused = 0;
  leader.refuse = (verb) => (verb === 'register' ? ((refused += 1), 'JOURNAL_FULL') : undefined);
  const worker = await work(server.url, [square], { namespace: 'still', graceMs: 500 });
  t.teardown(async () => {
    await worker.stop();
    await leader.stop();
  });
  t.ok(await until(() => refused >= 2));
  leader.refuse = () => undefined;
  t.ok(await until(() => leader.pulls.length > 0));
  const before = refused;
  leader.refuse = (verb) => (verb === 'register' ? ((refused += 1), 'JOURNAL_FULL') : undefined);
  leader.takeOver();
  leader.submit({ type: 'square', json: { n: 3 } });
  t.ok(await until(() => refused > before, 10_000), 'it registers with the new leader');
  t.ok(await until(() => leader.accepted.length === 1));
  leader.submit({ type: 'square', json: { n: 4 } });
  t.ok(await until(() => leader.accepted.length === 2));
});

t.test('given that its registration is refused for good, then the worker ends with the reason', async (t) => {
  for (const code of ['INVALID_ARGUMENT', 'PERMISSION_DENIED'] as const) {
    const leader = await FakeLeader.start(server.brokerUrl, `refused-${code}`);
    leader.refuse = () => code;
    const worker = await work(server.url, [square], { namespace: `refused-${code}` });
    await t.rejects(worker.stopped, { code });
    await leader.stop();
  }
});

for (const code of ['MALFORMED', 'INVALID_ARGUMENT', 'TOO_LARGE']) {
  t.test(`given that requests with one report are refused with ${code}, then only that one fails`, async (t) => {
    const leader = await scene(t, [square], 10);
    leader.refuse = (_verb, reports) => {
      return reports.some((report) => report.outcome === 'ok' && text(report) === '25') ? code : undefined;
    };
    for (let n = 0; n < 10; n += 1) leader.submit({ type: 'square', json: { n } });
    t.ok(await until(() => leader.accepted.length === 10), `${leader.accepted.length} of 10`);
    const failed = leader.accepted.filter(({ outcome }) => outcome !== 'ok');
    t.same(failed.map(({ failure }) => failure?.code), ['RESULT_INVALID']);
    t.equal(leader.accepted.filter(({ outcome }) => outcome === 'ok').length, 9);
    leader.submit({ type: 'square', json: { n: 12 } });
    t.ok(await until(() => leader.accepted.length === 11), 'and the worker takes new work');
  });
}

t.test('given that every pull is refused with INVALID_ARGUMENT, then no report becomes a failure', async (t) => {
  const leader = await scene(t, [square], 1);
  leader.submit({ type: 'square', json: { n: 3 } });
  let left = 5;
  leader.refuse = (verb) => (verb === 'pull' && (left -= 1) >= 0 ? 'INVALID_ARGUMENT' : undefined);
  t.ok(await until(() => leader.accepted.length === 1));
  t.equal(leader.accepted[0]!.outcome, 'ok');
});

t.test('given that every report with an outcome is refused, then the lease is given up', async (t) => {
  const leader = await scene(t, [square], 1);
  leader.reject = ({ outcome }) => (outcome === 'cancelled' ? undefined : 'INVALID_ARGUMENT');
  leader.submit({ type: 'square', json: { n: 3 } });
  t.ok(await until(() => leader.accepted.length === 1));
  t.equal(leader.accepted[0]!.outcome, 'cancelled');
});

t.test('given that the leader delivers a reported lease again, then the lease is given up, once', async (t) => {
  const leader = await scene(t, [square], 1);
  const token = leader.submit({ type: 'square', json: { n: 3 } });
  await until(() => leader.leased.size === 1);
  const leased = leader.leased.get(token)!;
  t.ok(await until(() => leader.accepted.length === 1));
  leader.leased.set(token, leased);
  leader.submit({ type: 'square', json: { n: 4 } });
  t.ok(await until(() => leader.accepted.length === 3), 'and the slot goes on');
  t.same(leader.accepted.filter((report) => report.token === token).map(({ outcome }) => outcome), ['ok', 'cancelled']);
  const { length } = leader.pulls;
  leader.leased.set(token, leased);
  leader.submit({ type: 'square', json: { n: 5 } });
  await wait(1_000);
  t.ok(leader.pulls.length - length < 12, `${leader.pulls.length - length} pulls in a second`);
  t.equal(leader.accepted.filter((report) => report.token === token).length, 2, 'not for ever');
});

t.test('given an attempt that ignores its cancellation, then pulls are not sent in a busy loop', async (t) => {
  const deaf = performer('deaf', () => new Promise(() => undefined));
  const leader = await scene(t, [deaf], 2);
  leader.cancelling.add(leader.submit({ type: 'deaf' }));
  t.ok(await until(() => leader.accepted.length === 1), 'it is abandoned after its grace');
  t.equal(leader.accepted[0]!.outcome, 'cancelled');
  t.ok(leader.pulls.length < 16, `${leader.pulls.length} pulls`);
});
