import type { JobId } from '../../../protocols/ids.js';
import type { Job } from '../../../actors/job/job.js';
import type { PartitionCore } from '../core.js';
import type { Target } from '../inputs.js';
import { keyName } from '../state.js';

/** `archived`: known once, but no longer held by the leader; only the jobs projection can tell whether it ever was. */
export type Found = { readonly kind: 'job'; readonly job: Job } | { readonly kind: 'archived'; readonly jobId: JobId } | undefined;

export function findJob(core: PartitionCore, target: Target): Found {
  const { state } = core;
  const jobId = 'jobId' in target ? target.jobId : jobIdOfKey(core, keyName(target.queue, target.key));
  if (jobId === undefined) return undefined;
  const job = state.jobs.get(jobId);
  return job ? { kind: 'job', job } : { kind: 'archived', jobId };
}

/** A key whose time is over is as good as forgotten, even if no commit has come by to forget it. */
function jobIdOfKey({ state, nowMs }: PartitionCore, name: string): JobId | undefined {
  const past = state.pastKeys.get(name);
  const entry = state.keys.get(name) ?? (past && past.untilMs >= nowMs ? past : undefined);
  return entry?.jobId;
}

export const describe = (target: Target): string => ('jobId' in target ? target.jobId : `key ${target.key} in queue ${target.queue}`);
