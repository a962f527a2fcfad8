/** Replies to workers. The payloads of leases are read back from the journal. */
import { messageOf, wireError } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import type { worker as messages } from '../../protocols/messages.js';
import { REMOVED } from '../../streams/payloads.js';
import { attemptsOf, isRunning } from '../job/job.js';
import { jobKind } from '../job/job.kind.js';
import { isLater, message, type Releasing, type Reply, type Sooner } from '../reply.js';
import type { LeaseGrant, Notice } from './sessions.js';

type Lease = messages.Lease.$Properties;

interface Registered {
  readonly session: string;
  readonly proof: string;
  readonly partitions: number;
}

export const registeredReply = (registered: Registered, { position }: Releasing): Reply =>
  message({ epoch: position.epoch ?? 0, ...registered, maxResultBytes: LIMITS.payloadBytes });

export const drainedReply = (status: 'gone' | 'draining', { position }: Releasing): Reply =>
  message({ epoch: position.epoch ?? 0, status });

export function pulledReply(notice: Notice, releasing: Releasing): Sooner<Reply> {
  const pulled: messages.PullReply.$Properties = { epoch: releasing.position.epoch ?? 0 };
  if (notice.cancel.length > 0) pulled.cancel = [...notice.cancel];
  if (notice.revoked.length > 0) pulled.revoked = [...notice.revoked];
  if (notice.rejected.length > 0) {
    pulled.rejected = notice.rejected.map(({ token, rejection }) => ({ token, error: wireError(rejection) }));
  }
  if (notice.drain) pulled.drain = true;
  if (notice.leases.length === 0) return message(pulled);
  const leases = notice.leases.map((grant) => leaseOf(grant, releasing));
  const withLeases = (all: (Lease | undefined)[]): Reply => {
    pulled.leases = fitting(notice.leases, all, releasing);
    return message(pulled);
  };
  return leases.some(isLater) ? Promise.all(leases).then(withLeases) : withLeases(leases as (Lease | undefined)[]);
}

/** Limit of payloads in one reply. In JSON and base64 they grow, and the reply must fit the server's max_payload. */
const MOST_PAYLOAD_BYTES = 700_000;
const LEASE_BYTES = 512;

/** Leases that do not fit are delivered with the worker's next pull, and get their full time. */
function fitting(
  grants: readonly LeaseGrant[], leases: readonly (Lease | undefined)[], releasing: Releasing,
): Lease[] {
  const taken: Lease[] = [];
  let bytes = 0;
  leases.forEach((lease, nth) => {
    if (lease === undefined) return;
    bytes += (lease.payload?.length ?? 0) + LEASE_BYTES;
    const grant = grants[nth]!;
    if (taken.length === 0 || bytes <= MOST_PAYLOAD_BYTES) taken.push(lease);
    else if (isCurrent(grant, releasing)) releasing.live(jobKind).renew(grant.job, releasing.monoMs);
  });
  return taken;
}

/** @returns undefined, never as an error, if its payload cannot be read: the reply's other leases are delivered */
function leaseOf(grant: LeaseGrant, releasing: Releasing): Sooner<Lease | undefined> {
  const { bytes } = releasing;
  const { seq, index } = grant.job.payload;
  const at = bytes.get(seq, index);
  if (at) return withPayload(grant, at, releasing);
  return bytes.load(seq, index).then(
    (loaded) => withPayload(grant, loaded, releasing),
    (error: unknown) => withhold(grant, messageOf(error), releasing),
  );
}

function withPayload(grant: LeaseGrant, payload: Uint8Array, releasing: Releasing): Lease | undefined {
  // A performer would take it for an empty payload.
  if (payload === REMOVED) return withhold(grant, 'The payload was removed from the journal.', releasing);
  const { token, job, leaseMs } = grant;
  const made: Lease = {
    token, jobId: job.id, type: job.type, queue: job.queue, attempt: job.attempt, maxAttempts: attemptsOf(job),
    contentType: job.payload.contentType, leaseMs, attemptMs: job.policy.attemptMs, key: job.key, payload,
  };
  if (job.labels) made.labels = { ...job.labels };
  return made;
}

function withhold(grant: LeaseGrant, why: string, releasing: Releasing): undefined {
  releasing.onWithheld(grant.job.id, why);
  if (isCurrent(grant, releasing)) releasing.live(jobKind).withhold(grant.job.id);
}

/** The job may have changed since it was leased. */
function isCurrent({ job: { id, attempt } }: LeaseGrant, releasing: Releasing): boolean {
  const job = releasing.read(jobKind).get(id);
  return job !== undefined && isRunning(job) && job.attempt === attempt;
}
