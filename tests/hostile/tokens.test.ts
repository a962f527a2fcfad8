/**
 * Whoever is not given a lease can do nothing with it: end its attempt, renew it, give it back, or take its session over.
 * The attacker knows everything that is shown: job ids, worker ids and sessions.
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
const { body: { jobId } } = await client.json('job.submit', { type: 'guarded', payload: 1 }) as Answer & { body: { jobId: string } };
const token = leaseIn(await pull(victim, 1));
const [own] = [`${jobId}/1/1`];

/** Everything that a token could be replaced by without knowing it. */
const forged = [own, `${own}/1.${'A'.repeat(22)}`, `${own}/${attacker.proof}`, `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, token.slice(0, -1)];

t.test('who never registered cannot report', async (t) => {
  for (const of of [own, token]) {
    for (const claim of [{ session: 'mine', proof: '' }, { session: victim.session, proof: '' }, { session: victim.session, proof: attacker.proof }]) {
      const body = { workerId: 'victim', ...claim, reports: [{ token: of, outcome: 'ok', result: 'forged' }] };
      t.equal((await client.json('worker.report', body)).code, 'SESSION_UNPROVED');
      t.equal((await client.json('worker.pull', { ...body, pullSeq: 9, free: 0, expiresMs: 100 })).code, 'SESSION_UNPROVED');
    }
  }
  t.equal(await statusOf(jobId), 'running');
});

t.test('another session cannot end, renew or give back the attempt, even with its token', async (t) => {
  for (const of of [token, ...forged]) {
    for (const outcome of ['ok', 'fail', 'retry', 'cancelled']) {
      t.strictSame((await client.json('worker.report', { ...attacker, reports: [{ token: of, outcome, result: outcome === 'ok' ? 1 : undefined }] })).body['revoked'], [of]);
    }
    t.strictSame((await client.json('worker.heartbeat', { ...attacker, tokens: [of] })).body['revoked'], [of]);
    t.strictSame((await pull(attacker, 1, { held: [of], free: 0 })).body['revoked'], [of]);
  }
  t.equal(await statusOf(jobId), 'running');
});

t.test('a guessed token is worth nothing in the right session either', async (t) => {
  for (const of of forged) t.strictSame((await client.json('worker.report', { ...victim, reports: [{ token: of, outcome: 'ok', result: 1 }] })).body['revoked'], [of]);
  t.equal(await statusOf(jobId), 'running');
});

t.test('a session cannot be taken over or ended by somebody else', async (t) => {
  for (const proof of ['', attacker.proof, '1.', `1.${'A'.repeat(22)}`]) {
    const claim = { workerId: 'victim', session: victim.session, proof };
    t.equal((await client.json('worker.register', { ...claim, types: ['guarded'], capacity: 10 })).code, 'SESSION_UNPROVED');
    t.equal((await client.json('worker.drain', { ...claim, gone: true })).code, 'SESSION_UNPROVED');
    t.equal((await client.json('worker.heartbeat', { ...claim, tokens: [token] })).code, 'SESSION_UNPROVED');
  }
  const namesake = await client.register('victim', { types: ['guarded'], capacity: 10 });
  t.not(namesake.session, victim.session, 'the same name gets a session of its own');
  t.strictSame((await pull(namesake, 1, { expiresMs: 100 })).body['leases'], [], 'and none of the leases');
});

t.test('the one who holds the lease ends it', async (t) => {
  t.strictSame((await client.json('worker.report', { ...victim, reports: [{ token, outcome: 'ok', result: 'true' }] })).body['revoked'], []);
  t.match((await client.json('job.get', { jobId })).body, { status: 'completed', result: 'true' });
});

t.test('after a change of leader the same session goes on with the same token', async (t) => {
  const { body } = await client.json('job.submit', { type: 'guarded', payload: 2 });
  const held = leaseIn(await pull(victim, 2));
  await reprise.stopBroker(reprise.brokers[0]!);
  await reprise.startBroker();
  const again = await client.patient('worker.pull', { ...victim, pullSeq: 3, free: 1, expiresMs: 500 });
  if (again.code === 'UNKNOWN_WORKER') await client.register('victim', { ...victim, types: ['guarded'], capacity: 10 });
  t.strictSame((await client.patient('worker.report', { ...victim, reports: [{ token: held, outcome: 'ok', result: 3 }] })).body['revoked'], []);
  t.equal(await statusOf(body['jobId'] as string), 'completed');
});
