/** Why a job is not running, typed. Made of a {@link Client}. */
import { why } from '../actors/job/commands/why.js';
import type { job } from '../protocols/messages.js';
import type { Client, Target } from './client.js';
import { positionOf, type Position } from './replies.js';

/** The codes of {@link Reason}: docs/why.md says what each means and how it goes away. */
export type ReasonCode =
  | 'NOT_DUE' | 'QUEUE_PAUSED' | 'BEHIND' | 'LIMIT_FULL' | 'RATE_LIMITED' | 'SLOWED' | 'NO_WORKER' | 'WORKERS_BUSY'
  | 'WORKERS_DRAINING' | 'WORKERS_UNKNOWN' | 'RUNNING' | 'ENDED';

export type Reason = Omit<job.Reason.$Properties, 'code' | 'message'> & {
  readonly code: ReasonCode;
  /** For people. */
  readonly message: string;
};

export interface Why {
  readonly jobId: string;
  readonly status: string;
  /** All that hold now. None: the next pull of a worker that can do it gets the job. */
  readonly reasons: readonly Reason[];
  readonly position: Position | undefined;
}

/** @throws RepriseError NOT_FOUND, SET_ASIDE */
export async function whyWaiting(client: Client, target: Target): Promise<Why> {
  const reply = await client.request<job.WhyReply>(why, target);
  return {
    jobId: reply.jobId, status: reply.status, position: positionOf(reply.position),
    reasons: (reply.reasons ?? []).map((each): Reason =>
      ({ ...filled(each), code: each.code as ReasonCode, message: each.message ?? '' })),
  };
}

/** Without the empty lists that a decoded message has. */
const filled = (reason: job.Reason.$Properties): job.Reason.$Properties =>
  Object.fromEntries(Object.entries(reason).filter(([, value]) => !Array.isArray(value) || value.length > 0));
