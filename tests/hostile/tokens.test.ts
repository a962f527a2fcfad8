/**
 * Only the session that was given a lease can use it: end its attempt, renew it or give it back. The attacker knows
 * everything that is visible to ordinary users: job ids, worker ids and sessions.
 */
import t from 'tap';
import { Reprise } from '../broker.js';
import { Stranger, type Answer, type Body, type Me } from '../stranger.js';

const reprise = await Reprise.start(t);
const client = await Stranger.connect(reprise);
t.teardown(() => client.close());

const pull = async (me: Me, pullSeq: number, more: Body = {}): Promise<Answer> =>
  client.json('worker.pull', { ...me, pullSeq, free: 1, expiresMs: 500, ...more });
const leaseIn = ({ body }: Answer): string => (body['leases'] as { token: string }[])[0]!.token;
const statusOf = async (jobId: string): Promise<unknown> => (await client.json('job.get', { jobId })).body['status'];

const victim = await client.register('victim', { types: ['guarded'], capacity: 10 });
const attacker = await client.register('attacker', { types: ['other'], capacity: 10 });
const submitted = await client.json('job.submit', { type: 'guarded', payload: 1 });
const jobId = submitted.body['jobId'] as string;
const token = leaseIn(await pull(victim, 1));
const unsigned = `${jobId}/1/1`;

/** Tokens that can be made without knowing the real one. */
const forged = [
  unsigned,
  `${unsigned}/1.${'A'.repeat(22)}`,
  `${unsigned}/${attacker.proof}`,
  `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
  token.slice(0, -1),
];

t.test('a session that was never registered cannot report', async (t) => {
  const claims = [
    { session: 'mine', proof: '' },
    { session: victim.session, proof: '' },
    { session: victim.session, proof: attacker.proof },
  ];
  for (const of of [unsigned, token]) {
    for (const claim of claims) {
      const body = { workerId: 'victim', ...claim, reports: [{ token: of, outcome: 'ok', result: 'forged' }] };
      t.equal((await client.json('worker.report', body)).code, 'SESSION_UNPROVED');
      const pulled = await client.json('worker.pull', { ...body, pullSeq: 9, free: 0, expiresMs: 100 });
      t.equal(pulled.code, 'SESSION_UNPROVED');
    }
  }
  t.equal(await statusOf(jobId), 'running');
});

t.test('another session cannot end, renew or give back the attempt, even with its token', async (t) => {
  for (const of of [token, ...forged]) {
    for (const outcome of ['ok', 'fail', 'retry', 'cancelled']) {
      const report = { token: of, outcome, result: outcome === 'ok' ? 1 : undefined };
      t.strictSame((await client.json('worker.report', { ...attacker, reports: [report] })).body['revoked'], [of]);
    }
    t.strictSame((await client.json('worker.heartbeat', { ...attacker, tokens: [of] })).body['revoked'], [of]);
    t.strictSame((await pull(attacker, 1, { held: [of], free: 0 })).body['revoked'], [of]);
  }
  t.equal(await statusOf(jobId), 'running');
});

t.test('a guessed token is revoked in the right session too', async (t) => {
  for (const of of forged) {
    const report = { token: of, outcome: 'ok', result: 1 };
    t.strictSame((await client.json('worker.report', { ...victim, reports: [report] })).body['revoked'], [of]);
  }
  t.equal(await statusOf(jobId), 'running');
});

t.test('a session cannot be taken over or ended without its proof', async (t) => {
  for (const proof of ['', attacker.proof, '1.', `1.${'A'.repeat(22)}`]) {
    const claim = { workerId: 'victim', session: victim.session, proof };
    const registered = await client.json('worker.register', { ...claim, types: ['guarded'], capacity: 10 });
    t.equal(registered.code, 'SESSION_UNPROVED');
    t.equal((await client.json('worker.drain', { ...claim, gone: true })).code, 'SESSION_UNPROVED');
    t.equal((await client.json('worker.heartbeat', { ...claim, tokens: [token] })).code, 'SESSION_UNPROVED');
  }
  const namesake = await client.register('victim', { types: ['guarded'], capacity: 10 });
  t.not(namesake.session, victim.session, 'the same name gets another session');
  t.strictSame((await pull(namesake, 1, { expiresMs: 100 })).body['leases'], [], 'and none of the leases');
});

t.test('the session that holds the lease ends its attempt', async (t) => {
  const report = { token, outcome: 'ok', result: 'true' };
  t.strictSame((await client.json('worker.report', { ...victim, reports: [report] })).body['revoked'], []);
  t.match((await client.json('job.get', { jobId })).body, { status: 'completed', result: 'true' });
});

t.test('after a change of leader the same session goes on with the same token', async (t) => {
  const { body } = await client.json('job.submit', { type: 'guarded', payload: 2 });
  const held = leaseIn(await pull(victim, 2));
  await reprise.stopBroker(reprise.brokers[0]!);
  await reprise.startBroker();
  const again = await client.patient('worker.pull', { ...victim, pullSeq: 3, free: 1, expiresMs: 500 });
  if (again.code === 'UNKNOWN_WORKER') {
    await client.register('victim', { ...victim, types: ['guarded'], capacity: 10 });
  }
  const report = { token: held, outcome: 'ok', result: 3 };
  t.strictSame((await client.patient('worker.report', { ...victim, reports: [report] })).body['revoked'], []);
  t.equal(await statusOf(body['jobId'] as string), 'completed');
});
