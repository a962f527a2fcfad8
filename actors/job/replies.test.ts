import t from 'tap';
import { RepriseError } from '../../protocols/errors.js';
import { jobId, type Partition } from '../../protocols/ids.js';
import type { Job } from './job.js';
import type { Releasing } from '../reply.js';
import type { JobAnswer } from './answers.js';
import { oneJobReply, submitReply } from './replies.js';

const id = jobId(0 as Partition, new Uint8Array(10));

function context(found: Pick<Job, 'status'> | undefined): Releasing {
  const none = { get: () => undefined, load: () => Promise.reject(new Error('not asked for')) };
  const archived = found && ({ id, attempt: 1, result: undefined, failure: undefined, ...found } as Job);
  return {
    bytes: none, archive: { find: async () => archived }, position: { partition: 0, seq: 9 }, monoMs: 0,
    read: () => ({}), live: () => ({}), onWithheld: () => {},
    takeSnapshot: async () => ({ kind: 'failed', message: '' }),
  };
}

const reply = async (answer: JobAnswer, found?: Pick<Job, 'status'>): Promise<unknown> => {
  const made = await oneJobReply(answer, context(found));
  return made.message ?? made;
};

t.test('given a job that has left the leader, a cancel is answered as if it had not', async (t) => {
  const cancel: JobAnswer = { kind: 'archived', jobId: id, duplicate: true, cancel: true };
  t.match(await reply(cancel, { status: 'completed' }), { error: { code: 'ALREADY_ENDED', message: 'the job is completed' } });
  t.match(await reply(cancel, { status: 'cancelled' }), { jobId: id, status: 'cancelled', duplicate: true });
  t.match(await reply(cancel), { error: { code: 'NOT_FOUND' } });
});

t.test('given a job that has left the leader, a repeated submit gets how it ended', async (t) => {
  t.match(await reply({ kind: 'archived', jobId: id, duplicate: true }, { status: 'failed' }), { jobId: id, status: 'failed', duplicate: true });
});

t.test('given a batch of which one result cannot be read, then that entry alone has the error', async (t) => {
  const answer = (seq: number): JobAnswer => ({
    kind: 'job', jobId: id, status: 'completed', duplicate: false, attempt: 1, cancelling: false, failure: undefined, noWorker: false,
    result: { seq, index: 0, contentType: '' } as Job['result'],
  });
  const load = async (seq: number): Promise<Uint8Array> => {
    if (seq === 2) throw new RepriseError('JOURNAL_BROKEN', 'The content of event 2.0 was changed.');
    if (seq === 3) throw new Error('the server is away');
    return Buffer.from('1');
  };
  const { message } = await submitReply([1, 2, 3].map(answer), { ...context(undefined), bytes: { get: () => undefined, load } });
  t.match(message, { jobs: [
    { jobId: id, result: Buffer.from('1'), error: undefined },
    { error: { code: 'JOURNAL_BROKEN', message: `job ${id} is recorded, but it cannot be shown: The content of event 2.0 was changed.`, retryable: false } },
    { error: { code: 'UNKNOWN', message: /is recorded.*the server is away/, retryable: true } },
  ] });
});
