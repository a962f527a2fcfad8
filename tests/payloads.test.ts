/**
 * Payloads and results are bytes: from whoever sent them to whoever reads them, to the last digit and space. The rest of
 * a request is taken as it was sent or refused, and never changed silently. Requests and answers are compared as text.
 */
import type { Msg } from 'nats';
import t from 'tap';
import { connectClient } from '../sdk/client.js';
import { Reprise } from './broker.js';
import { Stranger, type Answer } from './stranger.js';

const ODD = '{"id":12345678901234567890,"x":1e400,\n\t"a" : [ 1.50, -0.0e+00 ],"a":"\\u0061\\/\\ud800","":{"__proto__":1,"payload":[]}}';
const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);

const reprise = await Reprise.start(t);
const client = await Stranger.connect(reprise);
t.teardown(() => client.close());
const text = async (subject: string, request: string): Promise<string> => String(Buffer.from((await client.raw(subject, request)).data));
const codeOf = (msg: Msg): string => (msg.headers?.get('Nats-Service-Error') ?? '').split(':')[0]!;
const countOf = (all: string, part: string): number => all.split(part).length - 1;

/** A session of its own for one type of job. */
async function workerFor(type: string): Promise<{ me: string; pull(): Promise<string>; finish(leases: string, result: string): Promise<void> }> {
  const me = JSON.stringify(await client.register('w', { types: [type], capacity: 10 })).slice(1, -1);
  let pullSeq = 0;
  return {
    me,
    pull: () => text('worker.pull', `{${me},"pullSeq":${(pullSeq += 1)},"free":10,"expiresMs":2000}`),
    finish: async (leases, result) => {
      const reports = [...leases.matchAll(/"token":"([^"]+)"/g)].map(([, token]) => `{"token":"${token}","outcome":"ok","result":${result}}`);
      await text('worker.report', `{${me},"reports":[${reports.join(' , ')}]}`);
    },
  };
}

for (const [name, given] of [['odd', ODD], ['deep', DEEP], ['spaced', ' \r\n"ä𝕏"\t'], ['number', '-0.10E+2']] as const) {
  t.test(`what is ${name} comes back byte for byte`, async (t) => {
    const stored = given.trim();
    const worker = await workerFor(name);
    await t.test('alone', async (t) => {
      const waiting = text('job.submit', `{"type":"${name}","key":"${name}","payload":${given},"wait":true}`);
      const leases = await worker.pull();
      t.ok(leases.includes(`"payload":${stored}}`), 'in a lease');
      await worker.finish(leases, given);
      t.ok((await waiting).includes(`"result":${stored}}`), 'in the answer to a waiting submit');
      t.ok((await text('job.await', `{"key":"${name}"}`)).includes(`"result":${stored}}`), 'in the answer to await');
      t.ok((await text('job.get', `{"key":"${name}"}`)).includes(`"result":${stored}}`), 'in a view');
      t.equal(String((await client.proto('job.await', { key: name })).body['result']), stored, 'in protobuf');
    });
    await t.test('in a batch', async (t) => {
      const waiting = text('job.submit', `{"jobs":[{"payload":${given},"type":"${name}"},{"type":"${name}","payload":${given}}],"wait":true}`);
      const leases = await worker.pull();
      t.equal(countOf(leases, `"payload":${stored}}`), 2);
      await worker.finish(leases, given);
      t.equal(countOf(await waiting, `"result":${stored}}`), 2);
    });
  });
}

t.test('a key is taken by bytes, not by values', async (t) => {
  const submit = async (payload: string): Promise<string> => codeOf(await client.raw('job.submit', `{"type":"none","key":"bytes","payload":${payload}}`));
  t.equal(await submit('{"a":1}'), '');
  t.equal(await submit(' {"a":1} '), '', 'white space around a value is not part of it');
  t.equal(await submit('{"a": 1}'), 'KEY_CONFLICT');
  t.equal((await client.proto('job.submit', { jobs: [{ type: 'none', key: 'bytes', payload: Buffer.from('{"a":1}') }] })).code, '', 'the same in protobuf');
});

t.test('what only claims to be JSON breaks no answer', async (t) => {
  const worker = await workerFor('claims');
  for (const bytes of [Buffer.from('{"a":'), Buffer.from('1}],"leases":[{"token":"forged"'), Buffer.from([0x22, 0xff, 0x22]), Buffer.from('\ufeff1'), Buffer.from('1 2')]) {
    await client.proto('job.submit', { jobs: [{ type: 'claims', payload: bytes }] });
    const leases = await worker.pull();
    const [lease] = (JSON.parse(leases) as { leases: Record<string, unknown>[] }).leases;
    t.match(lease, { payloadBase64: bytes.toString('base64'), contentType: 'application/json' });
    await worker.finish(leases, '1');
  }
});

t.test('a worker and a client of ours pass on what they do not parse', async (t) => {
  const ours = await connectClient({ url: reprise.url, namespace: reprise.ns });
  t.teardown(() => ours.close());
  const worker = await workerFor('ours');
  const [submitted] = await ours.submit([{ type: 'ours', payload: Buffer.from(ODD), contentType: 'application/json' }]);
  const { jobId } = submitted!;
  const leases = await worker.pull();
  t.ok(leases.includes(`"payload":${ODD}}`));
  await worker.finish(leases, ODD);
  const answer = await ours.await({ jobId });
  t.equal(String(Buffer.from(answer.resultBytes!)), ODD);
  t.match(answer.result, { x: Infinity }, 'and parsed, as far as a double goes');
  t.equal(String(Buffer.from((await ours.get({ jobId })).resultBytes!)), ODD);
});

t.test('what cannot be kept as it was sent is refused, and the field named', async (t) => {
  const job = (more: string): readonly ['job.submit', string] => ['job.submit', `{"type":"none",${more}}`];
  const pull = (more: string): readonly ['worker.pull', string] => ['worker.pull', `{"workerId":"w","session":"s","free":1,"expiresMs":1,${more}}`];
  const cases: readonly (readonly [readonly [string, string], RegExp])[] = [
    [job('"payload":1,"payload":2'), /payload is given twice/], [job('"payload":1,"p\\u0061yload":2'), /payload is given twice/],
    [job('"labels":{"a":"1","a":"2"}'), /labels\.a is given twice/], [job('"require":{"a":"1","a":"2"}'), /require\.a is given twice/],
    [job('"retry":{"maxAttempts":1,"maxAttempts":2}'), /retry\.maxAttempts is given twice/],
    [job('"labels":{"__proto__":"1"}'), /labels\.__proto__ is not allowed/], [job('"require":{"__proto__":"1"}'), /require\.__proto__ is not allowed/],
    [['job.submit', '{"jobs":[{"type":"none"},{"type":"none","type":"none"}]}'], /jobs\.1\.type is given twice/],
    [['job.submit', `{"type":"none","labels":${DEEP},"labels":{}}`], /labels.* is nested too deeply/],
    [['worker.report', '{"workerId":"w","session":"s","reports":[{"token":"0-0000000000000000/1/1","outcome":"ok","result":1,"result":2}]}'], /reports\.0\.result is given twice/],
    [['job.get', '{"key":"a","key":"b"}'], /key is given twice/],
    [job('"priority":1e400'), /priority/], [job('"priority":1.00000000000000000001'), /priority/], [job('"delayMs":1e-400'), /delayMs/],
    [job('"delayMs":0.99999999999999999999'), /delayMs/], [job(`"priority":${'0'.padStart(2, '-')}.${'0'.repeat(400_000)}1`), /priority/],
    [pull('"pullSeq":9007199254740993'), /pullSeq/], [pull('"pullSeq":1,"partition":1e400'), /partition/],
    [job('"runAt":"2099-01-01T00:00:00.0001Z"'), /runAt/],
    [job('"key":"\\ud800"'), /key must not hold .* half of a surrogate pair/], [job('"labels":{"a":"\\udc00"}'), /labels\.a must not/],
  ];
  for (const [[subject, request], says] of cases) {
    const answer = JSON.parse(await text(subject, request)) as Answer['body'];
    t.match(answer, { code: 'INVALID_ARGUMENT', message: says }, request.slice(0, 100));
  }
  for (const taken of ['"priority":1.5e1', '"delayMs":-0', '"retry":{"backoff":{"factor":1.5,"jitter":0.10}}', '"runAt":"2026-01-01T00:00:00.123000Z"', '"key":"\\ud83d\\ude00"']) {
    t.equal(codeOf(await client.raw('job.submit', `{"type":"none",${taken}}`)), '', taken);
  }
});

t.test('a request that is not UTF-8 is malformed, in both forms', async (t) => {
  for (const member of ['payload', 'key']) {
    const request = Buffer.concat([Buffer.from(`{"type":"none","${member}":"`), Buffer.from([0xff]), Buffer.from('"}')]);
    t.equal(codeOf(await client.raw('job.submit', request)), 'MALFORMED', member);
  }
  const job = client.encode('job.v1.SubmitJobs', { jobs: [{ type: 'none', key: 'kkkk', commandId: 'cccc' }] });
  for (const byte of ['k', 'c']) {
    const request = Buffer.from(job);
    request[request.lastIndexOf(byte)] = 0xff;
    t.equal(codeOf(await client.raw('job.submit', request)), 'MALFORMED', byte);
  }
});

t.test('a number that does not fit its protobuf field is refused, not cut', async (t) => {
  const priority = Buffer.from([0x28, 0x82, 0x80, 0x80, 0x80, 0x10]); // sint32 of 2^32 + 2, before zigzag
  const job = Buffer.concat([client.encode('job.v1.SubmitJob', { type: 'none' }), priority]);
  const request = Buffer.concat([Buffer.from([0x0a, job.length]), job]);
  t.equal(codeOf(await client.raw('job.submit', request)), 'INVALID_ARGUMENT');
});

t.test('text that has no UTF-8 form does not get into the journal, so the next leader can read it', async (t) => {
  const worker = await workerFor('half');
  await text('job.submit', '{"type":"half","key":"half \\ud800"}');
  await text('job.submit', '{"type":"half","labels":{"a":"\\ud800"}}');
  const says = ['\\ud800', `${'x'.repeat(4_095)}\\ud83d\\ude00`];
  for (const key of ['1', '2']) await text('job.submit', `{"type":"half","key":"${key}"}`);
  const tokens = [...(await worker.pull()).matchAll(/"token":"([^"]+)"/g)].map(([, token]) => token);
  t.equal(tokens.length, 2);
  const reports = tokens.map((token, n) => `{"token":"${token}","outcome":"fail","failure":{"code":"X","message":"${says[n]}"}}`);
  await text('worker.report', `{${worker.me},"reports":[${reports.join(',')}]}`);
  await reprise.stopBroker(reprise.brokers[0]!);
  await reprise.startBroker();
  const failureOf = (key: string): Promise<object> => client.patient('job.get', { key }).then(({ body }) => body['failure'] as object);
  t.strictSame(await failureOf('1'), { code: 'X', message: '\ufffd' });
  t.strictSame(await failureOf('2'), { code: 'X', message: 'x'.repeat(4_095) });
});
