/** What a partition writes of contents and of what its decisions took from outside, and what it folds without them. */
import t from 'tap';
import { pause } from '../../actors/queue/commands/pause.js';
import { WORKER_EVENTS } from '../../actors/worker/worker.js';
import { JOB_EVENTS, type JobBodies, type JobEvent, type JobEventType } from '../../actors/job/job.events.js';
import { decodeEvent } from '../../actors/kind.js';
import type { Session, WorkerId } from '../../protocols/ids.js';
import { job, journal } from '../../protocols/messages.js';
import { unsaltedRef } from '../../streams/content.js';
import { checkContents, decodeCommit, readCommit, removeContents } from '../../streams/contents.js';
import { EncodedCommit } from '../../streams/encoded-commit.js';
import type { Taken } from '../../actors/step.js';
import { Batch, EventWriter } from './batch.js';
import { failed, job as aJob, leasesIn, newCore, ok, Play, POLICY, salts } from '../../tests/play.js';
import { viewOf } from './state.js';

const FAILURE = { code: 'PERFORMER_ERROR', message: 'cannot open /home/anna', stack: 'at open' };
const attempt = { attempt: 2, lease: 3 };
/** One body of every type, and its content. */
const BODIES: { readonly [T in JobEventType]: readonly [JobBodies[T], Uint8Array?] } = {
  JobSubmitted: [{
    status: 'ready', jobType: 'square', queue: 'default', payload: Buffer.from('{"n":12}'), contentType: 'application/json', priority: -3, key: 'k',
    fingerprint: Buffer.alloc(32, 1), policy: { ...POLICY, backoffListMs: [5, 6] }, labels: { a: 'b' }, totalDueMs: 17,
    startDueMs: 19, require: '{"region":"eu"}', prefer: '{"models":["a"]}',
  }, Buffer.from('{"n":12}')],
  JobDelayed: [{ status: 'scheduled', dueMs: 5 }],
  JobBecameReady: [{ status: 'ready' }],
  JobLeased: [{
    status: 'running', ...attempt, workerId: 'w' as WorkerId, session: 's' as Session, pullSeq: 7, attemptDueMs: 8,
    capabilities: 9, buckets: [{ limit: 'a/', untilMs: 0.5 }], share: { key: 'k', start: 1, end: 1.5 },
  }],
  JobCompleted: [{ status: 'completed', ...attempt, result: Buffer.from('144'), contentType: 'text/plain' }, Buffer.from('144')],
  JobRetryScheduled: [{ status: 'retrying', ...attempt, failure: FAILURE, dueMs: 9, reported: true }, text(FAILURE)],
  JobReclaimed: [{ status: 'ready', ...attempt, failure: { code: 'LEASE_EXPIRED', message: 'silent' }, crashes: 1 }, text({ message: 'silent' })],
  JobReturned: [{ status: 'ready', ...attempt, returns: 1 }],
  JobFailed: [{ status: 'failed', ...attempt, failure: FAILURE, reported: true, crashes: 3 }, text(FAILURE)],
  JobCancelRequested: [{ status: 'running', reason: 'too late' }, Buffer.from('too late')],
  JobCancelled: [{ status: 'cancelled', attempt: 2, failure: FAILURE, reported: true }, text(FAILURE)],
  JobUnworkable: [{ status: 'unworkable', attempt: 2, failure: FAILURE }, text(FAILURE)],
  JobExpired: [{ status: 'expired', attempt: 2, failure: FAILURE }, text(FAILURE)],
  JobRetried: [{
    status: 'ready', generation: 1, payload: Buffer.from('7'), contentType: '', stored: null, jobType: 'square',
    queue: 'default', priority: 4, key: 'k', fingerprint: Buffer.alloc(32, 1),
    policy: { ...POLICY, backoffListMs: [5, 6] }, labels: { a: 'b' }, totalDueMs: 17, place: 3, submittedMs: 5, firstSeq: 2, attempt: 3, lease: 3,
    require: '{"region":"eu"}', prefer: '',
  }, Buffer.from('7')],
  JobReprioritized: [{ status: 'ready', priority: -7 }],
  JobDiscarded: [{ status: 'discarded', attempt: 2, failure: { code: 'X', message: 'no' } }, text({ message: 'no' })],
};
const TYPES = Object.keys(BODIES) as JobEventType[];

function text({ message, stack = '' }: { message: string; stack?: string }): Uint8Array {
  return job.Failure.encode({ message, stack }).finish();
}

function written(add: (batch: Batch) => void, version = 2): Uint8Array {
  const writer = new EventWriter(salts);
  const batch = new Batch(1, 5, 1_000_000, writer);
  add(batch);
  batch.close();
  const header = { version, journalId: 'j', partition: 0, epoch: 1, leaderId: 'l', prevSeq: 0, prevHash: new Uint8Array(), nowMs: 5, minReader: 2 };
  return batch.body.commit(header);
}

const cause = { commandId: 'c', type: 'SubmitJob', by: 'me' };
const decoded = (event: journal.Event.$Properties) => decodeEvent<JobEvent>(JOB_EVENTS, event as journal.Event, 'here');

t.test('the content of every type of event is stored apart and found again; without it the rest is the same', async (t) => {
  const refs: unknown[] = [];
  const bytes = written((batch) => TYPES.forEach((type) => refs.push(batch.add('job', 'id', type, cause, JOB_EVENTS[type], BODIES[type][0]))));
  t.equal(journal.Commit.encode(journal.Commit.decode(bytes)).finish().length, bytes.length, 'nothing is written that generated code does not read');
  const events = decodeCommit(bytes).events;
  const bare = decodeCommit(removeContents(bytes, TYPES.flatMap((type, index) => (BODIES[type][1] ? [index] : [])))).events;
  for (const [index, type] of TYPES.entries()) {
    const [body, content] = BODIES[type];
    const whole = decoded(events[index]!);
    t.match(whole, { type, body, isContentRemoved: false }, type);
    t.same(whole.content, refs[index], 'the fold knows the same of it when it is decided and when it is replayed');
    t.equal(whole.content?.size, content?.length);
    t.same(new EncodedCommit(bytes).content(index), content);
    const { body: rest, content: ref, isContentRemoved } = decoded(bare[index]!);
    t.same([ref, isContentRemoved], [whole.content, content !== undefined]);
    t.equal(rest.status, body.status);
    if ('failure' in body) t.match(rest, { failure: { code: body.failure.code, message: '', stack: '' } }, 'the code of a failure stays');
  }
});

t.test('an empty content is none, and cannot be taken for a removed one', async (t) => {
  const body = { ...BODIES.JobCompleted[0], result: new Uint8Array(0) };
  const bytes = written((batch) => t.equal(batch.add('job', 'id', 'JobCompleted', cause, JOB_EVENTS.JobCompleted, body), undefined));
  t.match(decoded(decodeCommit(bytes).events[0]!), { content: undefined, isContentRemoved: false, body: { contentType: 'text/plain' } });
});

t.test('of version 1, where content was a part of the body, the fold knows the hash without salt', async (t) => {
  for (const type of TYPES) {
    const [body, content] = BODIES[type];
    const event = { kind: 'job', id: 'id', type, version: 1, body: JOB_EVENTS[type].message.encode(body).finish() };
    t.same(decoded(event).content, content && unsaltedRef(content), type);
    t.same(decoded(event).isContentRemoved, false);
  }
});

t.test('what a decision took from outside is written with its event', async (t) => {
  const taken: (Taken | undefined)[] = [{ draw: 0.25, command: Buffer.from('kind') }, { draw: 0 }, { command: Buffer.from('x') }, undefined];
  const body = { status: 'draining', session: 's' };
  const bytes = written((batch) => taken.forEach((each) => batch.add('worker', 'w', 'WorkerDraining', cause, WORKER_EVENTS.WorkerDraining, body, each)));
  t.equal(journal.Commit.encode(journal.Commit.decode(bytes)).finish().length, bytes.length);
  const read = decodeCommit(bytes).events.map(({ input }) => input && { ...(typeof input.draw === 'number' && { draw: input.draw }), command: Buffer.from(input.command!).toString() });
  t.same(read, [{ draw: 0.25, command: 'kind' }, { draw: 0, command: '' }, { command: 'x' }, null]);
});

function played(): Play {
  const play = new Play();
  play.register('w1');
  for (let n = 0; n < 5; n += 1) play.submit({ payload: Buffer.from(`"payload ${n}"`), key: `k${n}` });
  const [a, b, c] = leasesIn(play.pull('w1', 1, 4));
  play.pull('w1', 2, 0, [], [ok(a!), failed(b!)]);
  play.ask<'cancel'>({ kind: 'cancel', target: { queue: 'default', key: 'k4' }, reason: 'no more', commandId: '', by: 'me' });
  play.ask<'cancel'>({ kind: 'cancel', target: { queue: 'default', key: 'k3' }, reason: 'no more', commandId: '', by: 'me' });
  play.tick(10_000);
  play.submit({ ...aJob(), payload: new Uint8Array(0) });
  play.core.step(play.moment, (step) => pause.decide(step, { queue: 'other', reason: 'closed', commandId: '' }, { to: { replyTo: 'replyTo' }, by: 'me' }));
  play.commit();
  t.ok(c);
  return play;
}

t.test('the same journal without its contents folds to the same view', async (t) => {
  const play = played();
  const core = newCore();
  let removed = 0;
  for (const [nth, bytes] of play.commits.entries()) {
    const withContent = readCommit(bytes).commit.events.flatMap(({ content }, index) => (content ? [index] : []));
    const bare = removeContents(bytes, withContent);
    removed += checkContents(new EncodedCommit(bare)).removed.length;
    core.replay(decodeCommit(bare), nth + 1);
  }
  t.ok(removed >= 10, `${removed} contents`);
  t.strictSame(viewOf(core.state), viewOf(play.replayed().state));
  t.notMatch(JSON.stringify(viewOf(play.core.state)), /closed/, 'a text is not in the view');
});
