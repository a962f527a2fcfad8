/** Replies to workers. The payloads of leases are read back from the journal. */
import { wireError } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import type { worker as messages } from '../../protocols/messages.js';
import { isRunning } from '../job/job.js';
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
  if (notice.leases.length === 0) return message(pulled);
  const leases = notice.leases.map((grant) => leaseOf(grant, releasing));
  const withLeases = (all: Lease[]): Reply => {
    pulled.leases = fitting(notice.leases, all, releasing);
    return message(pulled);
  };
  return leases.some(isLater) ? Promise.all(leases).then(withLeases) : withLeases(leases as Lease[]);
}

/** Limit of payloads in one reply. In JSON and base64 they grow, and the reply must fit the server's max_payload. */
const MOST_PAYLOAD_BYTES = 700_000;
const LEASE_BYTES = 512;

/** Leases that do not fit are delivered with the worker's next pull, and get their full time. */
function fitting(grants: readonly LeaseGrant[], leases: Lease[], releasing: Releasing): Lease[] {
  let bytes = 0;
  return leases.filter((each, nth) => {
    bytes += (each.payload?.length ?? 0) + LEASE_BYTES;
    const fits = nth === 0 || bytes <= MOST_PAYLOAD_BYTES;
    const { job, attempt } = grants[nth]!;
    if (!fits && isRunning(job) && job.attempt === attempt) releasing.live(jobKind).renew(job, releasing.monoMs);
    return fits;
  });
}

function leaseOf({ token, job, attempt, leaseMs }: LeaseGrant, { bytes }: Releasing): Sooner<Lease> {
  const { payload, policy } = job;
  const made: Lease = {
    token, jobId: job.id, type: job.type, queue: job.queue, attempt, maxAttempts: policy.maxAttempts,
    contentType: payload.contentType, leaseMs, attemptMs: policy.attemptMs, key: job.key,
  };
  if (job.labels) made.labels = { ...job.labels };
  const at = bytes.get(payload.seq, payload.index);
  if (at) {
    made.payload = at;
    return made;
  }
  return bytes.load(payload.seq, payload.index).then((loaded) => {
    made.payload = loaded;
    return made;
  });
}
