import t from 'tap';
import { jobId, type Partition } from '../../protocols/ids.js';
import type { Job } from './job.js';
import type { Releasing } from '../reply.js';
import type { JobAnswer } from './answers.js';
import { oneJobReply } from './replies.js';

const id = jobId(0 as Partition, new Uint8Array(10));

function context(found: Pick<Job, 'status'> | undefined): Releasing {
  const none = { get: () => undefined, load: () => Promise.reject(new Error('not asked for')) };
  const archived = found && ({ id, attempt: 1, result: undefined, failure: undefined, ...found } as Job);
  return { bytes: none, archive: { find: async () => archived }, position: { partition: 0, seq: 9 }, monoMs: 0, live: () => ({}) };
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
