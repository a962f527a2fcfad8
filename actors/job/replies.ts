/** Makes replies about jobs. Results are read from the journal. */
import { reject, wireError } from '../../protocols/errors.js';
import type { JobId } from '../../protocols/ids.js';
import type { job as messages } from '../../protocols/messages.js';
import { REMOVED } from '../../streams/payloads.js';
import { isLater, message, refused, unreadable, type Releasing, type Reply, type Sooner } from '../reply.js';
import type { JobAnswer, ViewAnswer } from './answers.js';
import { viewOf } from './job.view.js';
import type { BytesRef } from './job.js';

type JobReply = messages.JobReply.$Properties;
type JobView = messages.JobView.$Properties;

/** Of a submit: an entry for each job. */
export function submitReply(answers: readonly JobAnswer[], releasing: Releasing): Sooner<Reply> {
  const made = answers.map((each) => entryOf(each, releasing));
  if (!made.some(isLater)) return message({ jobs: made as JobReply[] });
  return Promise.all(made).then((jobs) => message({ jobs }));
}

/** A result that cannot be read is an error of its own entry. */
function entryOf(answer: JobAnswer, releasing: Releasing): Sooner<JobReply> {
  const reply = jobReply(answer, releasing);
  return isLater(reply) ? reply.catch((error: unknown) => unreadableEntry(answer, error)) : reply;
}

function unreadableEntry(answer: JobAnswer, error: unknown): JobReply {
  const { code, message: why } = unreadable(error);
  const recorded = answer.kind === 'refused' ? '' : `job ${answer.jobId} is recorded, but it cannot be shown: `;
  return { error: wireError(reject(code, recorded + why)) };
}

/** Of a command about one job. */
export function oneJobReply(answer: JobAnswer, releasing: Releasing): Sooner<Reply> {
  const made = jobReply(answer, releasing);
  return isLater(made) ? made.then(message) : message(made);
}

function jobReply(answer: JobAnswer, releasing: Releasing): Sooner<JobReply> {
  if (answer.kind === 'refused') return { error: wireError(answer.rejection) };
  if (answer.kind === 'archived') return archivedReply(answer, releasing);
  const { jobId, status, duplicate, attempt, cancelling, failure, result, noWorker } = answer;
  const reply: JobReply = { jobId, status, position: releasing.position };
  if (duplicate) reply.duplicate = true;
  if (attempt > 0) reply.attempt = attempt;
  if (cancelling && status === 'running') reply.cancelling = true;
  if (failure) reply.failure = { code: failure.code, message: failure.message };
  if (noWorker) reply.noWorker = true;
  return result ? withResult(reply, result, releasing) : reply;
}

async function archivedReply(answer: JobAnswer & { kind: 'archived' }, releasing: Releasing): Promise<JobReply> {
  const found = await releasing.archive.find(answer.jobId);
  if (found === undefined) return { error: wireError(reject('NOT_FOUND', `no job ${answer.jobId}`)) };
  if (answer.ended || (answer.cancel && found.status !== 'cancelled')) {
    return { error: wireError(reject('ALREADY_ENDED', `the job is ${found.status}`)) };
  }
  const { id: jobId, status, attempt } = found;
  const reply: JobReply = { jobId, status, duplicate: answer.duplicate, attempt, position: releasing.position };
  if (found.failure) reply.failure = { code: found.failure.code, message: found.failure.message };
  return found.result ? withResult(reply, found.result, releasing) : reply;
}

interface WithResult {
  result?: Uint8Array | null;
  contentType?: string | null;
}

/** A result that was removed from the journal is absent. */
function withResult<T extends WithResult>(reply: T, ref: BytesRef, { bytes }: Releasing): Sooner<T> {
  reply.contentType = ref.contentType;
  const withBytes = (result: Uint8Array): T => {
    if (result !== REMOVED) reply.result = result;
    return reply;
  };
  const at = bytes.get(ref.seq, ref.index);
  return at ? withBytes(at) : bytes.load(ref.seq, ref.index).then(withBytes);
}

/** The view of a job in the leader's state. */
export function viewReply({ job, progress, noWorker, setAside }: ViewAnswer, releasing: Releasing): Sooner<Reply> {
  const view = viewOf(job, releasing.position);
  if (noWorker) view.noWorker = true;
  if (setAside) view.setAside = setAside;
  if (progress) Object.assign(view, { progress: progress.fraction, progressMessage: progress.message });
  return viewed(view, job.result, releasing);
}

/** The view of a job that has left the leader's state. */
export async function archiveReply(id: JobId, releasing: Releasing): Promise<Reply> {
  const found = await releasing.archive.find(id);
  if (found === undefined) return refused(reject('NOT_FOUND', `no job ${id}`));
  return viewed(viewOf(found, releasing.position), found.result, releasing);
}

function viewed(view: JobView, result: BytesRef | undefined, releasing: Releasing): Sooner<Reply> {
  const whole = result ? withResult(view, result, releasing) : view;
  return isLater(whole) ? whole.then(message) : message(whole);
}
