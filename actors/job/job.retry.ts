/** The retry of a job that has ended: what its event says, and the job that it makes. */
import type { JobId } from '../../protocols/ids.js';
import type { job as messages } from '../../protocols/messages.js';
import type { At } from '../kind.js';
import { storedBytes, type Job, type Policy, type StoredBytes } from './job.js';
import { kept } from './job.submit.js';
import { sharedPolicy } from './policies.js';

const NONE = new Uint8Array();

export interface RetriedBody {
  readonly status: 'ready';
  readonly generation: number;
  /** Empty: it is where `stored` says. */
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly stored: messages.StoredPayload.$Properties | null;
  readonly jobType: string;
  readonly queue: string;
  readonly priority: number;
  readonly key: string;
  readonly fingerprint: Uint8Array | undefined;
  readonly policy: Policy;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly totalDueMs: number;
  readonly place: number;
  readonly submittedMs: number;
  readonly firstSeq: number;
  readonly attempt: number;
  readonly lease: number;
  /** Canonical JSON; empty: none. */
  readonly require: string;
  readonly prefer: string;
}

/** A payload that is written with the event. */
export interface NewPayload {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/**
 * @param payload undefined: the one that it has
 * @param fingerprint of its key, if it has one
 */
export function retriedBody(
  job: Readonly<Job>, payload: NewPayload | undefined, fingerprint: Uint8Array | undefined, nowMs: number,
): RetriedBody {
  const { seq, index, hash, size, contentType } = job.payload;
  const stored = payload ? null : { seq, index, hash: Buffer.from(hash, 'latin1'), size };
  return {
    status: 'ready', generation: (job.retried?.generation ?? 0) + 1,
    payload: payload?.bytes ?? NONE, contentType: payload?.contentType ?? contentType, stored,
    jobType: job.type, queue: job.queue, priority: job.priority, key: job.key, fingerprint, policy: job.policy,
    labels: job.labels, totalDueMs: job.totalDueMs === 0 ? 0 : nowMs + totalMs(job), place: job.place,
    submittedMs: job.submittedMs, firstSeq: job.firstSeq, attempt: job.attempt, lease: job.lease,
    require: job.require ?? '', prefer: job.prefer ?? '',
  };
}

/** It has as much time as when it began, or was retried last. */
const totalMs = ({ totalDueMs, retried, submittedMs }: Readonly<Job>): number =>
  totalDueMs - (retried?.atMs ?? submittedMs);

/** Changes the job in place, or makes the one that had left the state. */
export function retriedJob(job: Job | undefined, body: RetriedBody, id: JobId, at: At): Job {
  const { generation, attempt } = body;
  const changed = {
    status: body.status, payload: payloadOf(body, at), totalDueMs: body.totalDueMs,
    retried: { generation, attempts: attempt, atMs: at.nowMs }, dueMs: 0, attemptDueMs: 0, reported: false,
    cancelling: false, cancelReason: undefined, result: undefined, endedMs: 0, kept: undefined,
    // It counts from here on, and may start when it likes.
    crashes: undefined, returns: undefined, startDueMs: undefined,
    lastSeq: at.seq,
  } as const satisfies Partial<Job>;
  if (job) return Object.assign(job, changed);
  return {
    id, type: body.jobType, queue: body.queue, priority: body.priority, key: body.key,
    labels: kept(body.labels ?? undefined), policy: sharedPolicy(body.policy), place: body.place,
    submittedMs: body.submittedMs, firstSeq: body.firstSeq, attempt, lease: body.lease, workerId: '', session: '',
    pullSeq: 0, failure: undefined, require: body.require || undefined, prefer: body.prefer || undefined, ...changed,
  };
}

function payloadOf({ stored, contentType }: RetriedBody, at: At): StoredBytes {
  if (!stored) return storedBytes(contentType, at);
  const hash = Buffer.from(stored.hash ?? NONE).toString('latin1');
  return { seq: stored.seq ?? 0, index: stored.index ?? 0, contentType, hash, size: stored.size ?? 0 };
}
