/**
 * Releasing: the words that waited for a commit become replies. Payloads and results come from the cache of recent
 * commits; only what is older is read back from the journal, and then the reply waits for that alone.
 */
import { reject, wireError } from '../../protocols/errors.js';
import type { job as jobs, worker } from '../../protocols/messages.js';
import type { BytesRef, Job } from '../../actors/job/job.js';
import type { Archive } from '../../actors/job/archive.js';
import { viewOf } from '../../actors/job/job.view.js';
import type { Asker, Effect, JobAnswer, LeaseGrant } from '../core/effects.js';
import { answer, type Reply } from './reply.js';

/** Bytes by position: at once when they are at hand. */
export interface Bytes {
  get(seq: number, index: number): Uint8Array | undefined;
  load(seq: number, index: number): Promise<Uint8Array>;
}

export interface Releasing {
  readonly bytes: Bytes;
  readonly archive: Archive;
  readonly position: jobs.Position.$Properties;
  /** Called for a lease that a reply had no room for. */
  readonly unsent: (grant: LeaseGrant) => void;
}

type Sooner<T> = T | Promise<T>;
const isLater = <T>(value: Sooner<T>): value is Promise<T> => value instanceof Promise;

/** Answers now if everything is at hand, later otherwise. What cannot be found out is refused, never guessed. */
export function release(to: { readonly to: Asker }, reply: Sooner<Reply>): void {
  if (!isLater(reply)) return answer(to.to, reply);
  void reply.then(
    (made) => answer(to.to, made),
    (cause: unknown) => answer(to.to, { kind: 'refused', rejection: reject('UNKNOWN', `the journal could not be read: ${String(cause)}`) }),
  );
}

export function jobsReply(context: Releasing, answers: readonly JobAnswer[]): Sooner<Reply> {
  const made = answers.map((each) => jobReply(context, each));
  if (!made.some(isLater)) return { kind: 'jobs', jobs: made as jobs.JobReply.$Properties[] };
  return Promise.all(made).then((all) => ({ kind: 'jobs', jobs: all }));
}

function jobReply(context: Releasing, each: JobAnswer): Sooner<jobs.JobReply.$Properties> {
  if (each.kind === 'refused') return { error: wireError(each.rejection) };
  if (each.kind === 'archived') return archivedReply(context, each);
  const { jobId, status, duplicate, attempt, cancelling, failure, result, noWorker } = each;
  const reply: jobs.JobReply.$Properties = { jobId, status, position: context.position };
  if (duplicate) reply.duplicate = true;
  if (attempt > 0) reply.attempt = attempt;
  if (cancelling && status === 'running') reply.cancelling = true;
  if (failure) reply.failure = failure;
  if (noWorker) reply.noWorker = true;
  return result ? withResult(context, reply, result) : reply;
}

async function archivedReply(context: Releasing, each: JobAnswer & { kind: 'archived' }): Promise<jobs.JobReply.$Properties> {
  const found = await context.archive.find(each.jobId);
  if (found === undefined) return { error: wireError(reject('NOT_FOUND', `no job ${each.jobId}`)) };
  if (each.cancel && found.status !== 'cancelled') return { error: wireError(reject('ALREADY_ENDED', `the job is ${found.status}`)) };
  const reply: jobs.JobReply.$Properties = {
    jobId: found.id, status: found.status, duplicate: each.duplicate, attempt: found.attempt, position: context.position,
  };
  if (found.failure) reply.failure = found.failure;
  return found.result ? withResult(context, reply, found.result) : reply;
}

function withResult<T extends { result?: Uint8Array | null; contentType?: string | null }>(context: Releasing, reply: T, ref: BytesRef): Sooner<T> {
  reply.contentType = ref.contentType;
  const at = context.bytes.get(ref.seq, ref.index);
  if (at) {
    reply.result = at;
    return reply;
  }
  return context.bytes.load(ref.seq, ref.index).then((bytes) => {
    reply.result = bytes;
    return reply;
  });
}

export function pulledReply(context: Releasing, effect: Effect & { kind: 'pulled' }): Sooner<Reply> {
  const pulled: worker.PullReply.$Properties = { epoch: context.position.epoch ?? 0 };
  if (effect.cancel.length > 0) pulled.cancel = [...effect.cancel];
  if (effect.revoked.length > 0) pulled.revoked = [...effect.revoked];
  if (effect.rejected.length > 0) {
    pulled.rejected = effect.rejected.map(({ token, rejection }) => ({ token, error: wireError(rejection) }));
  }
  if (effect.leases.length === 0) return { kind: 'pulled', pulled };
  const leases = effect.leases.map((grant) => lease(context, grant));
  const withLeases = (all: worker.Lease.$Properties[]): Reply => ({ kind: 'pulled', pulled: { ...pulled, leases: fitting(context, effect.leases, all) } });
  if (!leases.some(isLater)) return withLeases(leases as worker.Lease.$Properties[]);
  return Promise.all(leases).then(withLeases);
}

/** Of payloads in one reply: in JSON and base64 they grow, and the whole must stay below the server's max_payload. */
const MOST_PAYLOAD_BYTES = 700_000;
const LEASE_BYTES = 512;

/** What does not fit is not held by the worker, so it is delivered with its next pull. */
function fitting(context: Releasing, grants: readonly LeaseGrant[], leases: worker.Lease.$Properties[]): worker.Lease.$Properties[] {
  let bytes = 0;
  return leases.filter((each, nth) => {
    bytes += (each.payload?.length ?? 0) + LEASE_BYTES;
    const fits = nth === 0 || bytes <= MOST_PAYLOAD_BYTES;
    if (!fits) context.unsent(grants[nth]!);
    return fits;
  });
}

function lease(context: Releasing, { token, job, attempt, leaseMs }: LeaseGrant): Sooner<worker.Lease.$Properties> {
  const { payload, policy } = job;
  const made: worker.Lease.$Properties = {
    token, jobId: job.id, type: job.type, queue: job.queue, attempt, maxAttempts: policy.maxAttempts,
    contentType: payload.contentType, leaseMs, attemptMs: policy.attemptMs, key: job.key,
  };
  if (job.labels) made.labels = { ...job.labels };
  const bytes = context.bytes.get(payload.seq, payload.index);
  if (bytes) {
    made.payload = bytes;
    return made;
  }
  return context.bytes.load(payload.seq, payload.index).then((loaded) => {
    made.payload = loaded;
    return made;
  });
}

export function viewReply(context: Releasing, { job, progress, noWorker }: Effect & { kind: 'view' }): Sooner<Reply> {
  const view = viewOf(job, context.position);
  if (noWorker) view.noWorker = true;
  if (progress) Object.assign(view, { progress: progress.fraction, progressMessage: progress.message });
  return viewed(context, view, job.result);
}

export async function archiveReply(context: Releasing, id: Job['id']): Promise<Reply> {
  const found = await context.archive.find(id);
  if (found === undefined) return { kind: 'refused', rejection: reject('NOT_FOUND', `no job ${id}`) };
  return viewed(context, viewOf(found, context.position), found.result);
}

function viewed(context: Releasing, view: jobs.JobView.$Properties, result: BytesRef | undefined): Sooner<Reply> {
  const whole = result ? withResult(context, view, result) : view;
  return isLater(whole) ? whole.then((made) => ({ kind: 'view', view: made })) : { kind: 'view', view: whole };
}
