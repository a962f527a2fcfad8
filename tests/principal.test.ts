/** Who asked: what a client says of itself in a header, recorded as the cause of what its request made happen. */
import { headers, type Msg, type MsgHdrs } from 'nats';
import t, { type Test } from 'tap';
import type { JobId } from '../protocols/ids.js';
import { job } from '../protocols/messages.js';
import { history } from '../replay/history.js';
import { connectClient } from '../sdk/client.js';
import { queuesOf, Reprise } from './broker.js';
import { Stranger } from './stranger.js';

const HEADER = 'Reprise-Principal';
const REQUESTS = 40;

const claiming = (...principals: readonly string[]): MsgHdrs => {
  const h = headers();
  for (const each of principals) h.append(HEADER, each);
  return h;
};

interface Stage {
  readonly reprise: Reprise;
  readonly client: Stranger;
  /** Over a public subject. */
  ask(subject: string, data: Uint8Array | string, claimed: MsgHdrs): Promise<Msg>;
}

async function stage(t: Test, options: { partitions: number; brokers: number }): Promise<Stage> {
  const reprise = await Reprise.start(t, options);
  const client = await Stranger.connect(reprise);
  t.teardown(() => client.close());
  const ask: Stage['ask'] = (subject, data, claimed) =>
    client.nc.request(`reprise.${reprise.ns}.${subject}`, data, { headers: claimed, timeout: 5_000 });
  return { reprise, client, ask };
}

/** Of every event of a job: what was asked, by whom, and whether that is verified. */
async function causes({ brokerUrl, ns }: Reprise, jobId: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { event: { cause } } of history({ url: brokerUrl, ns }, jobId as JobId)) {
    found.push(`${cause?.type} by ${cause?.by || 'nobody'}${cause?.verified ? ', verified' : ''}`);
  }
  return found;
}

t.test('a principal is recorded with what its request caused', async (t) => {
  const { reprise, client, ask } = await stage(t, { partitions: 1, brokers: 1 });
  const ours = await connectClient({ url: reprise.url, namespace: reprise.ns, principal: 'ada@engine' });
  const silent = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => Promise.all([ours.close(), silent.close()]).then(() => {}));

  const [claimed] = await ours.submit([{ type: 'kept' }]);
  await silent.cancel({ jobId: claimed!.jobId });
  t.same(await causes(reprise, claimed!.jobId), ['SubmitJob by ada@engine', 'CancelJob by nobody']);
  const [unclaimed] = await silent.submit([{ type: 'done' }]);
  await ours.cancel({ jobId: unclaimed!.jobId });
  t.same(await causes(reprise, unclaimed!.jobId), ['SubmitJob by nobody', 'CancelJob by ada@engine']);

  const [worked] = await ours.submit([{ type: 'work' }]);
  const me = await client.register('w1', { types: ['work'], capacity: 1 });
  const pulled = await client.json('worker.pull', { ...me, pullSeq: 1, free: 1, expiresMs: 100 });
  const [{ token }] = pulled.body['leases'] as [{ token: string }];
  const report = JSON.stringify({ ...me, reports: [{ token, outcome: 'ok' }] });
  await ask('worker.report', report, claiming('mallory'));
  const expected = ['SubmitJob by ada@engine', 'Pull by w1', 'ReportAttempt by w1'];
  t.same(await causes(reprise, worked!.jobId), expected, 'a session that is proved says who');
});

t.test('given several brokers, it comes along with what one of them passes on or splits', async (t) => {
  const { reprise, ask } = await stage(t, { partitions: 2, brokers: 2 });
  const submit = async (body: object, principal: string): Promise<string[]> => {
    const reply = await ask('job.submit', JSON.stringify(body), claiming(principal));
    const { jobId, jobs } = reply.json<{ jobId?: string; jobs?: { jobId: string }[] }>();
    return jobs?.map((each) => each.jobId) ?? [jobId!];
  };
  const queues = queuesOf(2);
  const wrong: string[] = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const principal = `client-${n}`;
    const jobs = queues.map((queue) => ({ type: 'kept', queue }));
    const ids = [...(await submit(jobs[n % 2]!, principal)), ...(await submit({ jobs }, principal))];
    for (const id of ids) {
      const [submitted] = await causes(reprise, id);
      if (submitted !== `SubmitJob by ${principal}`) wrong.push(`${id}: ${submitted}`);
    }
  }
  t.same(wrong, []);
});

t.test('what is no principal is refused, and nothing is recorded', async (t) => {
  const { reprise, ask } = await stage(t, { partitions: 1, brokers: 1 });
  const forms = [Buffer.from('{"type":"x"}'), job.SubmitJobs.encode({ jobs: [{ type: 'x' }] }).finish()];
  const refused: readonly (readonly [string, MsgHdrs])[] = [
    ['129 bytes', claiming('x'.repeat(129))], ['65 characters of 2 bytes', claiming('é'.repeat(65))],
    ['a control character', claiming('a\u0001b')], ['half of a surrogate pair', claiming('a\ud800')],
    ['two of them', claiming('a', 'b')], ['a later control character', claiming('a\u0085b')],
    ['one that changes the order of text', claiming('a\u202eb')], ['a line separator', claiming('a\u2028b')],
  ];
  for (const [name, given] of refused) {
    for (const data of forms) {
      const reply = await ask('job.submit', data, given);
      t.match(reply.headers?.get('Nats-Service-Error'), /^INVALID_ARGUMENT: the header Reprise-Principal /, name);
    }
  }
  const most = await ask('job.submit', forms[0]!, claiming('x'.repeat(128)));
  t.match(most.json(), { status: 'ready', position: { seq: 2 } }, '128 bytes are one, in the first commit of jobs');
  const wrong = connectClient({ url: reprise.url, principal: 'a\nb' });
  await t.rejects(wrong, { code: 'INVALID_ARGUMENT', message: /principal/ });
  const hidden = connectClient({ url: reprise.url, principal: 'a\u202eb' });
  await t.rejects(hidden, { code: 'INVALID_ARGUMENT', message: /principal .* not "a\\u\{202e\}b"/ });
});
