/** Jobs in numbers, from outside: by the classic client in both encodings, the typed client and the command. */
import t from 'tap';
import { connectClient } from '../sdk/client.js';
import { allJobs, listJobs } from '../sdk/jobs.js';
import { queuesOf, Reprise } from './broker.js';
import { run } from './command/rig.js';
import { Stranger } from './stranger.js';

t.test('jobs are listed by a filter, over 3 partitions at 2 brokers', async (t) => {
  const reprise = await Reprise.start(t, { partitions: 3, brokers: 2 });
  const stranger = await Stranger.connect(reprise);
  const client = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => Promise.all([stranger.close(), client.close()]));
  const queues = queuesOf(3);
  const ids: string[] = [];
  for (let nth = 0; nth < 12; nth += 1) {
    const [reply] = await client.submit([{
      type: nth % 2 === 0 ? 'even' : 'odd', queue: queues[nth % 3]!, priority: nth, key: `k ${nth}`,
      labels: { tenant: nth < 6 ? 'acme' : 'other' }, ...(nth === 11 && { delayMs: 60_000 }),
    }]);
    ids.push(reply!.jobId);
  }
  const pick = (...nths: number[]): string[] => nths.map((nth) => ids[nth]!);
  const table: [filter: string, string[]][] = [
    ['', ids], ['type:even label.tenant:acme', pick(0, 2, 4)], ['status:scheduled', pick(11)],
    ['key:"k 3","k 9"', pick(3, 9)], ['priority:3..5 -type:odd', pick(4)], [`queue:${queues[1]}`, pick(1, 4, 7, 10)],
    [`id:${ids[5]}`, pick(5)], ['before:1h', []], ['status:completed', []], ['after:1h priority:..1', pick(0, 1)],
  ];
  for (const [filter, expected] of table) {
    for (const form of ['json', 'proto'] as const) {
      const { code, body } = await stranger[form]('job.list', { filter });
      t.equal(code, '', filter);
      t.strictSame((body['jobs'] as { jobId: string }[]).map(({ jobId }) => jobId), expected, `${form} ${filter}`);
      t.equal((body['positions'] as object[]).length, 3);
    }
  }
  const pages: string[][] = [];
  for (let page = await listJobs(client, 'after:1h', { limit: 5 }); ; ) {
    pages.push(page.jobs.map(({ jobId }) => jobId));
    t.match(page.filter, /^after:\d{4}-.*Z$/, 'an age became a time');
    if (page.next === undefined) break;
    page = await listJobs(client, page.filter, { limit: 5, after: page.next });
  }
  t.strictSame(pages.flat(), ids);
  t.ok(pages.every((page) => page.length <= 5));
  const seen: string[] = [];
  for await (const { jobId } of allJobs(client, 'type:odd')) seen.push(jobId);
  t.strictSame(seen, pick(1, 3, 5, 7, 9, 11));

  for (const [bad, message] of [
    [{ filter: 'statsu:failed' }, /position 1: there is no key "statsu"; did you mean status\?/],
    [{ filter: 'status:faild' }, /did you mean failed\?/], [{ after: 'x' }, /after/], [{ limit: 1_001 }, /limit/],
  ] as const) {
    t.match(await stranger.json('job.list', bad), { code: 'INVALID_ARGUMENT', body: { message } });
  }
  await t.rejects(listJobs(client, 'typ:a'), { code: 'INVALID_ARGUMENT', message: /did you mean type\?/ });

  const cwd = t.testdir();
  const ls = (...words: string[]) =>
    run(['jobs', 'ls', ...words, '--nats', reprise.url, '--namespace', reprise.ns], { cwd });
  t.match(await ls('type:even', 'priority:2'), { code: 0, stdout: new RegExp(`${ids[2]} +ready +even +`) });
  t.match(await ls('--limit', '2'), { code: 0, stderr: /There may be more/ });
  const inJson = await ls('type:odd', '--json');
  t.match(JSON.parse(inJson.stdout), { jobs: seen.map((jobId) => ({ jobId })) }, inJson.stderr);
  t.match(await ls('stats:ready'), { code: 1, stderr: /did you mean status\?/ });
  t.match(await run(['jobs', 'ls', '--help'], { cwd }), { code: 0, stdout: /reprise jobs ls label.tenant:acme after:2h/ });
});
