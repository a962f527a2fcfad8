/** Any NATS client can use Reprise: here the classic `nats` package, in JSON and protobuf, with 1 and 3 partitions. */
import type { NatsConnection } from 'nats';
import t, { type Test } from 'tap';
import { ERRORS } from '../protocols/errors.js';
import { eventually, queuesOf, Reprise } from './broker.js';
import { Stranger, type Body } from './stranger.js';

interface JobReply {
  readonly jobId: string;
  readonly status: string;
  readonly duplicate: boolean;
  readonly result?: unknown;
  readonly error?: { code: string; message: string; hint: string; retryable: boolean };
  readonly position: { partition: number; seq: number; hash: string; epoch: number };
}
interface Lease {
  readonly token: string;
  readonly jobId: string;
  readonly type: string;
  readonly payload: unknown;
}
const UNPROVED = { workerId: 'nobody', session: 'none' };

const jobOf = (body: Body): JobReply => body as unknown as JobReply;
const jobsOf = (body: Body): JobReply[] => body['jobs'] as JobReply[];

/** A minimal worker, which performs every lease at once with `handle`. It ends with the connection. */
async function serve(stranger: Stranger, partitions: number, handle: (lease: Lease) => object): Promise<void> {
  const me = await stranger.register('w', { types: ['square', 'fails', 'slow'], capacity: 50 });
  for (let partition = 0; partition < partitions; partition += 1) {
    void (async () => {
      let reports: object[] = [];
      for (let pullSeq = 1; !stranger.nc.isClosed(); pullSeq += 1) {
        const pull = { ...me, partition, pullSeq, free: 50, expiresMs: 1_000, reports };
        const { body } = await stranger.json('worker.pull', pull);
        reports = (body['leases'] as Lease[]).map((lease) => ({ token: lease.token, ...handle(lease) }));
      }
    })().catch(() => {});
  }
}

function square({ type, payload }: Lease): object {
  if (type === 'square') return { outcome: 'ok', result: (payload as { n: number }).n ** 2 };
  return { outcome: 'fail', failure: { code: 'BROKEN', message: 'on purpose' } };
}

for (const partitions of [1, 3]) {
  t.test(`with ${partitions} partition(s)`, async (t) => {
    const reprise = await Reprise.start(t, { partitions });
    const queues = queuesOf(partitions);
    const client = await Stranger.connect(reprise);
    t.teardown(() => client.close());
    const submit = async (body: Body): Promise<JobReply> => jobOf((await client.json('job.submit', body)).body);

    t.test('a job is submitted in JSON, recorded where it says, and shown', async (t) => {
      for (const [partition, queue] of queues.entries()) {
        const job = { type: 'unserved', queue, priority: 7, labels: { team: 'a' } };
        const { code, body } = await client.json('job.submit', { ...job, payload: { n: 1 } });
        const { jobId, status, duplicate, position } = jobOf(body);
        t.equal(code, '');
        t.match(jobId, new RegExp(`^${partition}-[0-9a-hjkmnp-tv-z]{16}$`), 'the id begins with the partition');
        t.strictSame([status, duplicate, position.partition], ['ready', false, partition]);
        t.match(position.hash, /^[0-9a-f]{64}$/);
        const shown = (await client.json('job.get', { jobId })).body;
        t.match(shown, { ...job, jobId, status: 'ready', attempt: 0, maxAttempts: 3, firstSeq: position.seq });
      }
    });

    t.test('a job is submitted and shown in protobuf', async (t) => {
      const queue = queues.at(-1)!;
      const content = { payload: Buffer.from([0, 255, 1]), contentType: 'application/x-raw' };
      const { code, body } = await client.proto('job.submit', { jobs: [{ type: 'unserved', queue, ...content }] });
      t.equal(code, '');
      const [{ jobId, status, position }] = jobsOf(body) as [JobReply];
      t.equal(status, 'ready');
      t.equal((position.hash as unknown as Buffer).length, 32);
      const shown = (await client.proto('job.get', { jobId })).body;
      t.match(shown, { jobId, type: 'unserved', queue, status: 'ready' });
    });

    t.test('a batch over all partitions is answered job by job, in order', async (t) => {
      const jobs = Array.from({ length: 30 }, (_, n) => {
        return { type: n === 7 ? 'not a type' : 'unserved', queue: queues[n % partitions], payload: n };
      });
      const answers = jobsOf((await client.json('job.submit', { jobs })).body);
      t.equal(answers.length, 30);
      for (const [n, answer] of answers.entries()) {
        const { hint } = ERRORS.INVALID_ARGUMENT;
        if (n === 7) t.match(answer.error, { code: 'INVALID_ARGUMENT', hint, retryable: false });
        else t.match(answer, { status: 'ready', position: { partition: n % partitions } });
      }
      t.equal(new Set(answers.map((each) => each.jobId)).size, 30, 'each has an id of its own');
      const two = [{ type: 'no type' }, { type: 'unserved', queue: queues.at(-1)! }];
      const proto = jobsOf((await client.proto('job.submit', { jobs: two })).body);
      t.match(proto[0]!.error, { code: 'INVALID_ARGUMENT' });
      t.equal(proto[1]!.status, 'ready');
    });

    t.test('a key names one job of a queue', async (t) => {
      const queue = queues.at(-1)!;
      const first = await submit({ type: 'unserved', queue, key: 'invoice 7', payload: 1 });
      const again = await submit({ type: 'unserved', queue, key: 'invoice 7', payload: 1 });
      t.strictSame([again.jobId, again.duplicate], [first.jobId, true]);
      const other = await client.json('job.submit', { type: 'unserved', queue, key: 'invoice 7', payload: 2 });
      t.strictSame([other.code, other.status], ['KEY_CONFLICT', '409']);
      t.equal((await client.json('job.get', { queue, key: 'invoice 7' })).body['jobId'], first.jobId);
      t.equal((await client.json('job.get', { queue, key: 'invoice 8' })).code, 'NOT_FOUND');
    });

    t.test('a command id makes a submit repeatable, alone and in a batch', async (t) => {
      const queue = queues.at(-1)!;
      const one = { type: 'unserved', queue, commandId: 'c-1', payload: 1 };
      const [first, again] = [await submit(one), await submit(one)];
      t.strictSame([again.jobId, again.duplicate], [first.jobId, true]);
      t.equal((await client.json('job.submit', { ...one, payload: 2 })).code, 'COMMAND_CONFLICT');
      const { body } = await client.json('job.submit', { jobs: [one, { ...one, commandId: 'c-2' }] });
      const [twin, fresh] = jobsOf(body) as [JobReply, JobReply];
      t.strictSame([twin.jobId, twin.duplicate, fresh.duplicate], [first.jobId, true, false]);
    });

    t.test('a waiting job is cancelled, and cancelling again has the same reply', async (t) => {
      const { jobId } = await submit({ type: 'unserved', queue: queues[0], payload: null });
      const cancel = await client.json('job.cancel', { jobId, reason: 'not needed', commandId: 'k-1' });
      const failure = { code: 'CANCELLED', message: 'not needed' };
      t.match(cancel.body, { jobId, status: 'cancelled', failure });
      const again = await client.json('job.cancel', { jobId, commandId: 'k-1' });
      t.match(again.body, { jobId, status: 'cancelled', duplicate: true });
      t.match((await client.json('job.await', { jobId })).body, { jobId, status: 'cancelled' });
    });

    t.test('a command id that cancelled one job cannot cancel another', async (t) => {
      const job = { type: 'unserved', queue: queues[0] };
      const [a, b] = [await submit(job), await submit(job)];
      await client.json('job.cancel', { jobId: a.jobId, commandId: 'k-2' });
      t.equal((await client.json('job.cancel', { jobId: b.jobId, commandId: 'k-2' })).code, 'COMMAND_CONFLICT');
      t.equal((await client.json('job.get', { jobId: b.jobId })).body['status'], 'ready');
    });

    t.test('errors come in the headers of NATS micro and in the body, in the form of the request', async (t) => {
      const refusals: [string, unknown, keyof typeof ERRORS][] = [
        ['job.submit', { type: 'x', foo: 1 }, 'INVALID_ARGUMENT'],
        ['job.get', { jobId: '0-0000000000000000' }, 'NOT_FOUND'],
        ['job.await', { jobId: '0-0000000000000000' }, 'NOT_FOUND'],
        ['job.cancel', { jobId: '0-0000000000000000' }, 'NOT_FOUND'],
        ['job.get', { jobId: '255-0000000000000000' }, 'WRONG_PARTITION'],
        ['worker.pull', { ...UNPROVED, pullSeq: 1, free: 1, expiresMs: 100 }, 'SESSION_UNPROVED'],
        ['job.submit', { type: 'x', require: { gpu: '1' } }, 'REQUIREMENT_INVALID'],
      ];
      for (const [subject, body, code] of refusals) {
        const answer = await client.json(subject, body);
        t.equal(answer.code, code, subject);
        t.equal(answer.status, String(ERRORS[code].status));
        t.match(answer.body, { code, hint: ERRORS[code].hint, retryable: ERRORS[code].retryable, message: String });
      }
      const binary = await client.proto('job.get', { jobId: '0-0000000000000000' });
      t.match(binary, { code: 'NOT_FOUND', status: '404', body: { code: 'NOT_FOUND', retryable: false } });
      t.equal((await client.raw('job.get', '{')).headers?.get('Nats-Service-Error-Code'), '400', 'malformed JSON');
    });

    t.test('NATS micro announces the service', async (t) => {
      const info = await firstOf(client.nc, '$SRV.INFO.reprise');
      t.match(info, { type: 'io.nats.micro.v1.info_response', name: 'reprise', metadata: { namespace: reprise.ns } });
      const subjects = (info['endpoints'] as { subject: string }[]).map((each) => each.subject);
      for (const verb of [
        'job.submit', 'job.get', 'job.await', 'job.cancel', 'worker.register', 'worker.pull', 'worker.report',
        'worker.heartbeat', 'worker.drain',
      ]) {
        t.ok(subjects.includes(`reprise.${reprise.ns}.${verb}`), verb);
      }
      t.match(await firstOf(client.nc, '$SRV.PING'), { type: 'io.nats.micro.v1.ping_response', name: 'reprise' });
      const stats = await firstOf(client.nc, '$SRV.STATS.reprise');
      const endpoints = stats['endpoints'] as { subject: string; num_requests: number; data: unknown }[];
      const submits = endpoints.find((each) => each.subject.endsWith('job.submit'));
      t.ok(submits && submits.num_requests > 0, 'requests are counted');
      t.match(submits, { data: { commandWindowMs: 600_000 } }, 'for how long a repeated command is recognized');
    });

    t.test('with a worker', (t) => withWorker(t, { reprise, client, queues, submit }));
  });
}

interface Stage {
  readonly reprise: Reprise;
  readonly client: Stranger;
  /** One for each partition. */
  readonly queues: readonly string[];
  submit(body: Body): Promise<JobReply>;
}

async function withWorker(t: Test, { reprise, client, queues, submit }: Stage): Promise<void> {
  const partitions = queues.length;
  const worker = await Stranger.connect(reprise);
  t.teardown(() => worker.close());
  await serve(worker, partitions, square);

  t.test('submit with wait returns the result, in both forms', async (t) => {
    for (const queue of queues) {
      const completed = await submit({ type: 'square', queue, payload: { n: 12 }, wait: true });
      t.match(completed, { status: 'completed', result: 144 });
      const five = { type: 'square', queue, payload: Buffer.from('{"n":5}') };
      const { body } = await client.proto('job.submit', { jobs: [five], wait: true });
      t.equal(String(jobsOf(body)[0]!.result), '25');
    }
  });

  t.test('await returns the outcome, by id and by key, before and after the end', async (t) => {
    const queue = queues.at(-1)!;
    const { jobId } = await submit({ type: 'square', queue, key: 'awaited', payload: { n: 3 } });
    const outcome = { jobId, status: 'completed', result: 9 };
    t.match((await client.json('job.await', { jobId })).body, { ...outcome, attempt: 1 });
    t.match((await client.json('job.await', { queue, key: 'awaited' })).body, outcome);
    const binary = (await client.proto('job.await', { jobId })).body;
    t.equal(String(binary['result']), '9');
    t.match((await client.json('job.get', { jobId })).body, { status: 'completed', result: 9, workerId: 'w' });
    t.equal((await client.json('job.cancel', { jobId })).code, 'ALREADY_ENDED');
  });

  t.test('await returns the current status after its time-out', async (t) => {
    const { jobId } = await submit({ type: 'unserved', queue: queues[0] });
    t.match((await client.json('job.await', { jobId, waitMs: 100 })).body, { jobId, status: 'ready' });
  });

  t.test('the reply says if no worker performs a job, in both forms', async (t) => {
    const queue = queues.at(-1)!;
    const lacking = await eventually(async () => {
      const reply = await submit({ type: 'unserved', queue });
      return 'noWorker' in reply && reply;
    });
    t.match(lacking, { status: 'ready', noWorker: true });
    t.match((await client.json('job.get', { jobId: lacking.jobId })).body, { noWorker: true });
    t.match((await client.proto('job.get', { jobId: lacking.jobId })).body, { noWorker: true });
    const served = await submit({ type: 'square', queue, payload: { n: 1 } });
    t.notOk('noWorker' in served, 'not for other jobs');
  });

  t.test('a batch over all partitions with wait returns every outcome, in order', async (t) => {
    const jobs = Array.from({ length: 12 }, (_, n) => {
      return { type: n === 4 ? 'fails' : 'square', queue: queues[n % partitions], payload: { n } };
    });
    const answers = jobsOf((await client.json('job.submit', { jobs, wait: true })).body);
    for (const [n, answer] of answers.entries()) {
      if (n === 4) t.match(answer, { status: 'failed', failure: { code: 'BROKEN', message: 'on purpose' } });
      else t.match(answer, { status: 'completed', result: n * n });
    }
  });

  t.test('a delayed job starts when it is due', async (t) => {
    const sentMs = Date.now();
    const delayed = { type: 'square', queue: queues.at(-1), payload: { n: 2 }, delayMs: 400 };
    const { jobId, status } = await submit(delayed);
    t.equal(status, 'scheduled');
    t.match((await client.json('job.get', { jobId })).body, { status: 'scheduled', attempt: 0 });
    t.match((await client.json('job.await', { jobId })).body, { status: 'completed', result: 4 });
    t.ok(Date.now() - sentMs >= 390, 'and not before');
    const runAt = new Date(Date.now() + 300).toISOString();
    t.match(await submit({ type: 'square', payload: { n: 2 }, runAt }), { status: 'scheduled' });
  });

  t.test('a subscriber gets the committed facts of a job, in order, with their positions', async (t) => {
    const facts: Body[] = [];
    client.nc.subscribe(`reprise.${reprise.ns}.event.job.>`, {
      callback: (_, msg) => facts.push({ subject: msg.subject, ...client.decode('journal.v1.Fact', msg.data) }),
    });
    await client.nc.flush();
    const queue = queues.at(-1)!;
    const { jobId } = await submit({ type: 'square', queue, payload: { n: 6 }, wait: true });
    const mine = await eventually(() => {
      const own = facts.filter((each) => String(each['subject']).split('.')[4] === jobId);
      return own.length >= 3 && own;
    });
    const types = mine.map((each) => String(each['subject']).split('.')[5]);
    t.strictSame(types, ['JobSubmitted', 'JobLeased', 'JobCompleted']);
    t.ok(mine.every((each) => each['partition'] === partitions - 1));
    const seqs = mine.map((each) => each['seq'] as number);
    t.ok(seqs.every((seq, n) => seq > 0 && (n === 0 || seq >= seqs[n - 1]!)), 'positions rise');
  });
}

async function firstOf(nc: NatsConnection, subject: string): Promise<Body> {
  return (await nc.request(subject, undefined, { timeout: 2_000 })).json<Body>();
}
